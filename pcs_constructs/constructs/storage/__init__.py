"""File systems that nodes share, and how each is mounted: a module for each kind."""
