"""What the host knows of one function: its name, its trigger, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HTTP, QUEUE, TIMER, EVENT_GRID, BLOB = (
    "httpTrigger", "queueTrigger", "timerTrigger", "eventGridTrigger", "blobTrigger",
)  # fmt: skip
TRIGGERS = {HTTP: "HTTP", QUEUE: "queue", TIMER: "timer", EVENT_GRID: "Event Grid", BLOB: "blob"}
"""The triggers this host runs, and what people call them."""
RETURN = "$return"
"""The name of the binding that takes what a function returns."""


def data_type(binding: Mapping[str, Any]) -> str:
    """A binding's dataType in lower case; empty when it has none."""
    return str(binding.get("dataType") or "").lower()


@dataclass(frozen=True, kw_only=True)
class Output:
    """A queue or blob that a function writes by a parameter (`func.Out`) or by what it returns (`$return`)."""

    parameter: str
    kind: str
    """`queue` or `blob`."""
    target: str
    """The queue's name, or the blob's path; may hold `{names}` and `%SETTINGS%`."""
    connection: str


@dataclass(frozen=True, kw_only=True)
class Input:
    """A blob that a function is given beside its trigger's value."""

    parameter: str
    path: str
    connection: str
    data_type: str = ""
    """The binding's dataType, in lower case: `string` comes as text, all else as bytes."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function as the app declares it, checked."""

    name: str
    call: Callable[..., Any]
    trigger: Mapping[str, Any]
    is_async: bool
    wants_context: bool
    disabled: bool = False
    retry: Mapping[str, str] | None = None
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    response: str | None = None
    """The HTTP output: `$return`, or the parameter that is set to the response; None when there is none."""
    plain: frozenset[str] = frozenset()
    """The parameters annotated `str` or `bytes`: they get a trigger's or input's value as it is."""
    bindings: tuple[Mapping[str, Any], ...] = ()
    """All of them as declared, the trigger among them."""

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        """The parameter that takes the trigger's value."""
        return str(self.trigger["name"])

    @property
    def may_return(self) -> bool:
        """Whether a binding takes what it returns."""
        return self.response == RETURN or any(output.parameter == RETURN for output in self.outputs)
