"""What may be asked: one file for each resource."""
