"""Authentication and authorization: the caller (by function key, Entra token or session cookie), and
its scope."""
