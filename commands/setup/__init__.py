"""Prepares a checkout: `.venv`, Node, Azurite, environments. Standard library only."""
