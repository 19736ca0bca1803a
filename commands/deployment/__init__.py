"""What happens around a deployment by azd: inputs checked before, pipelines, endpoints and a canary after."""
