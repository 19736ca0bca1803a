"""Schedules over ARM: made, changed, enabled, triggered by hand, deleted; and what a schedule starts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from localazure.workspace import bodies
from localazure.workspace.handlers.submission import plan_for, submit
from localazure.workspace.scheduling.timetable import SCHEDULES, moment, remember, set_next, text
from localazure.workspace.scheduling.triggers import Trigger, trigger_of
from localazure.workspace.wire.calls import (
    Call,
    Json,
    Refusal,
    Reply,
    checked_name,
    listing,
    not_found,
)
from localazure.workspace.wire.resources import resource, stamp
from localazure.workspace.workspace import Workspace

_TRIGGER_TIME = "${{creation_context.trigger_time}}"


def list_all(workspace: Workspace, call: Call) -> Reply:
    view = call.query.get("listViewType") or "EnabledOnly"
    shown = {"all": (True, False), "enabledonly": (True,), "disabledonly": (False,)}.get(view.lower())
    if shown is None:
        raise Refusal(400, "UserError", f"listViewType {view!r}: EnabledOnly, DisabledOnly or All")
    wanted = [one for one in workspace.store.all(SCHEDULES) if one["enabled"] in shown]
    return listing([_told(workspace, one) for one in wanted])


def get(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=_told(workspace, _find(workspace, call.names["name"])))


def put(workspace: Workspace, call: Call) -> Reply:
    """Checked before anything is kept, the trigger always, the job where it is new or enabled; a schedule that is new
    may fire at once."""
    name = checked_name(call.names["name"], "schedule")
    properties = call.json().get("properties") or {}
    bodies.SCHEDULE.check(properties)
    now, before = workspace.clock.now(), workspace.store.get(SCHEDULES, name)
    enabled, action = properties.get("isEnabled") is not False, properties.get("action") or {}
    _check_kind(action)
    if enabled or before is None:  # what it starts may be gone by now: it can be disabled all the same
        plan_for(workspace, name, _definition(workspace, action))
    trigger = _trigger(properties.get("trigger") or {}, before, now)
    document: Json = {
        "name": name,
        "properties": properties,
        "enabled": enabled,
        "begun": text(now) if before is None else before["begun"],
        "history": [] if before is None else before["history"],
        "made": stamp((before or {}).get("made")),
    }
    set_next(document, now)
    if before is None and trigger.at_once:
        document["next"] = text(now)
    new = workspace.store.put(SCHEDULES, name, document)
    workspace.clock.stir()
    return Reply(status=201 if new else 200, body=_told(workspace, document))


def delete(workspace: Workspace, call: Call) -> Reply:
    """Azure asks that a schedule be disabled first."""
    name = call.names["name"]
    found = workspace.store.get(SCHEDULES, name)
    if found and found["enabled"]:
        raise Refusal(400, "UserError", f"the schedule {name} is enabled; disable it before you delete it")
    return Reply(status=200 if workspace.store.remove(SCHEDULES, name) else 204)


def trigger(workspace: Workspace, call: Call) -> Reply:
    """Starts the schedule's job now, whatever its trigger says; the schedule's next time stays."""
    schedule, now = _find(workspace, call.names["name"]), workspace.clock.now()
    job = fire(workspace, schedule, now, by_hand=True)
    entry = {"scheduledTime": text(now), "job": job, "problem": None, "byHand": True}
    workspace.store.change(SCHEDULES, schedule["name"], lambda one: remember(one, entry))
    return Reply(body={"submissionId": job, "scheduleActionType": "CreateJob"})


def history(workspace: Workspace, call: Call) -> Reply:
    """When the schedule fired and which jobs it started, newest first; Azure shows this in its studio only."""
    schedule = _find(workspace, call.names["name"])
    return Reply(
        body={"next": schedule["next"] if schedule["enabled"] else None, "value": schedule["history"][::-1]}
    )


def fire(workspace: Workspace, schedule: Json, due: datetime, *, by_hand: bool = False) -> str:
    """The job's name says for when it is, so that the same instant starts one job, however often it is tried."""
    name = f"{schedule['name']}-{due:%Y%m%dT%H%M%SZ}"
    if by_hand:
        name += f"-{due.microsecond:06d}"  # twice within a second is two jobs
    definition = _definition(workspace, schedule["properties"]["action"])
    definition = json.loads(json.dumps(definition).replace(_TRIGGER_TIME, f"{due:%Y-%m-%d %H:%M:%S}"))
    definition |= {"displayName": f"{schedule['name']}-{due:%Y%m%dT%H%M%SZ}"}
    plan = plan_for(workspace, name, definition)
    submit(workspace, name, definition, plan, schedule=schedule["name"])
    return name


def _trigger(given: Json, before: Json | None, now: datetime) -> Trigger:
    """One that did not change may be over by now: its schedule can be disabled, and then deleted, all the same."""
    if before is not None:
        begun = moment(before["begun"])
        kept = trigger_of(before["properties"]["trigger"], made=begun)
        if trigger_of(given, made=begun) == kept:
            return kept
    return trigger_of(given, made=now)


def _check_kind(action: Json) -> None:
    kind = action.get("actionType")
    if kind != "CreateJob":
        raise Refusal(501, "NotImplemented", f"schedules of type {kind!r} are not emulated; CreateJob is")


def _definition(workspace: Workspace, action: Json) -> Json:
    """The job to start: as given, or an earlier one with what is given put over it, input by input."""
    given: Json = action.get("jobDefinition") or {}
    source = given.get("sourceJobId")
    if not source:
        return dict(given)
    earlier = workspace.store.get("jobs", str(source).rpartition("/")[2])
    if earlier is None:
        raise Refusal(400, "UserError", f"sourceJobId {source!r}: there is no such job")
    over = {key: value for key, value in given.items() if value not in (None, "", {}, False)}
    properties: Json = earlier["properties"]
    return {name: _put_over(properties.get(name), over.get(name)) for name in properties | over}


def _put_over(before: Any, value: Any) -> Any:
    """Of what has names, inputs for instance, each that is not given again stays as it was."""
    if isinstance(before, dict) and isinstance(value, dict):
        return before | {name: one for name, one in value.items() if one is not None}
    return before if value is None else value


def _find(workspace: Workspace, name: str) -> Json:
    found = workspace.store.get(SCHEDULES, name)
    if found is None:
        raise not_found("schedule", name)
    return found


def _told(workspace: Workspace, one: Json) -> Json:
    properties = one["properties"] | {"isEnabled": one["enabled"], "provisioningState": "Succeeded"}
    return resource(workspace.settings, f"{SCHEDULES}/{one['name']}", SCHEDULES, properties, one["made"])
