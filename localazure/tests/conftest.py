"""What most tests of localazure need."""

from running_azure.fixtures import azurite, azurite_service, free_port

__all__ = ["azurite", "azurite_service", "free_port"]
