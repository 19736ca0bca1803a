"""Authentication and authorization: who asks (function key, Entra token, session cookie), and for how much they may."""
