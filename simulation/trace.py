"""The trace of a run as data: at each choice point who was at what, what could have become of it, and what changed.

    traced(scenario, seed, deviations) -> {"replay", "lights", "begins", "options", "steps": [...]}

The same schedule gives the same trace wherever it runs: `./dev simulate --replay SCHEDULE --trace` prints it, and the
playground draws it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from simulation.choices import Deviations, Point
from simulation.host import Host, Message
from simulation.oracles import ORACLES, records
from simulation.runs import Result, run
from simulation.scenarios import Scenario
from simulation.shrink import in_words
from simulation.world import Clock, RunEnds, World

State = dict[str, dict[str, Any]]
"""By part of the world (`PARTS`), by name: what stands there."""
PARTS = ("records", "submissions", "messages", "facts", "leases", "runs", "traffic", "files", "instances")
OF_EVENTS = {"blob-events": "UploadArrived", "run-events": "RunMoved"}
"""By queue of events, the fact that its messages come to."""
SLOT = "doc-slot--"
"""Where a dataset's submission is noted: intended, then submitted."""
THOROUGH = ("I8 again, nothing", "I9 nothing of a row in a log")
WHERE = {
    "past": "the ledger",
    "present": "the ledger",
    "files": "the files",
    "workspace": "the workspace",
    "endpoint": "the model",
    "subscriber": "the subscriber",
    "channel": "the channel to people",
    "queue": "the queue",
    "pipeline": "the training pipeline",
    "scoring_pipeline": "the scoring pipeline",
    "experiment_pipeline": "the search pipeline",
}
VERBS = {
    "get": "reads a row of", "rows": "reads rows of", "insert": "adds a row to", "replace": "changes a row of",
    "commit": "writes rows at once to", "delete": "deletes a row of",
    "read": "reads a piece from", "content": "reads from", "stat": "looks for a file among", "list": "lists",
    "write": "writes to", "create": "writes, if nothing is there, to",
    "write_once": "writes, if nothing is there, to", "stage": "stages a block in",
    "seal": "seals blocks in", "send_message": "sends a message through", "submit": "submits a run to",
    "find": "looks for a run of", "run": "looks at a run of", "runs": "lists the runs of",
    "register_dataset": "registers a dataset version in", "cancel_run": "cancels a run in",
    "model_folders": "looks for models in", "model_documents": "reads what is said of a model in",
    "learned_rows": "reads what a model learned from in",
    "deployment_state": "looks at a deployment in", "deployments": "lists the deployments of",
    "begin_deployment": "begins a deployment in", "delete_deployment": "deletes a deployment from",
    "traffic": "reads the traffic of", "set_traffic": "sets the traffic of", "score": "asks", "deliver": "tells",
    "send": "tells",
    "handshake": "greets",
}  # fmt: skip


def traced(scenario: Scenario, seed: int, deviations: Deviations) -> dict[str, Any]:
    """The run of a schedule, step by step, and what the oracles say of it; all of it may be written as JSON."""
    watched = _Watched()
    run(scenario, seed, deviations, watch=watched.begin)
    watched.over()
    judged = run(scenario, seed, deviations, thorough=True)
    chosen = {one.at: one.option for one in judged.taken}
    return {
        "scenario": scenario.name,
        "says": scenario.says,
        "seed": seed,
        "instances": watched.world.instances,
        "replay": judged.replay,
        "inWords": in_words(judged),
        "lights": lights(judged),
        "begins": watched.begins,
        "options": watched.options,
        "steps": [{**step, "chosen": chosen.get(step["at"], 0)} for step in watched.steps],
    }


def lights(result: Result) -> list[dict[str, Any]]:
    """By oracle, what it has to say against the run."""
    found: dict[str, list[str]] = {name: [] for name in (*ORACLES, *THOROUGH, "outcome")}
    for violation in result.violations:
        name, _, says = violation.partition(": ")
        found.setdefault(name, []).append(says)
    return [{"name": name, "violations": says} for name, says in found.items()]


@dataclass
class _Watched:
    """Looks at a world whenever it comes to a choice point. It stands where the world notes its points."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    """By kind of choice point, the ways to go there, from 1 on."""
    begins: State = field(default_factory=dict)
    _state: State = field(default_factory=dict)
    _arriving: Message | None = None

    def begin(self, world: World) -> None:
        self.world = world
        world.choices.noted = self  # type: ignore[assignment]
        arrive = world.host.arrive

        def arriving(message: Message) -> None:
            self._arriving = message
            arrive(message)
            self._arriving = None

        world.host.arrive = arriving  # type: ignore[method-assign]

    def append(self, point: Point) -> None:
        """Called right before the choice is made."""
        self._note_changes()
        choices, scheduler = self.world.choices, self.world.scheduler
        self.options.setdefault(point.label, [option.name for option in point.options])
        task = scheduler.current
        instance = None if task is None else task.owner.number
        fact = handled(self.world.host, task) if task else fact_of(self._arriving) if self._arriving else ""
        step = {
            "at": choices.passed,
            "clock": scheduler.clock,
            "instance": instance,
            "fact": fact,
            "point": point.label,
            "says": says(point.label, instance, fact),
        }
        self.steps.append(step)

    def over(self) -> None:
        """Nothing is due any more."""
        self._note_changes()

    def _note_changes(self) -> None:
        """What changed since the last step is what that step did."""
        before, self._state = self._state, state(self.world, self._arriving)
        if self.steps:
            self.steps[-1]["changes"] = _difference(before, self._state)
        else:
            self.begins = self._state


def _difference(before: State, after: State) -> dict[str, dict[str, Any]]:
    """By part and name what stands there now; None where nothing does any more."""
    found: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        old, new = before[part], after[part]
        if old != new:
            changed = {name: value for name, value in new.items() if old.get(name) != value}
            found[part] = changed | {name: None for name in old if name not in new}
    return found


def says(label: str, instance: int | None, fact: str) -> str:
    """A choice point in words."""
    where, _, verb = label.partition(".")
    if label == "next task:":
        return "Two are ready: who goes first?"
    if verb:
        does = VERBS.get(verb, f"calls {verb} of")
        return f"Instance {_letter(instance)} {does} {WHERE.get(where, where)}"
    if label.endswith(": delivery"):
        return f"A message arrives: {fact or 'one that nobody can read'}"
    return f"Instance {_letter(instance)} is done with {fact or 'the message'}, which is about to be deleted"


def _letter(instance: int | None) -> str:
    return "" if instance is None else chr(ord("A") + instance)


def fact_of(message: Message) -> str:
    """The name of the fact that a message tells; empty when nobody can read it."""
    return message.about or OF_EVENTS.get(message.queue, "")


def handled(host: Host, task: Any) -> str:
    """The fact that a task is at."""
    for _, at, message in host._held:
        if at is task:
            return fact_of(message)
    return "ReconcileDue" if task.name == "clock" else ""


def state(world: World, arriving: Message | None = None) -> State:
    """What there is now, part by part. arriving: a message that is about to be handed over"""
    pending = {number: event for number, (_, event) in sorted(world.pending.items())}
    if arriving:
        pending[0] = arriving
    present, past = world.present._rows, world.table._rows
    return {
        "records": {
            f"{kind} {id_}": record["state"] for (kind, id_), record in sorted(records(world).items())
        },
        "submissions": {
            key.removeprefix(SLOT): row.value["state"]
            for (_, key), row in present.items()
            if key.startswith(SLOT)
        },
        "messages": {
            str(number): told for number, event in pending.items() if (told := _waits(event, world))
        },
        "facts": {
            key: {
                "fact": json.loads(row.value["fact"])["fact"],
                "givenUp": bool(row.value.get("dead_lettered")),
            }
            for (_, key), row in sorted(present.items())
            if key.startswith("open-")
        },
        "leases": {
            row.value["key"]: {"holder": row.value.get("holder", ""), "attempt": row.value.get("attempt", 0)}
            for (partition, _), row in sorted(past.items())
            if partition.startswith("fact-") and row.value.get("state") != "settled"
        },
        "runs": {name: view.status for name, view in world.workspace.runs.items()},
        "traffic": {name: dict(shares) for name, shares in world.workspace.traffic.items()},
        "files": {f"{place}/{name}": len(blob[1]) for (place, name), blob in world.files._blobs.items()},
        "instances": {
            _letter(number): {
                "alive": process.alive,
                "stalled": process.alive and process.stalled_until > world.scheduler.clock,
                "at": [fact_of(message) for holder, _, message in world.host._held if holder is process],
            }
            for number, process in sorted(world._processes.items())
        },
    }


def _waits(event: Any, world: World) -> dict[str, Any] | None:
    """A message that waits to be delivered, and what else is due; None for what nobody waits for in a stretch."""
    if isinstance(event, Message):
        return {"queue": event.queue, "fact": fact_of(event), "deliveries": event.deliveries}
    if isinstance(event, RunEnds):
        ends = world.stretch is None or world.stretch.runs_end
        return {"queue": "workspace", "fact": "RunMoved", "deliveries": 0} if ends else None
    if isinstance(event, Clock) and (event.soon or world.stretch is None):
        return {"queue": "clock", "fact": "ReconcileDue", "deliveries": 0}
    return None
