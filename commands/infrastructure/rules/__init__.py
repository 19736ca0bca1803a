"""What must hold of `infra/`, by what it is about."""
