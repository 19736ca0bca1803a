"""AutoML jobs: what is asked for, the search that answers it, and what becomes of its trials."""
