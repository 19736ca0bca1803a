"""FastAPI dependencies of the routes: services and caller, parsed parameters, idempotent actions."""
