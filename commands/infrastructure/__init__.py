"""What `./dev check` knows about `infra/`: Bicep evaluated without Azure, and what must be true of what it makes."""
