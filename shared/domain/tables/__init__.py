"""Schema validation: CSV dialects and records, the data contract, and the check of rows against it."""
