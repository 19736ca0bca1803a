"""The world outside the app: what is durable, who drops files, what the workspace does by itself, and the clocks."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from math import inf
from typing import IO, Any
from zlib import crc32

from shared.adapters.contracts import load_contracts
from shared.adapters.memory import (
    MemoryEndpoint,
    MemoryFiles,
    MemoryPipeline,
    MemoryTable,
    MemoryWorkspace,
)
from shared.adapters.queues import QueueBus
from shared.adapters.recipes import load_recipes
from shared.domain import names
from shared.domain.facts import FACTS, Fact, OperationRequested, ReconcileDue
from shared.domain.models.leaderboard import LEADERBOARD, RECIPE
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_text import text_of
from shared.domain.policy import Policy
from shared.domain.tables.contract import Contract
from shared.errors import Unanswerable
from shared.ledger import Ledger
from shared.package_data import CONTRACTS, RECIPES
from shared.ports import ExperimentRequest, Row, RunRequest, RunView, Scores, ScoringRequest, StepView
from shared.services import Services
from simulation import bank, determinism
from simulation.bank import description_of, evaluation_of, golden
from simulation.choices import Choices, Deviations, NeverEnds, Random
from simulation.cluster import score
from simulation.host import Host, Message, Queues, blob_created, run_moved
from simulation.processes import Port, Process
from simulation.scheduler import Scheduler

CONTRACT = [one for one in load_contracts(CONTRACTS) if one.dataset == "bank"]
ALL_RECIPES = load_recipes(RECIPES, first=Policy().first_recipe)
SOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
POLICY = replace(bank.POLICY, shard_bytes=150)
RUN_SECONDS = 90
SWEEP_SECONDS = (70, 70, 70, *(130,) * 12)
"""Between one reconciliation and the next, longer than a lease; after so many all has to be as it should. They last longer
than a fact may be held back (a quarter of an hour, where a release waits for approval) and then be taken for lost."""
MOST_POINTS = 20_000
"""A run that passes more choice points will never end; a day of all scenarios has some thousands."""
LONGEST = 7 * 24 * 60 * 60 * 1000
"""A run in which something is still due after so many milliseconds will never end either: what waits passes no point."""
CHUNK = 256
"""Bytes that a blob is read in, so that small files are read in several."""


# --- what is durable ------------------------------------------------------------------------------------------


@dataclass
class Numbers:
    """Counts on; unlike `itertools.count` it may be copied."""

    next: int = 1

    def __next__(self) -> int:
        self.next += 1
        return self.next - 1

    def __iter__(self) -> Iterator[int]:
        return self


class LoggedTable(MemoryTable):
    """The memory table, with a log of its writes: what any reader can ever have seen."""

    log: list[tuple[str, str, Any]]

    def _store(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        self.log.append((partition, row, value))
        return super()._store(partition, row, value)

    def copied(self, now: Callable[[], Any]) -> LoggedTable:
        made = LoggedTable(
            now=now,
            _rows=self._rows.copy(),
            _partitions={name: rows.copy() for name, rows in self._partitions.items()},
            _etags=copy(self._etags),
        )
        made.log = []
        return made


@dataclass
class LoggedFiles(MemoryFiles):
    """The memory container, with a log of what was written: each name, and the CRC of its bytes."""

    log: list[tuple[str, str, int]] = field(default_factory=list)

    def write(self, container: str, name: str, data: bytes | IO[bytes]) -> None:
        super().write(container, name, data)
        self.log.append((container, name, crc32(self._blobs[container, name][1])))

    def copied(self, now: Callable[[], Any]) -> LoggedFiles:
        blocks = {name: found.copy() for name, found in self._blocks.items()}
        return LoggedFiles(
            now=now, chunk_size=CHUNK, _blobs=self._blobs.copy(), _blocks=blocks, _etags=copy(self._etags)
        )


@dataclass
class LoggedWorkspace(MemoryWorkspace):
    """The memory workspace, with its log: what it was asked to do, and when."""

    log: list[tuple[int, str, Any]] = field(default_factory=list)
    clock: Callable[[], int] = lambda: 0

    def set_traffic(self, endpoint: str, traffic: dict[str, int]) -> None:
        super().set_traffic(endpoint, traffic)
        self.log.append((self.clock(), "traffic", {"endpoint": endpoint, **self.traffic[endpoint]}))

    def copied(self) -> LoggedWorkspace:
        made = LoggedWorkspace(clock=self.clock, log=self.log.copy())
        for name in (
            "datasets",
            "runs",
            "started",
            "documents",
            "learned",
            "states",
            "traffic",
            "requests",
            "cancelled",
        ):
            setattr(made, name, getattr(self, name).copy())
        return made


@dataclass
class Subscriber:
    """Keeps what it is told."""

    name: str = "listener"
    heard: list[dict[str, Any]] = field(default_factory=list)
    consents = True

    def handshake(self) -> int | None:
        return None

    def deliver(self, events: Sequence[dict[str, Any]]) -> int:
        self.heard += events
        return len(events)


UNANSWERED_AGE = 117
"""Clients of this age are too much for every model; no golden row is of it, and none of the other files has one."""


class LoggedEndpoint(MemoryEndpoint):
    """The memory endpoint, which fails on some clients; the workspace's log has which deployments answered, and when."""

    workspace: LoggedWorkspace

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        if UNANSWERED_AGE in rows.column(0).to_pylist():
            raise Unanswerable("the model failed on a row")
        self.workspace.log.append((self.workspace.clock(), "answered", deployment))
        return super().score(endpoint, deployment, rows)


@dataclass(frozen=True)
class Fate:
    """What becomes of runs and models on a day; left out: they complete, and nothing is wrong with them."""

    failing: frozenset[str] = frozenset()
    """The names of runs that fail."""
    found: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """By a model's version, what its evaluation says otherwise."""
    lost: frozenset[int] = frozenset()
    """The versions whose models cannot be read until somebody mends that."""
    recipe: Recipe | None = None
    """What a search finds."""


@dataclass
class Channel:
    """Keeps what people are told of."""

    name: str = "mail"
    heard: list[Any] = field(default_factory=list)

    def send(self, said: Any) -> None:
        self.heard.append(said)


PIPELINES = ("pipeline", "scoring_pipeline", "experiment_pipeline")


class SubmittedPipeline(MemoryPipeline):
    """A published pipeline whose runs end by themselves."""

    world: World

    def submit(self, request: Any) -> str:
        new = request.name not in self.workspace.started
        run = super().submit(request)
        if new:
            self.world.later(RUN_SECONDS, RunEnds(run))
        return run


# --- what happens outside ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunEnds:
    """The workspace ends a run, and says so."""

    run: str


@dataclass(frozen=True)
class Clock:
    """The reconciling clock ticks."""

    soon: bool = False
    """Whether it ticks in a stretch too."""


@dataclass(frozen=True)
class Happens:
    """Somebody does something outside the app."""

    act: Callable[[World], None]


Event = Message | RunEnds | Clock | Happens


@dataclass(frozen=True)
class Stretch:
    """The part of the flow that is looked at: facts at which it stops are handled no more."""

    stops: frozenset[str] = frozenset()
    runs_end: bool = False
    """Whether runs of the workspace come to their end."""


@dataclass(frozen=True)
class Saved:
    """A world at rest, from which runs go on again and again."""

    clock: int
    table: LoggedTable
    present: LoggedTable
    files: LoggedFiles
    workspace: LoggedWorkspace
    submissions: dict[str, list[Any]]
    pending: tuple[tuple[int, Event], ...]
    policy: Policy
    fate: Fate
    heard: tuple[dict[str, Any], ...] | None


class World:
    """Everything that outlives a process, and the processes."""

    def __init__(
        self,
        deviations: Deviations,
        *,
        seed: int = 0,
        saved: Saved | None = None,
        stretch: Stretch | None = None,
        policy: Policy = POLICY,
        fate: Fate | None = None,
        instances: int = 2,
        skewed: bool = False,
        subscribed: bool = False,
        gives_up: bool = False,
        noting: bool = False,
        endless: bool = False,
        contracts: Sequence[Contract] = CONTRACT,
        chunk: int = CHUNK,
    ) -> None:
        """endless: any number of choice points and any time is in order; chunk: bytes that a blob is read in"""
        self.choices = Choices(deviations, noting=noting, most=inf if endless else MOST_POINTS)
        self.random, self.stretch, self.policy = Random(seed), stretch, policy
        self.fate = fate or Fate()
        self.instances, self.gives_up, self.contracts, self._chunk = instances, gives_up, contracts, chunk
        self._skews = [(self.random.below(601) - 300) if skewed else 0 for _ in range(instances)]
        self.scheduler = Scheduler(self.choices, clock=saved.clock if saved else 0)
        self._latest = inf if endless else self.scheduler.clock + LONGEST
        self.host = Host(self)
        self._processes: dict[int, Process] = {}
        self.problems: list[Exception] = []
        self.pending: dict[int, tuple[int, Event]] = {}
        self._numbers = 0
        self.halt: Callable[[Event], bool] | None = None
        """Whether the world is to stop before this happens."""
        self.halted, self.never_ends = False, ""
        self._build(saved, subscribed)

    def _build(self, saved: Saved | None, subscribed: bool) -> None:
        now = self.scheduler.now
        if saved is None:
            self.table, self.present = (LoggedTable(now=now, _etags=Numbers()) for _ in range(2))
            self.table.log, self.present.log = [], []
            self.files = LoggedFiles(now=now, chunk_size=self._chunk, _etags=Numbers())
            self.workspace = LoggedWorkspace()
            submissions: dict[str, list[Any]] = {name: [] for name in PIPELINES}
            heard: tuple[dict[str, Any], ...] | None = () if subscribed else None
        else:
            self.table, self.present = saved.table.copied(now), saved.present.copied(now)
            self.files, self.workspace = saved.files.copied(now), saved.workspace.copied()
            submissions, heard = saved.submissions, saved.heard
            self.policy, self.fate = saved.policy, saved.fate
        self.workspace.clock = lambda: self.scheduler.clock
        self.pipelines: dict[str, SubmittedPipeline] = {}
        for name in PIPELINES:
            made = SubmittedPipeline(self.workspace, submissions=submissions[name].copy())
            made.world = self
            self.pipelines[name] = made
        self.endpoint = LoggedEndpoint()
        self.endpoint.workspace = self.workspace
        self.subscriber = None if heard is None else Subscriber(heard=list(heard))
        self.channel: Channel | None = None
        for at, event in saved.pending if saved else ():
            if self.stretch is None or isinstance(event, Message | RunEnds):  # a stretch heeds nothing else
                self.later((at - self.scheduler.clock) / 1000, copy(event))  # a message counts its deliveries

    def saved(self) -> Saved:
        now = self.scheduler.now
        assert not self.scheduler.ready
        return Saved(
            clock=self.scheduler.clock,
            table=self.table.copied(now),
            present=self.present.copied(now),
            files=self.files.copied(now),
            workspace=self.workspace.copied(),
            submissions={name: made.submissions.copy() for name, made in self.pipelines.items()},
            pending=tuple(sorted(self.pending.values(), key=lambda pending: pending[0])),
            policy=self.policy,
            fate=self.fate,
            heard=None if self.subscriber is None else tuple(self.subscriber.heard),
        )

    # --- processes ----------------------------------------------------------------------------------------

    def process(self, number: int) -> Process:
        """The instance, started again if it died."""
        there = self._processes.get(number)
        if there is None or not there.alive:
            there = self._processes[number] = Process(self, number, skew_seconds=self._skews[number])
        return there

    def services_of(self, process: Process) -> Services:
        """What the app's composition root would give it; each port's calls are choice points."""
        past, present = Port("past", self.table, process), Port("present", self.present, process)
        now, policy = process.clock.now, self.policy
        ledger = Ledger(
            past,
            present=present,
            now=now,
            lease_seconds=policy.claim_seconds,
            most_attempts=policy.most_attempts,
        )
        queues: Any = Queues(process, self.host)
        subscribers = [] if self.subscriber is None else [Port("subscriber", self.subscriber, process)]
        channels: list[Any] = [] if self.channel is None else [Port("channel", self.channel, process)]
        return Services(
            ledger=ledger,
            files=Port("files", self.files, process),
            workspace=Port("workspace", self.workspace, process),
            endpoint=Port("endpoint", self.endpoint, process),
            bus=QueueBus(queues, notifies=bool(subscribers), clock=lambda: self.scheduler.clock / 1000),
            contracts=self.contracts,
            recipes=ALL_RECIPES,
            policy=policy,
            now=now,
            event_source=SOURCE,
            subscribers=subscribers,
            alert_channels=channels,
            pipeline=Port("pipeline", self.pipelines["pipeline"], process),
            scoring_pipeline=Port("scoring_pipeline", self.pipelines["scoring_pipeline"], process),
            experiment_pipeline=Port("experiment_pipeline", self.pipelines["experiment_pipeline"], process),
        )

    def bare_ledger(self) -> Ledger:
        """For those who look at what is stored, past all choice points."""
        return Ledger(self.table, present=self.present, now=self.scheduler.now, lease_seconds=60)

    # --- time ---------------------------------------------------------------------------------------------

    def later(self, seconds: float, event: Event) -> None:
        self._numbers = number = self._numbers + 1
        self.pending[number] = (self.scheduler.clock + round(seconds * 1000), event)
        self.scheduler.after(seconds, lambda: self._due(number))

    def lost(self, process: Process) -> None:
        self.host.lost(process)

    def sweep_soon(self) -> None:
        """A lease lapses: the clock that finds it ticks in a stretch too, once, before anything else brings it up."""
        if self.stretch is not None:
            self.later(SWEEP_SECONDS[0], Clock(soon=True))

    def _due(self, number: int) -> None:
        event = self.pending[number][1]
        if self.scheduler.clock > self._latest:
            raise NeverEnds(f"after {LONGEST // 86_400_000} days there is still {type(event).__name__} due")
        if self.halt is not None and self.halt(event):
            self.halted = True
        if self.halted:
            return
        del self.pending[number]
        if isinstance(event, Message):
            self.host.arrive(event)
        elif isinstance(event, RunEnds):
            if self.stretch is None or self.stretch.runs_end:
                self.end_run(event.run)
        elif isinstance(event, Clock):
            if self.stretch is None or event.soon:
                self.host.tick(ReconcileDue(tick=self.scheduler.now().isoformat()))
        elif self.stretch is None:
            event.act(self)

    def run(self, *, settled: Callable[[], bool] | None = None) -> None:
        """Until nothing is due; then, while it is not settled, the reconciling clock ticks.

        settled: no fact is left open, when left out
        """
        settled = settled or (lambda: not self.unfinished())
        with determinism.running(self):
            try:
                self._run(settled)
            except NeverEnds as problem:
                self.never_ends = str(problem)

    def _run(self, settled: Callable[[], bool]) -> None:
        self.scheduler.run()
        for sweep, seconds in enumerate(SWEEP_SECONDS):
            if self.halted or settled():
                return
            self.scheduler.clock += seconds * 1000
            self.host.tick(ReconcileDue(tick=f"sweep-{sweep}"))
            self.scheduler.run()
        settled()

    def replay(self) -> None:
        """All messages that there were, once more, in the plain order; but hints, which look at what is now."""
        self.choices.deviations.clear()
        with determinism.running(self):
            for queue, body in list(self.host.seen):
                message = Message(queue, body)
                if queue != "run-events" and not (message.about and FACTS[message.about].hint):
                    self.host.put(message, 0)
            self.scheduler.run()

    def unfinished(self) -> list[str]:
        """The rows of open facts that nothing stops and no person has."""
        stops = self.stretch.stops if self.stretch else frozenset()
        found = []
        for row in self.present._partitions.get("now", ()):
            if not row.startswith("open-"):
                continue
            value = self.present._rows["now", row].value
            named = value["fact"]
            at = named.index('"fact":"') + 8
            if value.get("dead_lettered") or named[at : named.index('"', at)] in stops:
                continue
            found.append(named)
        return sorted(found)

    # --- what happens outside -------------------------------------------------------------------------------

    def drop(self, container: str, name: str, text: str | bytes) -> None:
        """Somebody uploads a file; Event Grid tells of it where somebody listens."""
        self.files.write(container, name, text.encode() if isinstance(text, str) else text)
        blob = self.files.stat(container, name)
        assert blob is not None
        if container in (names.INCOMING, names.OUTCOMES):
            self.later(0.2, blob_created(container, name, blob.etag))

    def ask(self, number: str, *facts: Fact) -> None:
        """A person's action, as the API accepts it: it is done in the process that took the request."""
        asked = OperationRequested(
            operation=number, action="act", by="key:operator", facts=[fact.to_json() for fact in facts]
        )
        self.deliver(asked)

    def deliver(self, fact: Fact) -> None:
        """Has a fact that comes from outside handled, until somebody has it."""
        self.host.put(Message("api", b64encode(fact.to_message().encode())), 0)

    def end_run(self, run: str) -> None:
        request = self.workspace.started[run]
        steps = (StepView(name="prepare", status="Completed"),)
        failed = run in self.fate.failing
        status, error = ("Failed", "a node of the cluster was lost") if failed else ("Completed", "")
        self.workspace.runs[run] = RunView(name=run, status=status, error=error, steps=steps)
        if failed:
            pass
        elif isinstance(request, ScoringRequest):
            score(request, self.files)
        elif isinstance(request, RunRequest):
            if request.version not in self.fate.lost:
                self.leave_model(request)
        else:
            self._leave_recipe(request)
        self.later(0.5, run_moved(run))

    def _leave_recipe(self, request: ExperimentRequest) -> None:
        """What the search found, if anything."""
        found = self.fate.recipe
        body: dict[str, Any] = {
            "found": found.name if found else None,
            "reason": "log loss -0.0100" if found else "nothing better",
            "seconds": 12.5,
            "trials": [],
        }
        self.files.write(names.RECIPES, request.output + LEADERBOARD, json.dumps(body).encode())
        if found:
            self.files.write(names.RECIPES, request.output + RECIPE, text_of(found))

    def leave_model(self, request: RunRequest) -> None:
        """What a run leaves in the folder of its model."""
        evaluation = evaluation_of(request.version, request.champion)
        found = {"evaluation": {**evaluation, **self.fate.found.get(request.version, {})}}
        found["golden"], found["model"] = golden(request.version), description_of(request.version)
        self.workspace.documents[request.dataset, request.version] = found
