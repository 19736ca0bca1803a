"""The API's routes: one file for each resource."""
