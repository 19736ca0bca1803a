"""One file per row of the flow table."""
