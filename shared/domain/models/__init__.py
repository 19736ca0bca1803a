"""Models: the promotion gate, the smoke test, endpoint health, and the wire format of rows and answers."""
