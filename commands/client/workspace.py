"""The Azure ML workspace behind the app, by the unmodified SDK: with your own sign-in, or as the stack of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from commands.stack.errors import StackError
from commands.stack.settings import no_proxy, sdk_settings
from commands.stack.state import Stack
from shared.adapters.ml_client import ml_client
from shared.adapters.sign_in import credential

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

PLACE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE")


def workspace(stack: Stack | None) -> MLClient:
    """The stack's; without one, the workspace that the environment names.

    raises: StackError that says which variables are missing
    """
    if stack is not None:
        os.environ.update({**sdk_settings(stack), **no_proxy()})
    missing = [name for name in PLACE if not os.environ.get(name)]
    if missing:
        raise StackError(f"set {', '.join(missing)}: the workspace that the model is deployed in.")
    return ml_client(credential(), *(os.environ[name] for name in PLACE))


def answer_of(call: Callable[[], Any]) -> Any:
    """What the SDK gives; raises: StackError with the first line of what Azure ML said instead."""
    from azure.core.exceptions import AzureError

    try:
        return call()
    except AzureError as problem:
        message = getattr(problem, "message", None) or str(problem)
        raise StackError(f"Azure ML: {str(message).splitlines()[0]}") from problem
