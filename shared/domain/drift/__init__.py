"""Drift: how far what comes in is from what a model learned, what that costs, and whether it asks for a retrain."""
