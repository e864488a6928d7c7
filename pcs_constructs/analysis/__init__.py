"""What is told of templates."""
