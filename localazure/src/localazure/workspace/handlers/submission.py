"""A new job: its name claimed, its plan made, its runs registered, its work begun."""

from __future__ import annotations

from localazure.workspace.engine.engine import register_runs
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.planning.plan import Plan
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
    """By the job's type."""
    planner = Planner(workspace.store)
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
