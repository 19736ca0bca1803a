"""The control API: orders to this workspace that Azure has no words for. Needs no token."""

from __future__ import annotations

from localazure.strict import NoSuchUnkindness
from localazure.workspace.handlers import datastores, schedules
from localazure.workspace.wire.calls import Call, Refusal, Reply, listing
from localazure.workspace.workspace import Workspace


def list_faults(workspace: Workspace, call: Call) -> Reply:
    return listing([fault.told() for fault in workspace.faults.all()])


def add_fault(workspace: Workspace, call: Call) -> Reply:
    """Calls that fit go wrong from now on, as often as asked (`times`; null: until it is removed)."""
    return Reply(status=201, body=workspace.faults.add(call.json()).told())


def remove_fault(workspace: Workspace, call: Call) -> Reply:
    number = call.names["fault"]
    return Reply(status=200 if number.isdecimal() and workspace.faults.remove(int(number)) else 404)


def remove_faults(workspace: Workspace, call: Call) -> Reply:
    workspace.faults.clear()
    return Reply()


def get_transitions(workspace: Workspace, call: Call) -> Reply:
    return Reply(body={"rules": workspace.transitions.rules()})


def put_transitions(workspace: Workspace, call: Call) -> Reply:
    """How runs go from state to state; in place of the rules there were."""
    workspace.transitions.set_rules(call.json().get("rules"))
    return get_transitions(workspace, call)


def get_run(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=workspace.transitions.told(workspace.runs.get(call.names["run"])))


def move_run(workspace: Workspace, call: Call) -> Reply:
    """Lets a run that is held go one state on, on to `to`, or into failure (`fail`)."""
    given = call.json()
    run = workspace.runs.get(call.names["run"])
    workspace.transitions.move(run, to=given.get("to"), fail=given.get("fail"))
    return Reply(body=workspace.transitions.told(run))


def get_operations(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=workspace.operations.settings())


def put_operations(workspace: Workspace, call: Call) -> Reply:
    """Whether long-running operations answer at once, take their time, or are as long as what they do."""
    given = call.json()
    workspace.operations.set(str(given.get("mode", "natural")), float(given.get("seconds", 1)))
    return get_operations(workspace, call)


def get_strict(workspace: Workspace, call: Call) -> Reply:
    return Reply(body={"unkindnesses": workspace.strict.names()})


def put_strict(workspace: Workspace, call: Call) -> Reply:
    """In what to be as unkind as Azure, by the names of the table, or `all`; in place of what was on."""
    names = call.json().get("unkindnesses")
    if not isinstance(names, list):
        raise Refusal(400, "BadRequest", "`unkindnesses` is a list of names")
    try:
        workspace.strict.set(str(name) for name in names)
    except NoSuchUnkindness as problem:
        raise Refusal(400, "BadRequest", str(problem)) from problem
    return get_strict(workspace, call)


def get_clock(workspace: Workspace, call: Call) -> Reply:
    return Reply(body={"now": workspace.clock.now().isoformat()})


def move_clock(workspace: Workspace, call: Call) -> Reply:
    """Puts the schedules' clock forward; what became due in between fires once."""
    seconds = call.json().get("forwardSeconds")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise Refusal(400, "BadRequest", "`forwardSeconds` is a number from 0: schedules have no way back")
    workspace.clock.forward(seconds)
    return get_clock(workspace, call)


def schedule_history(workspace: Workspace, call: Call) -> Reply:
    return schedules.history(workspace, call)


def calls(workspace: Workspace, call: Call) -> Reply:
    """How often each route was called since the start."""
    return Reply(body=dict(workspace.calls))


def reset(workspace: Workspace, call: Call) -> Reply:
    """Everything asked for here is forgotten; with `documents`, all that is in the workspace as well."""
    workspace.faults.clear()
    workspace.transitions.set_rules([])
    workspace.operations.set("natural", 1)
    workspace.strict.reset()
    workspace.clock.reset()
    workspace.timetable.reckon_anew()
    if call.json().get("documents"):
        workspace.wipe()
        datastores.prepare(workspace)
    return Reply()
