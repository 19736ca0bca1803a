"""What became of runs: their status and metrics, and the events that tell Event Grid of each change."""
