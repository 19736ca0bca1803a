"""Who is calling: tokens issued, the managed-identity endpoint that gives them, and where a bearer token is checked."""
