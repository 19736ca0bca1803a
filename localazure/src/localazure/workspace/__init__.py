"""Azure Machine Learning on 127.0.0.1: what the unmodified SDKs call, with jobs and deployments that run."""
