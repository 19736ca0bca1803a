"""Scenarios: each a stretch of the flow, or a day of it, with how it begins and what has to come of it side by side.

A stretch begins where the plain order of its day comes to a fact for the first time: the world is saved there, and each
schedule goes on from it. It ends where nothing is due any more but facts at which it stops.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar

from shared.domain.facts import (
    BatchApproved,
    ConfigChanged,
    ExperimentDue,
    Fact,
    PromotionRequested,
    ReadmissionRequested,
    ReleaseDecided,
    RetryRequested,
    RollbackRequested,
    ScoringDue,
    TrustRequested,
    WithdrawalRequested,
    WorkPaused,
    WorkResumed,
)
from shared.domain.models.recipe import Recipe, RecipeMember
from shared.domain.policy import Policy
from simulation.bank import bank_rows, evaluation_of
from simulation.choices import Deviations, Random
from simulation.host import EVENTS, Message
from simulation.oracles import FEW, Run, outcome, records
from simulation.world import (
    POLICY,
    UNANSWERED_AGE,
    Channel,
    Clock,
    Event,
    Fate,
    Happens,
    Saved,
    Stretch,
    World,
)

Validator = Callable[[Run, dict[str, Any]], Iterator[str]]
"""Told of the run, and of the outcome in the plain order."""

FAULTY = bank_rows(5).replace("\n21;", "\nZilpzalp;", 1).replace("\n23;technician", '\n23;"technician', 1)
"""A value that is none, and a quote that is never closed."""
JUNE, JULY = bank_rows(3, start=20), bank_rows(3, start=40)
CLIENTS = "\n".join(
    f"C{at:03d};{line.rsplit(';', 1)[0]}" if at else f"client;{line.rsplit(';', 1)[0]}"
    for at, line in enumerate(bank_rows(6).splitlines())
)
CLIENTS = f"{CLIENTS}\n"
ODD_CLIENTS = CLIENTS.replace("C003;22;", f"C003;{UNANSWERED_AGE};")


BY: dict[str, Any] = {"by": "key:operator", "reason": "wrong"}


# --- days --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """What happens outside, and when; the owner's choices on it."""

    ends: ClassVar[int] = 2400
    """Until then the reconciling clock ticks; later, only where something is not as it should be."""

    happens: tuple[tuple[float, Callable[[World], None]], ...]
    policy: Policy = POLICY
    fate: Fate = field(default_factory=Fate)
    subscribed: bool = False

    def world(self, deviations: Deviations | None = None, **how: Any) -> World:
        """The day before it begins."""
        made = World(deviations or {}, policy=self.policy, fate=self.fate, subscribed=self.subscribed, **how)
        for at, act in self.happens:
            made.later(at, Happens(act))
        for at in range(120, self.ends, 120):
            made.later(at, Clock())
        return made


def drops(container: str, name: str, text: str) -> Callable[[World], None]:
    return lambda world: world.drop(container, name, text)


def ticks(fact: ScoringDue) -> Callable[[World], None]:
    return lambda world: world.host.tick(fact)


def asks(number: str, fact: Fact) -> Callable[[World], None]:
    return lambda world: world.ask(number, fact)


def _id_of(world: World, kind: str, begins: str) -> str | None:
    return next((id_ for of, id_ in records(world) if of == kind and id_.startswith(begins)), None)


def _readmits(world: World) -> None:
    """A person has the rejected rows read again."""
    upload = _id_of(world, "upload", "upload/may.csv/")
    assert upload is not None
    world.ask("o1", ReadmissionRequested(upload=upload, operation="o1"))


def _looks_again(world: World, act: Callable[[World], None]) -> None:
    """In two minutes, as long as it is day: a list whose clock's tick was lost does not come by itself."""
    if world.scheduler.clock < Day.ends * 1000:
        world.later(120, Happens(act))


def _mends_and_retries(world: World) -> None:
    """A person puts back what a run had left, and has the step tried again that could not read it."""
    failure = _id_of(world, "failure", "")
    assert failure is not None
    about = records(world)["failure", failure]["values"]["about"]
    for request in world.pipelines["pipeline"].submissions:
        world.leave_model(request)
    world.ask("o1", RetryRequested(failure=failure, about=about, operation="o1"))


def _learned_other_ages(world: World) -> None:
    """The model says of itself that it knows other clients than any list has."""
    age = {"name": "age", "type": "number", "edges": [2500, 3000], "shares": [0.3, 0.3, 0.4, 0.0]}
    column = {**age, "orders": {"3": 1.0}, "minimum": 2000, "maximum": 4000}
    profile = {"rows": 200, "columns": [column]}
    world.workspace.documents["bank", 1] = {**world.workspace.documents["bank", 1], "profile": profile}


def _approves_of_the_list(world: World) -> None:
    batch = _id_of(world, "batch", "clients-csv")
    assert batch is not None
    world.ask("o1", BatchApproved(batch=batch, by="key:operator", reason="rebased"))


def _moves_the_traffic(world: World) -> None:
    """Somebody does it in the portal."""
    world.workspace.traffic["campanha-bank"] = {}


def _withdraws(world: World) -> None:
    """A person withdraws what came in, once it shows."""
    upload = _id_of(world, "upload", "upload/june.csv/")
    if upload is None:
        _looks_again(world, _withdraws)
        return
    world.ask("o1", WithdrawalRequested(upload=upload, operation="o1", retrain=True, **BY))


def _outcomes(world: World) -> None:
    """Calls were made by the list, once there is one."""
    batch = _id_of(world, "batch", "clients-csv")
    if batch is None or world.files.stat("scored", f"{batch}/manifest.json") is None:
        _looks_again(world, _outcomes)
        return
    lines = "\n".join(f"C{at:03d};{batch};{'yes' if at % 3 == 0 else 'no'}" for at in range(1, 7))
    world.drop("outcomes", "calls.csv", f"client;batch;y\n{lines}\n")


FIRST = ((0, drops("incoming", "may.csv", FAULTY)), (1, drops("incoming", "june.csv", JUNE)))
SCORING = ((300, drops("scoring", "clients.csv", CLIENTS)), (301, ticks(ScoringDue(tick="1"))))
SECOND = ((900, drops("incoming", "july.csv", JULY)),)
USUAL = Day((*FIRST, *SCORING, (600, _outcomes), *SECOND))
LATE_FILE = Day((*FIRST, (11.1, drops("incoming", "late.csv", JULY))))
CANARY = Day(
    (*FIRST, *SCORING, *SECOND),
    policy=replace(POLICY, release_baking_seconds=20, release_latency_ratio=1e6, release_canary_percent=10),
)
APPROVAL = Day(
    (
        *FIRST,
        (
            400,
            asks("o1", ReleaseDecided(dataset="bank", version=1, operation="o1", decision="approved", **BY)),
        ),
    ),
    policy=replace(
        POLICY, release_approval="required", release_approval_hours=1, release_undecided="release"
    ),
)
READMITTED = Day((*FIRST, (400, _readmits)))
PEOPLE = Day(
    (
        *FIRST,
        (2, drops("incoming", "copy.csv", JUNE)),
        (400, _withdraws),
        (700, asks("o2", TrustRequested(dataset="bank", version=1, operation="o2", retrain=True, **BY))),
        (1000, asks("o3", WorkPaused(operation="o3", by="key:operator", reason="month end"))),
        (1100, drops("incoming", "july.csv", JULY)),
        (1200, asks("o4", WorkResumed(operation="o4", by="key:operator", reason=""))),
        (1600, asks("o5", RollbackRequested(dataset="bank", operation="o5", requested_ms=1, **BY))),
    )
)
CLUSTER = Day((*FIRST, *SCORING), policy=replace(POLICY, engine_bytes=1))
SEARCH = Day((*FIRST, (300, lambda world: world.deliver(ExperimentDue(dataset="bank", tick="1")))))
TOLD = Day((*FIRST,), subscribed=True)
UNANSWERED = Day(
    (*FIRST, (300, drops("scoring", "clients.csv", ODD_CLIENTS)), (301, ticks(ScoringDue(tick="1")))),
    policy=replace(POLICY, most_unscored_share=0.5),
)
REFUSED = Day(
    (
        *FIRST,
        *SECOND,
        (
            1500,
            asks("o1", PromotionRequested(dataset="bank", version=2, operation="o1", requested_ms=1, **BY)),
        ),
    ),
    fate=Fate(found={2: {"calibration": {**evaluation_of(2, None)["calibration"], "error": 0.5}}}),
)
UNDECIDED = Day((*FIRST, *SECOND), fate=Fate(found={2: {"not_compared": "their columns differ"}}))
FAILED = Day(FIRST, fate=Fate(failing=frozenset({"bank-v1-a1"})))
CONFIGURED = Day(
    (
        *FIRST,
        (400, asks("o1", ConfigChanged(operation="o1", values={"release_canary_percent": 20}, **BY))),
    )
)
GIVEN_UP = Day((*FIRST, (1200, _mends_and_retries)), fate=Fate(lost=frozenset({1})))
HELD = Day((*FIRST, (299, _learned_other_ages), *SCORING, (600, _approves_of_the_list)))
FOUND = replace(
    SEARCH,
    fate=Fate(
        recipe=Recipe(
            name="found-v1-1a2b3c4d",
            members=(RecipeMember(name="ridge", learner="ridge", parameters={"strength": 30}),),
            searched=1,
        )
    ),
)
WATCHED = Day((*FIRST, (500, _moves_the_traffic)), policy=replace(POLICY, endpoint_probe_seconds=300))
OVERWRITTEN = Day(
    (
        *FIRST,
        (2, drops("incoming", "copy.csv", JUNE)),
        (400, drops("incoming", "may.csv", bank_rows(4))),
        (401, drops("incoming", "june.csv", bank_rows(3, start=70))),
    )
)


# --- scenarios ---------------------------------------------------------------------------------------------------


def nothing_more(run: Run, plain: dict[str, Any]) -> Iterator[str]:
    """The oracles say it all."""
    return iter(())


def as_in_the_plain_order(run: Run, plain: dict[str, Any]) -> Iterator[str]:
    """Whoever died, and whatever was lost or late: in the end all is as if nothing had happened."""
    if len(run.world.choices.taken) > FEW and run.given_up:
        return  # it failed so often that it waits for a person, who is told
    found = outcome(run)
    for what, wanted in plain.items():
        if what == "due" and set(wanted) <= set(found[what]):
            continue  # a sweep may have found more to be due at which the stretch stops
        if found[what] != wanted:
            yield f"{what}: {_difference(found[what], wanted)}"


def _difference(found: Any, wanted: Any) -> str:
    if isinstance(found, dict):
        names = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        return "; ".join(f"{name} is {found.get(name)}, and not {wanted.get(name)}" for name in names[:3])
    return f"more {sorted(set(found) - set(wanted))[:3]}, less {sorted(set(wanted) - set(found))[:3]}"


def every_upload_counts(run: Run, plain: dict[str, Any]) -> Iterator[str]:
    """In whichever version: no upload waits for ever."""
    if len(run.world.choices.taken) > FEW and run.given_up:
        return
    for (kind, id_), record in run.records.items():
        if kind == "upload" and record["state"] != "registered":
            yield f"{id_} stays {record['state']}"
    if left := [row for partition, row in run.world.present._rows if partition.startswith("doc-gathered")]:
        yield f"{len(left)} uploads wait in the window"


def a_person_is_told(run: Run, plain: dict[str, Any]) -> Iterator[str]:
    """Of what nobody but a person can mend there is one failure that waits for one."""
    found = [value["state"] for (kind, _), value in run.records.items() if kind == "failure"]
    if found != ["dead-lettered"]:
        yield f"of what no delivery can mend, a person sees {found or 'nothing'}"


def the_channel_is_told(run: Run, plain: dict[str, Any]) -> Iterator[str]:
    """Whoever died while it was told, people hear of the dead letter."""
    yield from a_person_is_told(run, plain)
    assert run.world.channel is not None
    if not run.world.channel.heard:
        yield "no channel was told of the dead letter"


def _alerted(world: World) -> None:
    world.channel = Channel()
    _no_message(world)


def _no_message(world: World) -> None:
    world.host.put(Message("steps", b64encode(b"no fact at all")), 0)


def _no_documents(world: World) -> None:
    world.workspace.documents.clear()


@dataclass(frozen=True, eq=False)  # each is itself, and looked up by that: a day's policy is long to hash
class Scenario:
    """A generator of worlds, and the validator of what came of them."""

    name: str
    says: str
    day: Day
    begins: str = ""
    """The fact, or the queue of events, before whose first delivery it begins; empty: with the day."""
    nth: int = 1
    """Which of its deliveries."""
    stops: frozenset[str] = frozenset()
    runs_end: bool = False
    prepare: Callable[[World], None] = lambda world: None
    """What is wrong from the beginning."""
    gives_up: bool = False
    """Whether what is wrong can be mended by a person alone."""
    validate: Validator = as_in_the_plain_order
    share: int = 1
    """Of the schedules by chance: how many for one of another's; what takes long is tried less often."""
    most_instances: int = 8

    @property
    def stretch(self) -> Stretch | None:
        return Stretch(self.stops, self.runs_end) if self.begins else None

    def world(self, seed: int, deviations: Deviations, *, noting: bool = False) -> World:
        """The world of that seed, about to go on."""
        random = Random(seed)
        how: dict[str, Any] = {
            "seed": seed,
            "instances": 2 + random.below(self.most_instances - 1) if seed else 2,
            "skewed": bool(seed),
            "noting": noting,
        }
        saved = beginning(self)
        if saved is None:
            return self.day.world(deviations, **how)
        world = World(deviations, saved=saved, stretch=self.stretch, gives_up=self.gives_up, **how)
        self.prepare(world)
        return world


KNOWN: dict[str, Saved] = {}
"""By scenario, beginnings that were found before: `simulation.beginnings` reads them."""


@cache
def beginning(scenario: Scenario) -> Saved | None:
    """The world in which the stretch begins; None for a whole day."""
    if not scenario.begins:
        return None
    if scenario.name in KNOWN:
        return KNOWN[scenario.name]
    world = scenario.day.world()
    seen = 0

    def halt(event: Event) -> bool:
        nonlocal seen
        if isinstance(event, Message):
            about = event.queue if event.queue in (*EVENTS, "api") else event.about
            seen += about == scenario.begins
        return seen >= scenario.nth

    world.halt = halt
    world.run()
    if not world.halted:
        raise LookupError(f"the day of {scenario.name} never comes to {scenario.begins}")
    return world.saved()


def _stops(*names: str) -> frozenset[str]:
    return frozenset(names)


SCENARIOS: dict[str, Scenario] = {
    one.name: one
    for one in (
        Scenario(
            name="admit", share=130,
            says="two files are dropped, one with a faulty row",
            day=USUAL, begins="blob-events", stops=_stops("DatasetDue"),
        ),
        Scenario(
            name="gather", share=140,
            says="a window of files becomes a dataset version",
            day=USUAL, begins="DatasetDue", stops=_stops("DatasetRegistered", "DriftDue", "RunDue"),
        ),
        Scenario(
            name="gather-more", share=40,
            says="a file arrives while its window closes",
            day=LATE_FILE, begins="DatasetDue", nth=2,
            stops=_stops("DatasetRegistered", "DriftDue", "RunDue"), validate=every_upload_counts,
        ),
        Scenario(
            name="start", share=160,
            says="a version's run is submitted, once",
            day=USUAL, begins="DatasetRegistered",
        ),
        Scenario(
            name="judge", share=120,
            says="a run ends, and its model is judged",
            day=USUAL, begins="run-events", stops=_stops("ModelAccepted"),
        ),
        Scenario(
            name="release", share=90,
            says="the first model of a dataset is deployed and gets the traffic",
            day=USUAL, begins="ModelAccepted",
        ),
        Scenario(
            name="plan", share=12,
            says="a file of clients is cut into shards and profiled",
            day=USUAL, begins="BatchDue", stops=_stops("ShardDue"),
        ),
        Scenario(
            name="score", share=20,
            says="shards are scored, and the batch is sealed",
            day=USUAL, begins="ShardDue", stops=_stops("BatchScored"),
        ),
        Scenario(
            name="call", share=80,
            says="a scored batch becomes a call list",
            day=USUAL, begins="BatchScored",
        ),
        Scenario(
            name="outcomes", share=40,
            says="what calls brought is joined to the batch",
            day=USUAL, begins="blob-events", nth=3,
        ),
        Scenario(
            name="drift", share=30,
            says="new rows are held against the serving model",
            day=USUAL, begins="DriftDue", stops=_stops("DatasetRegistered"),
        ),
        Scenario(
            name="replace", share=12,
            says="a second model takes the first one's place",
            day=USUAL, begins="ModelAccepted", nth=2,
        ),
        Scenario(
            name="canary", share=3,
            says="a second model is watched with a share of the traffic",
            day=CANARY, begins="ModelAccepted", nth=2,
        ),
        Scenario(
            name="withdraw", share=25,
            says="a person withdraws an upload and has the dataset trained anew",
            day=PEOPLE, begins="api",
        ),
        Scenario(
            name="approve",
            share=20,
            says="a person approves of a model that is held",
            day=APPROVAL,
            begins="api",
        ),
        Scenario(
            name="readmit",
            share=10,
            says="a person has rejected rows read again, and they become a version",
            day=READMITTED,
            begins="api",
        ),
        Scenario(
            name="cluster", share=6,
            says="a large file is scored by a run on a cluster",
            day=CLUSTER, begins="BatchRunDue", runs_end=True,
        ),
        Scenario(
            name="search", share=50,
            says="a search for a better recipe runs and is collected",
            day=SEARCH, begins="api", runs_end=True,
        ),
        Scenario(
            name="find", share=20,
            says="a search finds a better recipe, which becomes a challenger",
            day=FOUND, begins="api", runs_end=True,
        ),
        Scenario(
            name="retry", share=30,
            says="a person has a step tried again that was given up",
            day=GIVEN_UP, begins="api", stops=_stops("ModelAccepted"),
        ),
        Scenario(
            name="hold", share=10,
            says="a list that is far from what the model learned is held",
            day=HELD, begins="ProfileDue", stops=_stops("ShardDue"),
        ),
        Scenario(
            name="accept", share=10,
            says="a person approves of a list that is held, and it is scored",
            day=HELD, begins="api",
        ),
        Scenario(
            name="probe", share=20,
            says="the model that answers is asked how it fares",
            day=WATCHED, begins="EndpointProbeDue",
        ),
        Scenario(
            name="stray", share=20,
            says="somebody took the traffic away, and it is brought back",
            day=WATCHED, begins="TrafficStrayed",
        ),
        Scenario(
            name="tell", share=60,
            says="a subscriber is told of every event",
            day=TOLD, begins="NotificationDue", stops=_stops("DatasetDue"),
        ),
        Scenario(
            name="poison", share=20,
            says="a message lies in a queue that nobody can read",
            day=USUAL, begins="DatasetRegistered", stops=_stops("RunDue", "DatasetRegistered"),
            prepare=_no_message, gives_up=True, validate=a_person_is_told,
        ),
        Scenario(
            name="alert", share=15,
            says="a channel is told of what waits for a person",
            day=USUAL, begins="DatasetRegistered", stops=_stops("RunDue", "DatasetRegistered"),
            prepare=_alerted, gives_up=True, validate=the_channel_is_told,
        ),
        Scenario(
            name="give-up", share=10,
            says="a step fails at every attempt",
            day=USUAL, begins="run-events", stops=_stops("ModelAccepted"),
            prepare=_no_documents, gives_up=True, validate=a_person_is_told,
        ),
        Scenario(
            name="overwrite", share=20,
            says="files are overwritten, one of which a copy holds",
            day=OVERWRITTEN, begins="blob-events", nth=4, stops=_stops("DatasetRegistered", "DriftDue", "RunDue"),
        ),
        Scenario(
            name="unanswered", share=6,
            says="a client whom the model cannot answer comes out without a score",
            day=UNANSWERED, begins="ShardDue", stops=_stops("BatchScored"),
        ),
        Scenario(
            name="refuse", share=30,
            says="a second model is not calibrated, and is refused",
            day=REFUSED, begins="run-events", nth=2,
        ),
        Scenario(
            name="promote", share=12,
            says="a person promotes a model that was refused",
            day=REFUSED, begins="api",
        ),
        Scenario(
            name="undecided", share=20,
            says="a second model cannot be compared, and nothing is decided",
            day=UNDECIDED, begins="run-events", nth=2,
        ),
        Scenario(
            name="fail", share=30,
            says="a run fails, and its dataset version with it",
            day=FAILED, begins="run-events",
        ),
        Scenario(
            name="roll-back", share=12,
            says="a person takes a model back",
            day=PEOPLE, begins="api", nth=5,
        ),
        Scenario(
            name="configure", share=15,
            says="a person changes the config",
            day=CONFIGURED, begins="api",
        ),
        Scenario(
            name="day", share=1,
            says="files, a model, a batch, outcomes and a second model",
            day=USUAL, validate=nothing_more,
        ),
        Scenario(name="people", share=1, says="decisions of people, all day", day=PEOPLE, validate=nothing_more),
    )
}  # fmt: skip
