"""A client of the app: its HTTP API, and what the commands that read it print in common."""
