"""What `./dev` does: one module for each command, run inside `.venv` by `commands/__main__.py`."""
