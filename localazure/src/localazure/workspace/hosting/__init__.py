"""Online deployments that really serve: one inference server each, started, watched, replaced, ended."""
