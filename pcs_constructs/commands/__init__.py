"""The commands of `pcs-constructs`, a file each."""
