"""Azure's shapes in, our facts out; no decisions."""
