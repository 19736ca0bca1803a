"""What a test may ask of this workspace beyond Azure: states held, faults, slow operations, another clock."""
