"""The kind `alert`: one occurrence of one cause that a person is told of, from when it was raised until it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain import alerts
from shared.domain.facts import AlertOver, AlertRaised, AlertTestRequested
from shared.domain.kinds.field import Moment, public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import END_OF_CAUSE

DELIVERIES = (
    State(name="delivered", tone=Tone.OK, sentence="took the message"),
    State(name="failed", tone=Tone.BAD, sentence="did not take the message"),
)
SEVERITIES = tuple(
    State(name=name, tone=Tone.BAD if name == "page" else Tone.WARN, sentence=sentence)
    for name, sentence in alerts.SEVERITIES.items()
)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What came of a test message in one channel."""

    channel: str = public("The channel's name, as the settings have it.", example="on-call")
    outcome: str = public("What came of it; more words may come.", example="delivered", known=DELIVERIES)
    problem: str | None = public("Why it was not taken.", example="on-call answered 404")


@dataclass(frozen=True, kw_only=True)
class AlertValues:
    """What is known of an alert."""

    name: str = public("Which alert of the table it is.", example="file-late")
    title: str = public("The condition, in a few words.", example="An expected file has not come")
    severity: str = public(
        "Severity, how soon a person is needed: `page`, now; `ticket`, on the next working day; more words may come.",
        example="page",
        known=SEVERITIES,
    )
    says: str = public(
        "The condition, in words.",
        example="no file of bank was admitted by 08:00 (Europe/Lisbon); the last came 26 h before",
    )
    mend: str | None = public("The command that mends it.", example="./dev drop FILE")
    dataset: str | None = public("The dataset that it is about.", example="bank")
    thing: list[str] | None = public(
        "Kind and id of the affected resource: the first, where there are several.",
        example=["batch", "clients-csv-d7147bc7"],
    )
    affected_count: int | None = public("How many things have this one cause.", least=0, example=1)
    started_at: Moment | None = public("When it began.", example="2026-11-24T08:00:00.000+00:00")
    raised_at: Moment | None = public(
        "When it was raised.", entered="raised", example="2026-11-24T08:00:01.120+00:00"
    )
    over_at: Moment | None = public(
        "When it was over.", entered="over", example="2026-11-24T09:12:00.400+00:00"
    )
    reason: str | None = public(
        "Of a test message that was not taken everywhere: why.", example="on-call: on-call answered 404"
    )
    deliveries: list[Delivery] | None = public("Of a test message: what came of it, by channel.")


def _raised(fact: AlertRaised) -> Iterable[Change]:
    alert = alerts.BY_NAME.get(fact.name)
    values = {
        "name": fact.name,
        "title": alert.title if alert else fact.name,
        "severity": alert.severity if alert else "page",
        "says": fact.says,
        "mend": alert.mend_for(fact.dataset, fact.about) if alert else None,
        "dataset": fact.dataset or None,
        "thing": fact.about,
        "affected_count": fact.count,
        "started_at": fact.since,
    }
    yield Change(kind="alert", id=fact.alert, state="raised", values=values)


def _over(fact: AlertOver) -> Iterable[Change]:
    yield Change(kind="alert", id=fact.alert, state="over")


def _test(fact: AlertTestRequested) -> Iterable[Change]:
    values = {
        "name": alerts.TEST,
        "title": "A test message",
        "severity": "ticket",
        "says": f"{fact.by} tries the alert channels; nothing is the matter",
    }
    yield Change(kind="alert", id=fact.alert, state="trying", values=values)


def _links(alert: Thing[AlertValues]) -> Mapping[str, str | None]:
    kind, id_ = alert.values.thing or (None, None)
    return {kind: id_} if kind else {}


ALERT = Kind(
    name="alert",
    plural="alerts",
    sentence="One cause that a person is told of.",
    id_pattern="^[a-z-]+-[0-9a-f]{12}$",
    id_example="file-late-6f3c1d0f2a8b",
    states=(
        State(name="trying", tone=Tone.RUN, sentence="is a test message on its way", waits_for=END_OF_CAUSE),
        State(name="raised", tone=Tone.BAD, sentence="is open", waits_for=END_OF_CAUSE),
        State(name="over", tone=Tone.REST, sentence="is over", final=True),
        State(
            name="failed", tone=Tone.BAD, sentence="is a test message that a channel did not take", final=True
        ),
    ),
    values=AlertValues,
    projections={AlertRaised: _raised, AlertOver: _over, AlertTestRequested: _test},
    links=_links,
)
