"""Batches to score: where a file is cut, what a shard is asked, what comes out."""
