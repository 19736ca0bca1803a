"""The rules by which Azure's Python worker refuses a function, and with it the whole app."""

from __future__ import annotations

import inspect
import logging
import typing
from collections.abc import Callable, Mapping
from typing import Any

import azure.functions as func

from localazure.host.errors import BrokenApp
from localazure.host.function import HTTP, RETURN

log = logging.getLogger("localazure.host.checks")
_PLAIN = (str, bytes)
_EVERY = frozenset({"type", "name", "direction", "dataType", "properties"})
_SETTINGS = {
    HTTP: {"methods", "authLevel", "route"},
    "http": set(),
    "queueTrigger": {"queueName", "connection"},
    "queue": {"queueName", "connection"},
    "blobTrigger": {"path", "connection", "source"},
    "blob": {"path", "connection"},
    "timerTrigger": {"schedule", "runOnStartup", "useMonitor"},
    "eventGridTrigger": set(),
}
_NEEDED = {
    "queueTrigger": "queueName", "queue": "queueName", "timerTrigger": "schedule", "blobTrigger": "path",
    "blob": "path",
}  # fmt: skip


def check_binding(name: str, binding: Mapping[str, Any]) -> None:
    """Raises BrokenApp when it lacks what it needs; says which of its settings nobody reads."""
    kind = binding["type"]
    needed = _NEEDED.get(kind)
    if needed and not binding.get(needed):
        raise BrokenApp(f"{name}: the {kind} {binding['name']} needs {needed}.")
    if unknown := sorted(binding.keys() - _EVERY - _SETTINGS[kind]):
        log.warning(
            "%s: a %s has no setting %s; Azure's host ignores it, and so does this one.",
            name, kind, ", ".join(unknown),
        )  # fmt: skip


def check_signature(name: str, call: Callable[..., Any], bindings: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the function wants a context; raises BrokenApp when it and its bindings disagree."""
    parameters = inspect.signature(call).parameters
    hints = _hints(name, call)
    wants_context = "context" in parameters and "context" not in bindings
    declared = set(parameters) - ({"context"} if wants_context else set())
    _check_names(name, call, declared, {bound for bound in bindings if bound != RETURN})
    if wants_context and not _is_context(hints.get("context", func.Context)):
        raise BrokenApp(f"{name}: the parameter context must be annotated func.Context, or not at all.")
    for parameter in declared & hints.keys():
        _check_annotation(name, parameter, hints[parameter], bindings[parameter])
    if "return" in hints:
        _check_return(name, hints["return"], bindings)
    return wants_context


def plain_parameters(call: Callable[..., Any], bindings: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The inputs annotated `str` or `bytes`, which the worker hands on as they are, whatever the trigger."""
    hints = typing.get_type_hints(call)
    return frozenset(
        name for name, one in bindings.items() if one["direction"] == "IN" and hints.get(name) in _PLAIN
    )


def _hints(name: str, call: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(call)
    except (NameError, AttributeError, TypeError) as cause:
        raise BrokenApp(
            f"{name}: its annotations cannot be evaluated ({cause}). Import what they name outside of"
            " `if TYPE_CHECKING`: the Functions worker reads them."
        ) from cause


def _check_names(name: str, call: Callable[..., Any], declared: set[str], bound: set[str]) -> None:
    if surplus := sorted(declared - bound):
        raise BrokenApp(
            f"{name}: the parameters {', '.join(surplus)} of {_place(call)} belong to no trigger or binding;"
            " the worker takes no others, even with a default. (Does a decorator lack functools.wraps?)"
        )
    if missing := sorted(bound - declared):
        raise BrokenApp(
            f"{name}: the bindings {', '.join(missing)} have no parameter of that name in {_place(call)}:"
            " arg_name must equal the parameter's name."
        )


def _place(call: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(call), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(call)


def _is_context(annotation: Any) -> bool:
    """The worker looks at the class's name only."""
    return isinstance(annotation, type) and annotation.__name__ == func.Context.__name__


def _check_annotation(name: str, parameter: str, annotation: Any, binding: Mapping[str, Any]) -> None:
    kind, is_output = binding["type"], binding["direction"] == "OUT"
    if (typing.get_origin(annotation) is func.Out) != is_output:
        raise BrokenApp(
            f"{name}: {parameter} is an {'output' if is_output else 'input'}; func.Out[...] is for outputs."
        )
    if is_output:
        return
    if annotation in _PLAIN:
        if kind == HTTP:
            log.warning(
                "%s: %s is annotated %s: each call fails, in Azure too.", name, parameter, _shown(annotation)
            )
        return
    if getattr(annotation, "__module__", "").startswith("azurefunctions.extensions."):
        raise BrokenApp(
            f"{name}: {parameter} is annotated {_shown(annotation)} of {annotation.__module__}: this host has"
            " neither HTTP streaming nor the SDK's own types in bindings (azurefunctions-extensions-*)."
        )
    if not isinstance(annotation, type) or not _converter(kind).check_input_type_annotation(annotation):
        raise BrokenApp(
            f"{name}: {parameter} is annotated {_shown(annotation)}, which a {kind} does not give."
        )


def _check_return(name: str, annotation: Any, bindings: Mapping[str, Mapping[str, Any]]) -> None:
    if RETURN not in bindings:
        if annotation is type(None):
            return
        log.warning(
            "%s says it returns %s, but nothing takes it: a call that does so fails, in Azure too.",
            name, _shown(annotation),
        )  # fmt: skip
        return
    kind = bindings[RETURN]["type"]
    if not isinstance(annotation, type) or not _converter(kind).check_output_type_annotation(annotation):
        raise BrokenApp(
            f"{name}: is annotated to return {_shown(annotation)}, which a {kind} output does not take."
        )


def _converter(kind: str) -> Any:
    return func.get_binding_registry().get(kind)


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
