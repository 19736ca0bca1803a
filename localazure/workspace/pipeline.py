"""From a job's body to a plan: components looked up, inputs bound, nested pipelines laid flat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from localazure.workspace.expressions import Binding, binding, with_inputs
from localazure.workspace.plan import LITERALS, Plan, Source, Step, Target
from localazure.workspace.store import Store
from localazure.workspace.wire import Json, Refusal, not_found

_VERSIONED = re.compile(
    r".*/(?P<kind>components|environments|codes)/(?P<name>[^/]+)/(?:versions|labels)/(?P<version>[^/]+)", re.I
)
_SHORT = re.compile(r"(?P<name>[^:@/]+)[:@](?P<version>[^:@/]+)")


@dataclass(kw_only=True)
class _Scope:
    """A pipeline being laid flat: what its inputs are, where its outputs go, how its steps are called."""

    inputs: dict[str, Source]
    outputs: dict[str, Target]
    prefix: str = ""
    made_by: dict[str, tuple[str, str]] = field(default_factory=dict)


class Planner:
    """Reads components from the store; changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pipeline(self, properties: Json, definitions: Json | None = None) -> Plan:
        """Of a pipeline job's properties; `definitions` are its component's inputs, when it has one."""
        inputs = sources(properties.get("inputs") or {}, definitions or {})
        outputs = {name: target(given) for name, given in (properties.get("outputs") or {}).items()}
        for name, one in outputs.items():
            one.job_output = name
        settings = properties.get("settings") or {}
        steps = self._flat(properties.get("jobs") or {}, _Scope(inputs=inputs, outputs=outputs))
        if not steps:
            raise Refusal(400, "UserError", "the pipeline has no steps")
        return Plan(steps=_ordered(steps), continue_on_failure=bool(settings.get("continue_on_step_failure")))

    def command(self, properties: Json, name: str) -> Plan:
        """Of a command job's properties: one step, which is the job."""
        outputs = {key: target(given) for key, given in (properties.get("outputs") or {}).items()}
        for key, one in outputs.items():
            one.job_output = key
        step = Step(
            name=name,
            display=properties.get("displayName") or name,
            command=properties.get("command") or "",
            code=properties.get("codeId"),
            environment=properties.get("environmentId"),
            variables=properties.get("environmentVariables") or {},
            inputs=sources(properties.get("inputs") or {}, {}),
            outputs=outputs,
        )
        return Plan(steps=[step], alone=True)

    def component(self, reference: str) -> Json:
        """The specification of a component, by id."""
        found = self.versioned("components", reference)
        spec: Json = found["properties"]["componentSpec"]
        return spec

    def versioned(self, kind: str, reference: str) -> Json:
        """An asset's version document by ARM id, `name:version` or `name@latest`."""
        text = reference.removeprefix("azureml:")
        found = _VERSIONED.fullmatch(text) or _SHORT.fullmatch(text)
        name, version = (found["name"], found["version"]) if found else (text, "latest")
        if version == "latest":
            newest = self._store.all(f"{kind}/versions", family=name, newest_first=True)
            document = newest[0] if newest else None
        else:
            document = self._store.get(f"{kind}/versions", f"{name}:{version}")
        if document is None:
            raise not_found(kind, f"{name}:{version}")
        return document

    def _flat(self, nodes: Json, scope: _Scope) -> list[Step]:
        steps: list[Step] = []
        for name, node in nodes.items():
            kind = node.get("type", "command")
            if kind == "pipeline":
                steps += self._nested(name, node, scope)
            elif kind == "command":
                steps.append(self._step(name, node, scope))
            else:
                raise Refusal(
                    501,
                    "NotImplemented",
                    f"step {name!r} is of type {kind!r}; command and pipeline are emulated",
                )
        for step in steps:
            for source in step.inputs.values():
                made = scope.made_by.get(f"{source.value}/{source.output}") if source.kind == "step" else None
                if made:
                    source.value, source.output = made
        return steps

    def _nested(self, name: str, node: Json, scope: _Scope) -> list[Step]:
        spec = self.component(node["componentId"])
        inner = _Scope(
            inputs=_bound(node.get("inputs") or {}, spec.get("inputs") or {}, scope),
            outputs={key: _target_of(node, spec, key, scope) for key in spec.get("outputs") or {}},
            prefix=f"{scope.prefix}{name}.",
        )
        steps = self._flat(spec.get("jobs") or {}, inner)
        for key, maker in _makers(spec.get("jobs") or {}, inner).items():
            scope.made_by[f"{scope.prefix}{name}/{key}"] = maker
        return steps

    def _step(self, name: str, node: Json, scope: _Scope) -> Step:
        spec = self.component(node["componentId"]) if node.get("componentId") else node
        variables = (spec.get("environment_variables") or {}) | (node.get("environment_variables") or {})
        return Step(
            name=f"{scope.prefix}{name}",
            display=node.get("display_name") or name,
            command=spec.get("command") or "",
            code=spec.get("code"),
            environment=node.get("environment") or spec.get("environment"),
            variables={key: str(value) for key, value in variables.items()},
            inputs=_bound(node.get("inputs") or {}, spec.get("inputs") or {}, scope),
            outputs={key: _target_of(node, spec, key, scope) for key in spec.get("outputs") or {}},
        )


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
    kind = definition.get("type", "string")
    try:
        if kind == "integer":
            int(value)
        elif kind == "number":
            float(value)
        elif kind == "boolean" and value.lower() not in ("true", "false"):
            raise ValueError(value)
    except ValueError as cause:
        raise Refusal(
            400, "UserError", f"the input {name!r} should be of type {kind}, not {value!r}"
        ) from cause


def _source(value: Any, definition: Json) -> Source:
    """Camel case at the top of a job, snake case inside it, or a bare value."""
    kind = definition.get("type")
    if not isinstance(value, dict):
        value = {"job_input_type": "literal", "value": value}
    declared = (
        value.get("job_input_type")
        or value.get("jobInputType")
        or ("uri_folder" if "uri" in value else "literal")
    )
    mode = str(value.get("mode") or "")
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


def _bound(given: Json, definitions: Json, scope: _Scope) -> dict[str, Source]:
    """A step's inputs, followed to where they come from."""
    bound: dict[str, Source] = {}
    for name, value in given.items():
        if value is not None:
            bound[name] = _followed(
                name, _source(value, definitions.get(name) or {}), definitions.get(name) or {}, scope
            )
    for name, definition in definitions.items():
        if name not in bound or bound[name].kind == "absent":
            bound[name] = _default(name, definition)
    return bound


def _followed(name: str, source: Source, definition: Json, scope: _Scope) -> Source:
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
    asset, version = (
        given.get("assetName") or given.get("name"),
        given.get("assetVersion") or given.get("version"),
    )
    return Target(
        type=given.get("jobOutputType") or given.get("job_output_type") or given.get("type") or "uri_folder",
        uri=given.get("uri"),
        asset=asset,
        asset_version=str(version) if version else None,
    )


def _points_at(given: Any) -> Binding | None:
    value = given.get("value") if isinstance(given, dict) else given
    return binding(value) if isinstance(value, str) else None


def _target_of(node: Json, spec: Json, key: str, scope: _Scope) -> Target:
    """The step's own, or the pipeline's when it is bound to one; the component says the type."""
    given = (node.get("outputs") or {}).get(key)
    declared = ((spec.get("outputs") or {}).get(key) or {}).get("type", "uri_folder")
    points_at = _points_at(given)
    if points_at and points_at.where == "outputs":
        outer = scope.outputs.get(points_at.name) or Target()
        return Target(
            type=declared,
            uri=outer.uri,
            asset=outer.asset,
            asset_version=outer.asset_version,
            job_output=outer.job_output,
        )
    own = target(given)
    own.type = declared
    return own


def _makers(nodes: Json, scope: _Scope) -> dict[str, tuple[str, str]]:
    """Which step makes each output of a nested pipeline."""
    makers: dict[str, tuple[str, str]] = {}
    for name, node in nodes.items():
        for output, given in (node.get("outputs") or {}).items():
            points_at = _points_at(given)
            if points_at and points_at.where == "outputs":
                step = f"{scope.prefix}{name}"
                makers[points_at.name] = scope.made_by.get(f"{step}/{output}", (step, output))
    return makers


def _ordered(steps: list[Step]) -> list[Step]:
    """Each after those it reads from."""
    names, done, ordered = {step.name for step in steps}, set[str](), list[Step]()
    for step in steps:
        if missing := step.after - names:
            raise Refusal(
                400, "UserError", f"step {step.name!r} reads from {', '.join(sorted(missing))}: no such step"
            )
    while len(ordered) < len(steps):
        ready = [step for step in steps if step.name not in done and step.after <= done]
        if not ready:
            raise Refusal(400, "UserError", "the steps wait for each other in a circle")
        ordered += ready
        done |= {step.name for step in ready}
    return ordered
