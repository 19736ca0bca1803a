"""The Azure ML pipelines, training and batch scoring: the code of their steps, and how they are published."""
