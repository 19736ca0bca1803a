"""What routes are handed (FastAPI dependencies): services and caller, parsed parameters, idempotent actions."""
