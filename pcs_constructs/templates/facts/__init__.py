"""What the rules are to judge, out of the resources of templates, by noun."""
