"""From a job's body to a plan: components looked up, inputs bound, nested pipelines laid flat."""

from __future__ import annotations

import re

from localazure.workspace import bodies, curated
from localazure.workspace.planning.automl import automl_job, automl_step
from localazure.workspace.planning.bindings import Scope, bound, makers, sources, target, target_of
from localazure.workspace.planning.plan import Plan, Step
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Json, Refusal, not_found
from localazure.workspace.wire.timestamps import seconds_of

_VERSIONED = re.compile(
    r".*/(?P<kind>components|environments|codes)/(?P<name>[^/]+)/(?:versions|labels)/(?P<version>[^/]+)", re.I
)
_SHORT = re.compile(r"(?P<name>[^:@/]+)[:@](?P<version>[^:@/]+)")


class Planner:
    """Reads components from the store; changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pipeline(self, properties: Json, definitions: Json | None = None) -> Plan:
        """Of a pipeline job's properties; `definitions` are its component's inputs, when it has one."""
        bodies.PIPELINE_JOB.check(properties)
        nodes = properties.get("jobs") or {}
        if properties.get("componentId"):
            spec = self._pipeline_component(properties["componentId"])
            nodes, definitions = nodes or spec.get("jobs") or {}, spec.get("inputs") or {}
        inputs = sources(properties.get("inputs") or {}, definitions or {})
        outputs = {name: target(given) for name, given in (properties.get("outputs") or {}).items()}
        for name, one in outputs.items():
            one.job_output = name
        settings = properties.get("settings") or {}
        bodies.PIPELINE_SETTINGS.check(settings)
        steps = self._flat(nodes, Scope(inputs=inputs, outputs=outputs))
        if not steps:
            raise Refusal(400, "UserError", "the pipeline has no steps")
        return Plan(
            steps=_ordered(steps),
            continue_on_failure=bool(settings.get("continue_on_step_failure")),
            datastore=str(settings.get("default_datastore") or "").rpartition("/")[2].rpartition(":")[2]
            or None,
        )

    def command(self, properties: Json, name: str) -> Plan:
        """Of a command job's properties: one step, which is the job."""
        bodies.COMMAND_JOB.check(properties)
        bodies.check_resources(properties.get("resources"))
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
            timeout_seconds=_timeout(properties.get("limits") or {}),
        )
        return Plan(steps=[step], alone=True)

    def automl(self, properties: Json, name: str) -> Plan:
        """Of an AutoML job's properties: one step, which is the job."""
        return Plan(steps=[automl_job(properties, name)], alone=True)

    def component(self, reference: str) -> Json:
        """The specification of a component, by id."""
        found = self.versioned("components", reference)
        spec: Json = found["properties"]["componentSpec"]
        return spec

    def environment(self, reference: str) -> str | None:
        """The conda file of an environment, of this workspace or of a registry; None when it has none. raises: Refusal"""
        try:
            standin = curated.conda_file(reference)
        except curated.NotHere as cause:
            raise Refusal(400, "UserError", str(cause)) from cause
        if standin is not None:
            return standin
        conda: str | None = self.versioned("environments", reference)["properties"].get("condaFile")
        return conda

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

    def _flat(self, nodes: Json, scope: Scope) -> list[Step]:
        steps: list[Step] = []
        for name, node in nodes.items():
            kind = node.get("type", "command")
            if kind == "pipeline":
                steps += self._nested(name, node, scope)
            elif kind == "command":
                steps.append(self._step(name, node, scope))
            elif kind == "automl":
                steps.append(automl_step(name, node, scope))
            else:
                raise Refusal(
                    501,
                    "NotImplemented",
                    f"step {name!r} is of type {kind!r}; command, pipeline and automl are emulated",
                )
        for step in steps:
            for source in step.inputs.values():
                made = scope.made_by.get(f"{source.value}/{source.output}") if source.kind == "step" else None
                if made:
                    source.value, source.output = made
        return steps

    def _pipeline_component(self, reference: str) -> Json:
        spec = self.component(reference)
        bodies.PIPELINE_SPEC.check(spec)
        bodies.PIPELINE_SETTINGS.check(spec.get("settings") or {})
        return spec

    def _nested(self, name: str, node: Json, scope: Scope) -> list[Step]:
        bodies.PIPELINE_NODE.check(node)
        if not node.get("componentId"):
            raise Refusal(400, "UserError", f"step {name!r} names no component")
        spec = self._pipeline_component(node["componentId"])
        inner = Scope(
            inputs=bound(node.get("inputs") or {}, spec.get("inputs") or {}, scope),
            outputs={key: target_of(node, spec, key, scope) for key in spec.get("outputs") or {}},
            prefix=f"{scope.prefix}{name}.",
        )
        steps = self._flat(spec.get("jobs") or {}, inner)
        for key, maker in makers(spec.get("jobs") or {}, inner).items():
            scope.made_by[f"{scope.prefix}{name}/{key}"] = maker
        return steps

    def _step(self, name: str, node: Json, scope: Scope) -> Step:
        bodies.COMMAND_NODE.check(node)
        spec = self.component(node["componentId"]) if node.get("componentId") else node
        if spec.get("type", "command") != "command":
            raise Refusal(
                501, "NotImplemented", f"step {name!r}: components of type {spec['type']!r} do not run here"
            )
        if spec is not node:
            bodies.COMMAND_SPEC.check(spec)
        for of in (spec, node):
            bodies.check_resources(of.get("resources"))
        variables = (spec.get("environment_variables") or {}) | (node.get("environment_variables") or {})
        return Step(
            name=f"{scope.prefix}{name}",
            display=node.get("display_name") or name,
            component=node.get("componentId"),
            module=spec.get("name") or name,
            command=spec.get("command") or "",
            code=spec.get("code"),
            environment=node.get("environment") or spec.get("environment"),
            variables={key: str(value) for key, value in variables.items()},
            inputs=bound(node.get("inputs") or {}, spec.get("inputs") or {}, scope),
            outputs={key: target_of(node, spec, key, scope) for key in spec.get("outputs") or {}},
            timeout_seconds=_timeout(node.get("limits") or spec.get("limits") or {}),
        )


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


def _timeout(limits: Json) -> float | None:
    """A step's or a job's own limit: seconds inside a pipeline, an ISO duration at the top of a job."""
    given = limits.get("timeout")
    if given in (None, ""):
        return None
    return float(given) if isinstance(given, int | float) else seconds_of(str(given))
