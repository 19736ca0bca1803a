"""Batch scoring: the plan of shards, their rows as features, requests split to size, output files and manifest."""
