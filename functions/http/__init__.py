"""The HTTP API. Rooms: auth (who may ask), middleware (what wraps each request), routes (what may be asked),
dependencies (what routes are handed), views (what is shown)."""
