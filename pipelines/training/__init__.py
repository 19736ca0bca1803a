"""The training pipeline: prepare, train, evaluate, register, a step each."""
