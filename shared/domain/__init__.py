"""Pure values and decisions; nothing here does I/O."""
