"""Runs jobs: a thread for each, steps in their order, outputs kept, states moved, long-running operations followed."""
