"""Storage, events and workspace together, as a newcomer wants them."""
