"""A Functions host on one machine: loads a Python v2 app and runs its queue, timer and HTTP triggers."""
