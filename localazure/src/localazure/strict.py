"""Where Azure is less kind than this usually is: each unkindness by name, what it does, and where that is said of Azure.

All of them, or some by name, are on in a part that is started with `--strict [NAMES]`; the workspace also takes other
ones while it runs (`PUT /__localazure/strict`).
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

EVERYTHING = "all"
WORKSPACE, EVENTS = "workspace", "events"


@dataclass(frozen=True, kw_only=True)
class Unkindness:
    """One row of the table."""

    name: str
    part: str
    does: str
    source: str
    """A page of Microsoft's documentation, or a public thread; how sure it is where that is not plain."""
    shown_by: str
    """The test that shows it, as the tables of support name theirs."""
    always: bool = False
    """Whether it is so without being asked for, too."""


UNKINDNESSES = (
    Unkindness(
        name="put-replaces",
        part=WORKSPACE,
        does="a PUT of an endpoint or deployment replaces it: traffic, defaults and tags that it does not name are gone",
        source="REST reference of online and batch endpoints: Create Or Update; that the SDK sends `traffic: {}`",
        always=True,
        shown_by="tests/workspace/test_workspace_strict.py::test_a_put_replaces_tags_and_defaults_and_traffic",
    ),
    Unkindness(
        name="keyless",
        part=WORKSPACE,
        does="datastores hold no credential and give out none, endpoints with keys are refused, and the storage behind the"
        " workspace takes tokens and signatures, no account key",
        source="how-to-disable-local-auth-storage",
        shown_by="tests/workspace/test_workspace_strict.py::test_datastores_hold_no_key_and_endpoints_take_none",
    ),
    Unkindness(
        name="endpoint-busy",
        part=WORKSPACE,
        does="what changes an endpoint or its deployments takes seconds, and any other change of them meanwhile is 409",
        source="how-to-troubleshoot-online-endpoints; azure-sdk-for-net#36961",
        shown_by="tests/workspace/test_workspace_strict.py::test_an_endpoint_takes_one_change_at_a_time",
    ),
    Unkindness(
        name="failed-stays",
        part=WORKSPACE,
        does="an online deployment that has never come up cannot be changed (400): it is deleted and made anew",
        source="one report, not in the documentation",
        shown_by="tests/workspace/test_workspace_strict.py::test_a_deployment_that_never_served_is_made_anew",
    ),
    Unkindness(
        name="preview-retired",
        part=WORKSPACE,
        does="preview API versions of batch endpoints' routes are refused (400)",
        source="Azure's list of services that end: Batch Endpoints Preview APIs, 2026-03-16; it names no versions",
        shown_by="tests/workspace/test_workspace_strict.py::test_preview_versions_of_batch_routes_are_gone",
    ),
    Unkindness(
        name="environments-stay",
        part=WORKSPACE,
        does="a version of an environment that is registered with other content answers 200, and keeps the content it had",
        source="one report, not in the documentation",
        shown_by="tests/workspace/test_workspace_strict.py::test_an_environments_version_keeps_what_it_was",
    ),
    Unkindness(
        name="roles-late",
        part=WORKSPACE,
        does="an endpoint that is asked for the first time refuses whoever has a token (403) for some seconds; where roles"
        " count, an assignment that is added counts after as long",
        source="role-based-access-control/troubleshooting: changes of roles take up to 10 minutes",
        shown_by="tests/workspace/test_workspace_strict.py::test_a_new_endpoint_refuses_a_good_token_for_a_while",
    ),
    Unkindness(
        name="logs-late",
        part=WORKSPACE,
        does="logs of runs that have not ended, and of deployments on their way, answer 200 with a sentence and no log",
        source="mslearn-mlops#72; how-to-troubleshoot-online-endpoints",
        shown_by="tests/workspace/test_workspace_strict.py::test_logs_come_when_a_run_has_ended",
    ),
    Unkindness(
        name="events-twice",
        part=EVENTS,
        does="one event in three is delivered twice",
        source="event-grid/delivery-and-retry: at least once",
        shown_by="tests/events/test_events_strict.py::test_at_a_queue_they_come_plain_and_twice",
    ),
    Unkindness(
        name="events-late",
        part=EVENTS,
        does="one event in three comes up to three seconds late",
        source="event-grid/delivery-and-retry: no promise of when",
        shown_by="tests/events/test_events_strict.py::test_each_of_them_changes_what_is_delivered",
    ),
    Unkindness(
        name="events-unordered",
        part=EVENTS,
        does="one event in three is held back, so that later ones overtake it",
        source="event-grid/delivery-and-retry: no order",
        shown_by="tests/events/test_events_strict.py::test_each_of_them_changes_what_is_delivered",
    ),
    Unkindness(
        name="events-lost",
        part=EVENTS,
        does="one event in ten never comes",
        source="event-grid/delivery-and-retry: dropped after a refusal that is not tried again, and no dead letter",
        shown_by="tests/events/test_events_strict.py::test_each_of_them_changes_what_is_delivered",
    ),
    Unkindness(
        name="events-plain",
        part=EVENTS,
        does="one queue message in two is the event's JSON as it is, the others are base64 of it",
        source="azure-docs#69702 and #102923, azure-sdk-for-net#21449: reports of either",
        shown_by="tests/events/test_events_strict.py::test_at_a_queue_they_come_plain_and_twice",
    ),
    Unkindness(
        name="events-respelt",
        part=EVENTS,
        does="in one event in two, fields of Azure ML's data begin with the other kind of letter, and a blob's eTag is in"
        " quotes",
        source="event-schema-machine-learning beside the SDKs' types; event-schema-blob-storage, whose samples differ",
        shown_by="tests/events/test_events_strict.py::test_fields_are_spelt_in_the_other_way",
    ),
)
NAMES = frozenset(one.name for one in UNKINDNESSES)
LATE_SECONDS = 3.0
"""Of `roles-late`."""
BUSY_SECONDS = 1.0
"""How long a change of an endpoint takes at least, by `endpoint-busy`."""


class NoSuchUnkindness(ValueError):
    """A name that is not in the table; the message lists those that are."""


def chosen(names: Iterable[str]) -> frozenset[str]:
    """All of these, or all there are for `all`; raises NoSuchUnkindness."""
    given = frozenset(filter(None, names))
    if unknown := sorted(given - NAMES - {EVERYTHING}):
        told = ", ".join(one.name for one in UNKINDNESSES)
        raise NoSuchUnkindness(f"there is no unkindness {unknown[0]!r}; there are {EVERYTHING}, {told}")
    return NAMES if EVERYTHING in given else given


def named(text: str) -> frozenset[str]:
    """Those of a list with commas, as it is given on a command line."""
    try:
        return chosen(name.strip() for name in text.split(","))
    except NoSuchUnkindness as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--strict [NAMES]`, read as a set of names."""
    parser.add_argument(
        "--strict",
        type=named,
        nargs="?",
        const=NAMES,
        default=frozenset(),
        metavar="NAMES",
        help="be as unkind as Azure: in everything, or in what is named, with commas",
    )


def late_seconds(names: Collection[str]) -> float:
    """After how long a role counts that is assigned now, with these on."""
    return LATE_SECONDS if "roles-late" in names else 0.0


class Strict:
    """What is on in a running workspace. Safe for threads."""

    def __init__(self, names: frozenset[str], now: Callable[[], float] = time.monotonic) -> None:
        self._given, self._names, self._now = names, names, now
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def names(self) -> list[str]:
        return sorted(self._names)

    def set(self, names: Iterable[str]) -> None:
        """In place of what was on; what was known of lateness is forgotten. raises NoSuchUnkindness"""
        self._names = chosen(names)
        with self._lock:
            self._asked.clear()

    def reset(self) -> None:
        """As it was started."""
        self.set(self._given)

    def late_seconds(self) -> float:
        """After how long a role counts that is assigned now."""
        return late_seconds(self._names)

    def is_too_new(self, resource: str) -> bool:
        """Whether a role on the resource does not work yet: for some seconds from when it is first asked about."""
        if "roles-late" not in self:
            return False
        with self._lock:
            now = self._now()
            return now - self._asked.setdefault(resource, now) < LATE_SECONDS
