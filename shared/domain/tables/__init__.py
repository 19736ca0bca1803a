"""Files and the data contract: how a CSV is read, and what its values must look like."""
