"""Models: whether one is better, whether it answers right, and what it is asked and answers."""
