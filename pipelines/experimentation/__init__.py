"""The experimentation pipeline: a search for a better recipe, in a box of time."""
