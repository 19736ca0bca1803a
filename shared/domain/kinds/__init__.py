"""The resource kinds: one file for each, with its states, its fields, its links and what changes it."""
