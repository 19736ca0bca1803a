"""One file per resource: what each request of the route table does. Thin: they read, ask the engine or hosting, answer."""
