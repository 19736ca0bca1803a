"""The Functions host's decorators: the simulation's host calls what they decorate by itself."""

from __future__ import annotations

from typing import Any


class Blueprint:
    """Registers nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: lambda function: function


class QueueMessage: ...
