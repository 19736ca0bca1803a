"""The HTTP API. Rooms: auth (authentication and scopes), middleware (what wraps each request), routes (the
resources), dependencies (what FastAPI injects into routes), views (records as JSON)."""
