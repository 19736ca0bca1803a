"""The training pipeline: its steps, its environment, and how it is published."""
