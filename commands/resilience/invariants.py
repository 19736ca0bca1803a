"""What must hold whatever was done to the processes, as read from storage, the workspace's own lists and polled answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import pairwise
from typing import Any

from commands.client import states
from commands.client.status_api import Client
from commands.resilience.site import BATCH_ENDED, NotInTime, Site
from commands.resilience.traffic import Traffic
from commands.stack.errors import StackError
from shared.domain import names
from shared.domain.datasets.manifest import Manifest
from shared.kinds import rank
from shared.resources.storage import QUEUES

DATASET = "bank"
ENDPOINT = "campanha-bank"
UPLOAD_ENDED = ("registered", "replaced", "duplicate", "withdrawn", "rejected")
POLLED = {"uploads": "upload", "datasets": "dataset", "runs": "run", "batches": "batch"}
"""Collections of the API, and the kind of what is in each; a model that answered may answer again."""
WORKED = tuple(queue.name for queue in QUEUES)
"""Queues that have to be empty. A message of a poison queue whose worker was killed five times stays there, as in Azure,
until it is a week old: no host calls an app for it any more, and its fact is in the outbox."""
LOOK_SECONDS = 1.0
STUCK_SECONDS = 60.0
"""A message that lies so long while nothing is broken, with leases of seconds, is stuck."""


class Polling:
    """Other systems poll: no state that they were told may ever be taken back."""

    def __init__(self, site: Site) -> None:
        self._site, self._stopping = site, threading.Event()
        self._seen: dict[tuple[str, str], str] = {}
        self.answers, self.violations = 0, list[str]()
        self._thread = threading.Thread(target=self._poll, name="polling", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(120)

    def _poll(self) -> None:
        client = Client.of(self._site.stack)
        while not self._stopping.wait(LOOK_SECONDS):
            for collection, kind in POLLED.items():
                try:
                    found = client.listed(collection, most=50)
                except StackError:  # the app is down: that is what is tried
                    continue
                self.answers += 1
                for record in found:
                    self._look(kind, record)

    def _look(self, kind: str, record: dict[str, Any]) -> None:
        key = (kind, record["id"])
        state = record["state"]
        history = [each["state"] for each in record.get("history", ())]
        for before, after in [*pairwise(history), (self._seen.get(key, state), state)]:
            if rank(kind, after) < rank(kind, before):
                self.violations.append(f"I4: {kind} {record['id']} was told as {before}, and then as {after}")
        self._seen[key] = state


def violations(site: Site, traffic: Traffic) -> list[str]:
    """Of what has settled; each says which invariant it is of."""
    checks: tuple[tuple[str, Callable[[Site, Traffic], Iterator[str]]], ...] = (
        ("I1", rows_in),
        ("I2", rows_out),
        ("I3", one_submission),
        ("I5", traffic_of_endpoint),
        ("I7", all_ended),
    )
    return [f"{name}: {each}" for name, check in checks for each in check(site, traffic)]


def rows_in(site: Site, traffic: Traffic) -> Iterator[str]:
    """Every row of every acknowledged file is in the newest version, once, or in quarantine."""
    expected = 0
    for name, rows in traffic.files.items():
        if f"incoming/{name}" in traffic.gone:
            continue
        record = site.get(f"uploads/{name}")
        told = record.get("rows", 0) + record.get("rejectedRows", 0)
        if record.get("state") != "registered" or told != rows:
            yield f"{name} has {rows} rows, and is {record.get('state', 'unknown')} with {told}"
        expected += rows - record.get("rejectedRows", 0)
    versions = sorted(int(one["name"]) for one in site.azure_ml(f"data/{DATASET}/versions"))
    if versions != list(range(1, len(versions) + 1)):
        yield f"the workspace has the versions {versions}"
    if versions:
        yield from _newest(site, traffic, versions[-1], expected)


def _newest(site: Site, traffic: Traffic, version: int, expected: int) -> Iterator[str]:
    """expected: its rows, but for those of files that are gone"""
    blob = names.manifest_blob(DATASET, version)
    parts = Manifest.from_json(site.blob(f"{names.DATASETS}/{blob}")).parts
    for what, of in (
        ("parts", [part.content_hash for part in parts]),
        ("files", [part.source["name"] for part in parts]),
    ):
        if twice := [one for one, times in Counter(of).items() if times > 1]:
            yield f"version {version} has {what} twice: {twice}"
    for part in parts:
        lies = _rows_of(site.blob(f"{names.DATASETS}/{names.part_blob(DATASET, part.content_hash)}"))
        if lies != part.rows:
            yield f"the part of {part.source['name']} has {lies} rows, and {part.rows} by the manifest"
    held = sum(part.rows for part in parts if f"incoming/{part.source['name']}" not in traffic.gone)
    if held != expected:
        yield f"version {version} holds {held} rows of {expected}"


def _rows_of(part: bytes) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(BytesIO(part)).num_rows)


def rows_out(site: Site, traffic: Traffic) -> Iterator[str]:
    """Every client of every acknowledged file is scored once, in order, unchanged."""
    for name, lines in traffic.batches.items():
        if f"scoring/{name}" in traffic.gone:
            continue
        batch = site.get(f"lineage/scoring/{name}").get("batch", {})
        if batch.get("state") != "scored":
            yield f"{name} is {batch.get('state', 'unknown')}: {batch.get('reason')}"
            continue
        scored = site.blob(batch["output"]).splitlines()
        delimiter = b";" if b";" in lines[0] else b","
        added = scored[0].count(delimiter) - lines[0].count(delimiter)
        if [line.rsplit(delimiter, added)[0] for line in scored] != list(lines):
            yield f"{name} has {len(lines) - 1} clients, and its output is not them in order ({len(scored) - 1})"


def one_submission(site: Site, traffic: Traffic) -> Iterator[str]:
    """By the workspace's own list: each run that we know was submitted once, and none that we do not know."""
    listed = Counter(
        tag for job in site.azure_ml("jobs") if (tag := job["properties"].get("tags", {}).get("campanha.run"))
    )
    known = {run["id"] for run in site.all("runs")}
    if twice := {name: times for name, times in listed.items() if times > 1}:
        yield f"submitted more than once: {twice}"
    if strange := sorted(set(listed) ^ known):
        yield f"in the workspace or with us, and not in both: {strange}"
    tries = Counter(name.rpartition("-a")[0] for name in listed)
    if again := {version: times for version, times in tries.items() if times > 1}:
        yield f"dataset versions that were trained more than once: {again}"


def traffic_of_endpoint(site: Site, traffic: Traffic) -> Iterator[str]:
    """All of it goes to the model that we say answers."""
    released = [model for model in site.all("models") if model["state"] == "released"]
    if len(released) != 1:
        yield f"{len(released)} models are released: {[model['id'] for model in released]}"
        return
    served = site.azure_ml_one(f"onlineEndpoints/{ENDPOINT}")["properties"]["traffic"]
    wanted = {f"model-{released[0]['version']}": 100}
    if {name: share for name, share in served.items() if share} != wanted:
        yield f"traffic is {served}, and should be {wanted}"


def all_ended(site: Site, traffic: Traffic) -> Iterator[str]:
    """Nothing is stuck, and nothing was given up."""
    for failure in site.all("failures"):
        if failure["state"] == "dead-lettered":
            yield f"given up: {failure.get('about')}: {failure.get('reason')}"
    for queue in WORKED:
        if not _is_emptied(queue, site):
            yield f"{site.held(queue)} messages are in {queue}"


def _is_emptied(queue: str, site: Site) -> bool:
    """A clock may have published something this very moment: only what stays is stuck."""
    try:
        return bool(
            site.until(lambda: not site.held(queue), f"an empty queue {queue}", seconds=STUCK_SECONDS)
        )
    except NotInTime:
        return False


def settle(site: Site, traffic: Traffic, *, seconds: float) -> tuple[float, set[str]]:
    """Waits until all that was acknowledged has come to its end and nothing is under way; the seconds it took, and the
    dead letters that were tried again.

    Work whose worker died five times is given up, since it may be the work that kills: a person is told, and has it tried
    again. That is done here in the person's place, as `./dev failures --retry-all` does it, and counted.

    raises: NotInTime, which says what has not ended
    """
    began, at, retried = time.monotonic(), list[str](), set[str]()

    def settled() -> bool:
        at[:] = []
        try:
            retried.update(_retried(site))
            at[:] = _open(site, traffic)
        except (StackError, OSError) as problem:
            at[:] = [str(problem)]
        return not at

    try:
        site.until(settled, "the end of all", seconds=seconds, at=lambda: at[:8])
    except NotInTime as late:
        raise NotInTime(f"I7: {late}") from late
    return time.monotonic() - began, retried


def _retried(site: Site) -> Iterator[str]:
    client = Client.of(site.stack)
    for failure in client.listed("failures", most=10_000, state="dead-lettered"):
        client.act(f"failures/{failure['id']}/retry", {"reason": "its worker was killed by ./dev chaos"})
        yield str(failure["about"])


def _open(site: Site, traffic: Traffic) -> list[str]:
    open_ = []
    for name in traffic.files:
        if (
            f"incoming/{name}" not in traffic.gone
            and (state := site.get(f"uploads/{name}").get("state")) not in UPLOAD_ENDED
        ):
            open_.append(f"{name} is {state}")
    for name in traffic.batches:
        batch = site.get(f"lineage/scoring/{name}").get("batch", {})
        if f"scoring/{name}" not in traffic.gone and batch.get("state") not in BATCH_ENDED:
            open_.append(f"{name} is {batch.get('state')}")
    counts = site.get("status").get("stateCounts", {})
    if going := states.going(counts):
        open_.append(f"{going} records go on")
    open_ += [f"{queue} holds {held}" for queue in WORKED if (held := site.held(queue))]
    return open_
