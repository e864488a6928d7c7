"""Node groups and what nodes are started with."""
