"""Real faults done to a real stack, and what must hold whatever was done: `./dev chaos`."""
