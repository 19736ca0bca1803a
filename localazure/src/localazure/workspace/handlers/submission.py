"""A new job: its name claimed, its plan made, its runs registered, its work begun."""

from __future__ import annotations

from localazure.workspace.engine.engine import register_runs
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.planning.plan import Plan
from localazure.workspace.store.uris import UnknownPath
from localazure.workspace.wire.calls import Json, Refusal, checked_name
from localazure.workspace.wire.resources import stamp
from localazure.workspace.workspace import Workspace


def submit(workspace: Workspace, name: str, properties: Json, plan: Plan, **more: object) -> Json | None:
    """The job's document; None when the name is taken, and then nothing runs a second time."""
    job: Json = {
        "name": checked_name(name, "job"),
        "properties": properties,
        "tags": {key: str(value) for key, value in (properties.get("tags") or {}).items()},
        "plan": plan.to_json(),
        "made": stamp(),
        **more,
    }
    if not workspace.store.add("jobs", name, job):
        return None
    register_runs(workspace.runs, job, plan)
    workspace.engine.submit(name)
    return job


def plan_for(workspace: Workspace, name: str, properties: Json) -> Plan:
    """By the job's type; every environment, code and asset that it names is there. raises: Refusal"""
    plan = _plan(Planner(workspace.store), name, properties)
    check_names(workspace, plan)
    return plan


def check_names(workspace: Workspace, plan: Plan) -> None:
    """Raises Refusal for the first environment, code or data or model asset that a step names and nobody made."""
    planner = Planner(workspace.store)
    for step in plan.steps:
        try:
            if step.environment:
                planner.environment(step.environment)
            if step.code:
                planner.versioned("codes", step.code)
            for source in step.inputs.values():
                if source.kind == "uri":
                    workspace.resolver.asset(source.value)
        except (Refusal, UnknownPath) as cause:
            raise Refusal(400, "UserError", f"step {step.name!r}: {cause}") from cause


def _plan(planner: Planner, name: str, properties: Json) -> Plan:
    kind = properties.get("jobType")
    if kind == "Pipeline":
        return planner.pipeline(properties)
    if kind == "Command":
        return planner.command(properties, name)
    if kind == "AutoML":
        return planner.automl(properties, name)
    raise Refusal(
        501, "NotImplemented", f"jobs of type {kind!r} are not emulated; Pipeline, Command and AutoML are"
    )
