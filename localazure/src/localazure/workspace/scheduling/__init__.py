"""Schedules: when they fire, and the thread that fires them."""
