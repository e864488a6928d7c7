"""jsii's quirks, and nowhere else: tokens, casts, problems, order, tree, arguments."""
