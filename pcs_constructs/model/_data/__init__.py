"""Data that ships with the library, and the programs that generate it."""
