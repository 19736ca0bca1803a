"""The deployment package: the app's files and its locked libraries, as Azure Functions runs them."""
