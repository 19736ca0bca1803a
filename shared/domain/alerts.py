"""The table of alerts: what a person is told of, what raises and ends it, and what to do; see docs/runbook.md.

Most are derived from records as they move. A move counts a *cause* up or down, or clears it, and those counts are
folded along the log of events, each move exactly once (`shared.ledger.event_log`): whatever crashes, a cause is open
exactly while something of it is. A thousand files that fail for one reason are one cause, and its count is 1,000. The
others say what did not happen, which no move shows: `shared.procedures.conditions` looks at those.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.domain.names import digest

Severity = Literal["page", "ticket"]
Values = Mapping[str, Any]
Entered = tuple[str, str]
"""A kind, and the state that one of it came into."""
Count = tuple[Literal["+", "-", "0"], str]
"""What a move does to a cause: one more, one less, or none left."""

SEVERITIES: dict[Severity, str] = {
    "page": "somebody is needed now: what should happen does not, or what answers is wrong",
    "ticket": "somebody is needed, on the next working day at the latest",
}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A row of the table."""

    name: str
    severity: Severity
    title: str
    """What is the matter, in a few words; the cause's own words come after it."""
    raised: str
    """When it is raised."""
    over: str
    """When it is over."""
    mend: str
    """The one command that mends it, or says what must be mended; as it is typed."""
    opens: tuple[Entered, ...] = ()
    """The states that count a cause up. Without `closes` it counts down when the thing leaves the state,"""
    closes: tuple[Entered, ...] = ()
    """else it is cleared by the next thing that comes into one of these."""
    by: Callable[[Values], str] = lambda values: str(values.get("dataset") or ANY)
    """What makes two things one cause."""
    applies: Callable[[Values], bool] = lambda values: True
    after_hours: float = 0
    """How long a cause has to be open before anybody is told."""

    def cause(self, values: Values) -> str:
        return f"{self.name}/{self.by(values)}"

    def mend_for(self, dataset: str, about: Sequence[str] | None) -> str:
        """The command, with what is known of its placeholders: DATASET, and the id of the thing for its kind."""
        kind, id_ = about or ("", "")
        known = {"DATASET": dataset, "VERSION": id_ if kind == "dataset" else "", kind.upper(): id_}
        return " ".join(known.get(word) or word for word in self.mend.split())


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Something is the matter now: a cause, since when, and what it is about."""

    alert: str
    cause: str
    since: str
    """When it began; with the cause what makes this occurrence this one."""
    says: str
    dataset: str = ""
    about: tuple[str, str] | None = None
    """Kind and id of the very thing, the first where there are several."""
    count: int = 1

    @property
    def id(self) -> str:
        return f"{self.alert}-{digest(f'{self.cause}/{self.since}')[:12]}"


ANY = "-"
"""The dataset of what never came so far as to have one."""
CLOCK, SUBSCRIBER = "clock", "subscriber "
"""Queues of dead letters that are no steps': see `clock_health` and `notify_subscribers`."""
_OWN = re.compile(r"'[^']*'|\"[^\"]*\"|\S*[\d/\\.@:]\S*")
"""What of a reason is one file's, or one try's: quoted, or a word with a digit, a path or an address in it."""


def _reason(values: Values) -> str:
    """Queue and reason, without what differs from one file to the next."""
    kept = " ".join(_OWN.sub(" ", str(values.get("reason", ""))).split())
    kind = re.search(r"\b([A-Z]\w+):", str(values.get("reason", "")))
    return f"{values.get('queue')}/{digest(f'{kind[1] if kind else ANY} {kept}')[:8]}"


def _of_clock(values: Values) -> bool:
    return values.get("queue") == CLOCK


def _of_subscriber(values: Values) -> bool:
    return str(values.get("queue", "")).startswith(SUBSCRIBER)


def _of_step(values: Values) -> bool:
    return not _of_clock(values) and not _of_subscriber(values)


def _held_columns(values: Values) -> str:
    columns = sorted(str(one.get("column")) for one in values.get("held_columns") or [])
    return f"{values.get('dataset') or ANY}/{digest(','.join(columns))[:8]}"


ALERTS: tuple[Alert, ...] = (
    # what was given up
    Alert(
        name="step-failed",
        severity="page",
        title="A step was given up",
        raised="a step failed as often as it may (a dead letter), or a message could not be read; one for each reason",
        over="every one of its dead letters was tried again, or is resolved",
        mend="./dev failures --retry-all",
        opens=(("failure", "dead-lettered"),),
        by=_reason,
        applies=_of_step,
    ),
    Alert(
        name="clock-failing",
        severity="page",
        title="A clock's step keeps failing",
        raised="the step of a clock failed three times in a row",
        over="it worked again",
        mend="./dev logs --app",
        opens=(("failure", "dead-lettered"),),
        by=lambda values: str(values.get("about")),
        applies=_of_clock,
    ),
    Alert(
        name="subscriber-failing",
        severity="ticket",
        title="A subscriber takes no events",
        raised="a webhook or topic refused an event for hours, or is gone (410)",
        over="its dead letters were tried again, or resolved",
        mend="./dev failures --retry-all",
        opens=(("failure", "dead-lettered"),),
        by=lambda values: str(values.get("queue")),
        applies=_of_subscriber,
    ),
    # what waits for a person's decision
    Alert(
        name="release-held",
        severity="ticket",
        title="A release waits for approval",
        raised="a model's release is held for a person",
        over="it was approved or rejected, or its time ran out",
        mend="./dev approve MODEL --reason WHY",
        opens=(("model", "awaiting-approval"),),
    ),
    Alert(
        name="batch-held",
        severity="page",
        title="A list to score is held",
        raised="a file to score is implausibly far from what the model learned; one alert for each set of columns",
        over="a person approved it, or a newer version of the file is scored instead",
        mend="./dev batches --approve BATCH --reason WHY",
        opens=(("batch", "held"),),
        by=_held_columns,
    ),
    Alert(
        name="rows-doubted",
        severity="ticket",
        title="New rows are in doubt",
        raised="new rows of a dataset version are not plausible, so that training leaves them out",
        over="a person trusted them, or withdrew their file",
        mend="./dev datasets VERSION --trust --reason WHY",
        opens=(("dataset", "doubted"),),
    ),
    Alert(
        name="rows-quarantined",
        severity="ticket",
        title="Files or rows are in quarantine",
        raised="rows of a file, or all of it, do not fit the contract",
        over="a person had each file checked again, readmitted or discarded, or a newer version of it came",
        mend="./dev quarantine",
        opens=(("quarantine", "held"),),
    ),
    # what came to nothing, until it comes to something
    Alert(
        name="run-failed",
        severity="ticket",
        title="A run failed",
        raised="a run of a published pipeline failed",
        over="a later run of the dataset ended well",
        mend="./dev runs --retrain DATASET",
        opens=(("run", "failed"),),
        closes=(("run", "completed"), ("run", "accepted"), ("run", "refused"), ("run", "undecided")),
    ),
    Alert(
        name="release-rolled-back",
        severity="ticket",
        title="A release was rolled back",
        raised="a model failed its tests, did worse while it was watched, or was rolled back by an operator",
        over="a later model of the dataset is in service",
        mend="./dev models",
        opens=(("model", "rolled-back"),),
        closes=(("model", "released"),),
    ),
    Alert(
        name="batch-refused",
        severity="page",
        title="A file cannot be scored",
        raised="a file to score was refused",
        over="a later file of the dataset is scored",
        mend="./dev drop --scoring FILE",
        opens=(("batch", "refused"),),
        closes=(("batch", "scored"),),
    ),
    Alert(
        name="outcomes-refused",
        severity="ticket",
        title="Outcomes cannot be joined",
        raised="a file of outcomes could not be joined to any scores",
        over="a later file of outcomes is joined",
        mend="./dev drop --outcomes FILE",
        opens=(("outcome", "refused"),),
        closes=(("outcome", "joined"),),
        by=lambda values: ANY,
    ),
    # what takes too long
    Alert(
        name="run-waiting",
        severity="ticket",
        title="A dataset version waits for its run",
        raised="a dataset version has waited for its training run for a day: for budget, or for new rows",
        over="its run began, or a newer version's",
        mend="./dev runs --retrain DATASET",
        opens=(("dataset", "waiting"),),
        after_hours=24,
    ),
    Alert(
        name="release-stuck",
        severity="page",
        title="A release does not come to an end",
        raised="a model has been on its way behind the endpoint for two hours",
        over="it is in service, is watched, or was rolled back",
        mend="./dev logs",
        opens=(("model", "releasing"),),
        after_hours=2,
    ),
    Alert(
        name="endpoint-unhealthy",
        severity="page",
        title="An endpoint answers wrong, or not at all",
        raised="the newest probes of the released model fail",
        over="it answers its golden rows again",
        mend="./dev rollback DATASET --reason WHY",
    ),
    # what did not happen
    Alert(
        name="file-late",
        severity="page",
        title="An expected file has not come",
        raised="no file of the dataset was admitted by the hour, or for the hours, that its contract expects one",
        over="a file of it is admitted",
        mend="./dev drop FILE",
    ),
    Alert(
        name="batch-late",
        severity="page",
        title="An expected list was not scored",
        raised="no file of the dataset was scored by the hour, or for the hours, that its contract expects one",
        over="a file of it is scored",
        mend="./dev drop --scoring FILE",
    ),
    Alert(
        name="sweep-late",
        severity="page",
        title="The reconciliation has not run",
        raised="the reconciliation loop has not ended well for five minutes; the scoring clock, and the page, see that",
        over="it did",
        mend="./dev logs --app",
    ),
    # what mends itself, and does so for hours
    Alert(
        name="events-missing",
        severity="ticket",
        title="Files come without their events",
        raised="in each of three hours the reconciliation found files whose event had not come",
        over="an hour passed without one",
        mend="./dev doctor --sign-in",
    ),
    Alert(
        name="work-abandoned",
        severity="ticket",
        title="Workers die at their work",
        raised="in each of three hours the reconciliation found three facts or more that no worker was at",
        over="an hour passed with fewer",
        mend="./dev logs --app",
    ),
    Alert(
        name="writers-collide",
        severity="ticket",
        title="Workers are in each other's way",
        raised="in each of three hours a thousand writes or more lost a race against another worker's",
        over="an hour passed with fewer",
        mend="./dev status --flow",
    ),
    Alert(
        name="submissions-unanswered",
        severity="ticket",
        title="The workspace does not answer submissions",
        raised="in each of three hours a submission had no answer, and was waited for",
        over="an hour passed without one",
        mend="./dev runs",
    ),
    # who tells
    Alert(
        name="channel-failing",
        severity="ticket",
        title="An alert channel takes no messages",
        raised="a channel took no message at three tries in a row; the other channels tell of it",
        over="it took one",
        mend="./dev alerts --test",
    ),
)
BY_NAME = {alert.name: alert for alert in ALERTS}
TEST = "test"
"""The name of a message that only tries the channels."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What a move does to causes, and those that the thing holds open in its new state."""

    counts: Sequence[Count] = ()
    held: Sequence[str] = field(default_factory=list)


def counted(kind: str, state: str, values: Values, *, held: Sequence[str]) -> Counted:
    """held: the causes that the thing held open in the state it leaves"""
    counts: list[Count] = [("-", cause) for cause in held]
    now = []
    for alert in ALERTS:
        if (kind, state) in alert.opens and alert.applies(values):
            counts.append(("+", alert.cause(values)))
            now += [] if alert.closes else [alert.cause(values)]
        if (kind, state) in alert.closes:
            counts += [("0", cause) for cause in dict.fromkeys((alert.cause(values), f"{alert.name}/{ANY}"))]
    return Counted(counts=counts, held=now)


def name_of(cause: str) -> str:
    """The alert's, of a cause."""
    return cause.partition("/")[0]
