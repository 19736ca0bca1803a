"""Linters from npm, locked in package-lock.json: what reads the API's description and the dashboard's JavaScript."""
