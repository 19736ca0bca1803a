"""Azure Machine Learning on 127.0.0.1: the routes the unmodified SDKs call, jobs and deployments that really run."""
