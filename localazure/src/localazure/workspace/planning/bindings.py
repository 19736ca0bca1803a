"""What a job's or a step's inputs and outputs are bound to: given, defaulted, absent, or another step's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localazure.workspace import bodies
from localazure.workspace.planning.expressions import Binding, binding, with_inputs
from localazure.workspace.planning.plan import LITERALS, Source, Target
from localazure.workspace.wire.calls import Json, Refusal


@dataclass(kw_only=True)
class Scope:
    """A pipeline being laid flat: what its inputs are, where its outputs go, how its steps are called."""

    inputs: dict[str, Source]
    outputs: dict[str, Target]
    prefix: str = ""
    made_by: dict[str, tuple[str, str]] = field(default_factory=dict)

    def target(self, node: Json, declared: Json, key: str) -> Target:
        """Where a step's output goes."""
        return target_of(node, {"outputs": declared}, key, self)


def sources(given: Json, definitions: Json) -> dict[str, Source]:
    """A job's own inputs: what was given, then the defaults, then absence where that is allowed."""
    unknown = set(given) - set(definitions)
    if definitions and unknown:
        raise Refusal(
            400, "UserError", f"unknown inputs: {', '.join(sorted(unknown))}; known: {', '.join(definitions)}"
        )
    found = {
        name: _source(value, definitions.get(name) or {})
        for name, value in given.items()
        if value is not None
    }
    for name, definition in definitions.items():
        if name not in found:
            found[name] = _default(name, definition)
        elif found[name].kind == "literal":
            _check_literal(name, found[name].value, definition)
        found[name].mode = found[name].mode or _input_mode(definition.get("mode"))
    return found


def _default(name: str, definition: Json) -> Source:
    kind = definition.get("type", "string")
    if definition.get("default") is not None:
        return Source(
            kind="literal" if kind in LITERALS else "uri", value=literal(definition["default"]), type=kind
        )
    if definition.get("optional"):
        return Source(kind="absent", type=kind)
    raise Refusal(400, "UserError", f"the input {name!r} ({kind}) is required and was not given")


def _check_literal(name: str, value: str, definition: Json) -> None:
    """Of the type, among the choices, within the limits that the definition names."""
    kind = definition.get("type", "string")
    try:
        number = float(value) if kind in ("integer", "number") else None
        if kind == "integer":
            int(value)
        elif kind == "boolean" and value.lower() not in ("true", "false"):
            raise ValueError(value)
    except ValueError as cause:
        raise Refusal(
            400, "UserError", f"the input {name!r} should be of type {kind}, not {value!r}"
        ) from cause
    choices, least, most = (definition.get(key) for key in ("enum", "min", "max"))
    if choices and value not in [literal(one) for one in choices]:
        raise Refusal(
            400, "UserError", f"the input {name!r} is {value!r}; it may be {', '.join(map(str, choices))}"
        )
    below = number is not None and least is not None and number < float(least)
    above = number is not None and most is not None and number > float(most)
    if below or above:
        raise Refusal(400, "UserError", f"the input {name!r} is {value}; it may be from {least} to {most}")


def _source(value: Any, definition: Json) -> Source:
    """Camel case at the top of a job, snake case inside it, or a bare value."""
    kind = definition.get("type")
    if not isinstance(value, dict):
        value = {"job_input_type": "literal", "value": value}
    bodies.JOB_INPUT.check(value)
    declared = (
        value.get("job_input_type")
        or value.get("jobInputType")
        or ("uri_folder" if "uri" in value else "literal")
    )
    mode = _input_mode(value.get("mode"))
    if "uri" in value and value["uri"] is not None:
        return Source(kind="uri", value=value["uri"], type=declared, mode=mode)
    text = literal(value.get("value"))
    if kind and kind not in LITERALS and binding(text) is None:
        return Source(kind="uri", value=text, type=kind, mode=mode)  # a path given as a bare string
    return Source(kind="literal", value=text, type=kind or "string", mode=mode)


def literal(value: Any) -> str:
    """As the service writes literals: everything is a string."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def bound(given: Json, definitions: Json, scope: Scope) -> dict[str, Source]:
    """A step's inputs, followed to where they come from."""
    found: dict[str, Source] = {}
    for name, value in given.items():
        if value is not None:
            found[name] = _followed(
                name, _source(value, definitions.get(name) or {}), definitions.get(name) or {}, scope
            )
    for name, definition in definitions.items():
        if name not in found or found[name].kind == "absent":
            found[name] = _default(name, definition)
        elif found[name].kind == "literal":
            _check_literal(name, found[name].value, definition)
        found[name].mode = found[name].mode or _input_mode(definition.get("mode"))
    return found


def _followed(name: str, source: Source, definition: Json, scope: Scope) -> Source:
    if source.kind != "literal":
        return source
    kind = definition.get("type", source.type)
    points_at = binding(source.value)
    if points_at is None:
        literals = {key: one.value for key, one in scope.inputs.items() if one.kind == "literal"}
        return Source(kind="literal", value=with_inputs(source.value, literals), type=kind, mode=source.mode)
    if points_at.where == "jobs":
        return Source(
            kind="step",
            value=scope.prefix + points_at.name,
            output=points_at.output,
            type=kind,
            mode=source.mode,
        )
    outer = scope.inputs.get(points_at.name)
    if outer is None:
        raise Refusal(
            400,
            "UserError",
            f"the input {name!r} is bound to {source.value}, which the pipeline does not have",
        )
    mode = source.mode or outer.mode
    return Source(
        kind=outer.kind,
        value=outer.value,
        type=outer.type if outer.kind == "uri" else kind,
        mode=mode,
        output=outer.output,
    )


def target(given: Any) -> Target:
    """A job's or a step's output as given, in either case."""
    if not isinstance(given, dict):
        return Target()
    bodies.JOB_OUTPUT.check(given)
    asset, version = (
        given.get("assetName") or given.get("name"),
        given.get("assetVersion") or given.get("version"),
    )
    return Target(
        type=given.get("jobOutputType") or given.get("job_output_type") or given.get("type") or "uri_folder",
        uri=given.get("uri"),
        mode=_output_mode(given.get("mode")),
        asset=asset,
        asset_version=str(version) if version else None,
    )


def _output_mode(given: Any) -> str:
    """`direct`, or `copy`: whether mounted or uploaded, an output is sent when its step has ended."""
    plain = str(given or "").lower().replace("_", "")
    if plain not in ("", "readwritemount", "rwmount", "upload", "direct"):
        raise Refusal(400, "UserError", f"an output of mode {given!r}: rw_mount, upload or direct")
    return "direct" if plain == "direct" else plain and "copy"


def _input_mode(given: Any) -> str:
    """`direct`, or `copy`: whether mounted or downloaded, an input is here before its step begins."""
    plain = str(given or "").lower().replace("_", "")
    if plain in ("evalmount", "evaldownload", "readwritemount", "rwmount"):
        raise Refusal(
            501, "NotImplemented", f"an input of mode {given!r}: ro_mount, download and direct are emulated"
        )
    return "direct" if plain == "direct" else plain and "copy"


def _points_at(given: Any) -> Binding | None:
    value = given.get("value") if isinstance(given, dict) else given
    return binding(value) if isinstance(value, str) else None


def target_of(node: Json, spec: Json, key: str, scope: Scope) -> Target:
    """The step's own, or the pipeline's when it is bound to one; the component says the type."""
    given = (node.get("outputs") or {}).get(key)
    definition = (spec.get("outputs") or {}).get(key) or {}
    declared, mode = definition.get("type", "uri_folder"), _output_mode(definition.get("mode"))
    points_at = _points_at(given)
    if points_at and points_at.where == "outputs":
        outer = scope.outputs.get(points_at.name) or Target()
        return Target(
            type=declared,
            uri=outer.uri,
            mode=outer.mode or mode,
            asset=outer.asset,
            asset_version=outer.asset_version,
            job_output=outer.job_output,
        )
    own = target(given)
    own.type, own.mode = declared, own.mode or mode
    return own


def makers(nodes: Json, scope: Scope) -> dict[str, tuple[str, str]]:
    """Which step makes each output of a nested pipeline."""
    found: dict[str, tuple[str, str]] = {}
    for name, node in nodes.items():
        for output, given in (node.get("outputs") or {}).items():
            points_at = _points_at(given)
            if points_at and points_at.where == "outputs":
                step = f"{scope.prefix}{name}"
                found[points_at.name] = scope.made_by.get(f"{step}/{output}", (step, output))
    return found
