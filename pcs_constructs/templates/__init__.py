"""How CloudFormation is read."""
