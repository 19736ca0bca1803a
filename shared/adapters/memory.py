"""In-memory fakes of every port, held to the same contract suites as the Azure adapters."""

from __future__ import annotations

import itertools
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import IO, Any

from shared.domain.facts import Fact, ShardDue
from shared.errors import Conflict, NotLetIn, Refused, Superseded, Transient, started_with_other_inputs
from shared.ports import (
    Blob,
    Delete,
    DeploymentPlan,
    ExperimentRequest,
    Insert,
    Remove,
    Replace,
    RequestMetrics,
    Row,
    RunRequest,
    RunView,
    Scores,
    ScoringRequest,
    Upsert,
    Write,
)

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class MemoryTable:
    """A table in a dictionary; threads may share it."""

    now: Clock = system_clock
    _rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    _partitions: dict[str, set[str]] = field(default_factory=dict)
    _etags: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def get(self, partition: str, row: str) -> Row | None:
        return self._rows.get((partition, row))

    def insert(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        with self._lock:
            if (partition, row) in self._rows:
                raise Conflict
            return self._store(partition, row, value)

    def replace(self, old: Row, value: dict[str, Any]) -> Row:
        with self._lock:
            current = self._rows.get((old.partition, old.row))
            if current is None or current.etag != old.etag:
                raise Conflict
            return self._store(old.partition, old.row, value)

    def delete(self, old: Row) -> None:
        self._forget(old.partition, old.row)

    def commit(self, partition: str, writes: Sequence[Write]) -> list[str]:
        with self._lock:
            for write in writes:
                self._check(partition, write)
            return [self._write(partition, write) for write in writes]

    def _check(self, partition: str, write: Write) -> None:
        there = self._rows.get((partition, _key(write)))
        match write:
            case Replace() | Remove():
                good = there is not None and there.etag == write.old.etag
            case Upsert():
                good = True
            case _:
                good = (there is None) == isinstance(write, Insert)
        if not good:
            raise Conflict

    def _write(self, partition: str, write: Write) -> str:
        if isinstance(write, Delete | Remove):
            self._forget(partition, _key(write))
            return ""
        return self._store(partition, _key(write), write.value).etag

    def rows(
        self, partition: str, *, limit: int | None = None, after: str = "", before: str = ""
    ) -> Iterator[Row]:
        with self._lock:
            there = tuple(self._partitions.get(partition, ()))
        keys = sorted(row for row in there if row > after and (not before or row < before))
        for key in keys[:limit]:
            row = self._rows.get((partition, key))
            if row is not None:
                yield row

    def _forget(self, partition: str, row: str) -> None:
        with self._lock:
            self._rows.pop((partition, row), None)
            self._partitions.get(partition, set()).discard(row)

    def _store(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        with self._lock:
            etag = f'W/"{next(self._etags)}"'
            stored = Row(partition=partition, row=row, value=dict(value), etag=etag, changed=self.now())
            self._rows[partition, row] = stored
            self._partitions.setdefault(partition, set()).add(row)
            return stored


def _key(write: Write) -> str:
    return write.old.row if isinstance(write, Replace | Remove) else write.row


@dataclass
class MemoryFiles:
    """Blobs in a dictionary, with block staging."""

    now: Clock = system_clock
    chunk_size: int = 64 * 1024
    _blobs: dict[tuple[str, str], tuple[Blob, bytes]] = field(default_factory=dict)
    _blocks: dict[tuple[str, str], dict[int, bytes]] = field(default_factory=dict)
    _etags: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def stat(self, container: str, name: str) -> Blob | None:
        found = self._blobs.get((container, name))
        return found[0] if found else None

    def list(
        self, container: str, *, prefix: str = "", modified_since: datetime | None = None
    ) -> Iterator[Blob]:
        found = [
            (name, blob)
            for (where, name), (blob, _) in self._blobs.items()
            if where == container and name.startswith(prefix)
        ]
        for _, blob in sorted(found, key=itemgetter(0)):
            if modified_since is None or blob.modified >= modified_since:
                yield blob

    def content(self, container: str, name: str) -> bytes | None:
        found = self._blobs.get((container, name))
        return found[1] if found else None

    def read(self, blob: Blob) -> Iterator[bytes]:
        data = self._pinned(blob)
        for start in range(0, len(data), self.chunk_size):
            yield data[start : start + self.chunk_size]

    def read_range(self, blob: Blob, start: int, end: int) -> bytes:
        return self._pinned(blob)[start:end]

    def write(self, container: str, name: str, data: bytes | IO[bytes]) -> None:
        body = data if isinstance(data, bytes) else data.read()
        etag = f"0x{next(self._etags):X}"
        blob = Blob(container=container, name=name, etag=etag, size=len(body), modified=self.now())
        self._blobs[container, name] = (blob, body)

    def write_once(self, container: str, name: str, data: bytes | IO[bytes]) -> bool:
        if (container, name) in self._blobs:
            return False
        self.write(container, name, data)
        return True

    def create(self, container: str, name: str, data: bytes) -> None:
        if not self.write_once(container, name, data) and self.content(container, name) != data:
            raise Conflict(f"{container}/{name} is there with other content")

    def stage(self, container: str, name: str, number: int, data: bytes) -> None:
        self._blocks.setdefault((container, name), {})[number] = data

    def seal(self, container: str, name: str, count: int) -> None:
        blocks = self._blocks.get((container, name), {})
        self.write(container, name, b"".join(blocks[number] for number in range(count)))

    def url(self, container: str, name: str) -> str:
        return f"memory://{container}/{name}"

    def _pinned(self, blob: Blob) -> bytes:
        found = self._blobs.get((blob.container, blob.name))
        if found is None or found[0].etag != blob.etag:
            raise Superseded
        return found[1]


@dataclass
class MemoryBus:
    """Published facts in the two queues they go to, each with the time from which it may be handled."""

    now: Clock = system_clock
    published: list[Fact] = field(default_factory=list)
    waiting: list[tuple[datetime, str, Fact]] = field(default_factory=list)
    announced: list[Fact] = field(default_factory=list)

    def publish(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.published.append(fact)
            queue = "shards" if isinstance(fact, ShardDue) else "steps"
            self.waiting.append((self.now() + timedelta(seconds=fact.delay_seconds), queue, fact))

    def announce(self, facts: Iterable[Fact]) -> None:
        self.announced.extend(facts)

    def take(self) -> list[Fact]:
        """Everything there is, delayed facts included; the queues are empty then."""
        taken, self.waiting = self.waiting, []
        return [fact for _, _, fact in taken]

    def take_due(self, queue: str) -> list[Fact]:
        """What may be handled now; it leaves the queue."""
        due = [item for item in self.waiting if item[0] <= self.now() and item[1] == queue]
        self.waiting = [item for item in self.waiting if item not in due]
        return [fact for _, _, fact in due]


@dataclass
class MemoryWorkspace:
    """Azure ML as the steps see it: datasets, runs and deployments that do as the test says."""

    datasets: dict[tuple[str, int], str] = field(default_factory=dict)
    runs: dict[str, RunView] = field(default_factory=dict)
    started: dict[str, RunRequest | ScoringRequest | ExperimentRequest] = field(default_factory=dict)
    """What each run was started with."""
    documents: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    learned: dict[tuple[str, int], Any] = field(default_factory=dict)
    """The digests of the rows that a model learned from."""
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    traffic: dict[str, dict[str, int]] = field(default_factory=dict)
    requests: dict[tuple[str, str], RequestMetrics] = field(default_factory=dict)
    """By endpoint and deployment: what was asked of it, whenever."""
    cancelled: list[str] = field(default_factory=list)
    state_of_new_deployments: str = "Succeeded"

    def register_dataset(self, name: str, version: int, url: str, tags: dict[str, str]) -> None:
        if self.datasets.setdefault((name, version), url) != url:
            raise Conflict(f"version {version} of {name} points elsewhere")

    def run(self, name: str) -> RunView | None:
        return self.runs.get(name)

    def cancel_run(self, name: str) -> None:
        self.cancelled.append(name)
        if self.runs[name].status not in ("Completed", "Failed"):
            self.runs[name] = replace(self.runs[name], status="Canceled")

    def model_documents(self, name: str, version: int) -> dict[str, Any]:
        if (name, version) not in self.documents:
            raise Transient(f"there is no model {name}:{version}")
        return self.documents[name, version]

    def learned_rows(self, name: str, version: int) -> Any:
        if (name, version) not in self.documents:
            raise Transient(f"there is no model {name}:{version}")
        return self.learned.get((name, version))

    def model_folders(self, name: str) -> dict[int, str]:
        return {version: f"memory://models/{name}/{version}/" for of, version in self.documents if of == name}

    def deployment_state(self, endpoint: str, deployment: str) -> str | None:
        return self.states.get((endpoint, deployment))

    def begin_deployment(self, plan: DeploymentPlan) -> None:
        if self.deployment_state(plan.endpoint, plan.deployment) == "Failed":
            raise Transient(f"{plan.deployment} has failed: it can only be deleted")
        self.states[plan.endpoint, plan.deployment] = self.state_of_new_deployments

    def traffic_of(self, endpoint: str) -> dict[str, int]:
        return dict(self.traffic.get(endpoint, {}))

    def set_traffic(self, endpoint: str, traffic: dict[str, int]) -> None:
        missing = [name for name in traffic if (endpoint, name) not in self.states]
        if missing or sum(traffic.values()) not in (0, 100):
            raise Transient(f"traffic {traffic} cannot be: there is no {missing}, or it is not 100 in all")
        self.traffic[endpoint] = {name: share for name, share in traffic.items() if share}

    def deployments(self, endpoint: str) -> Sequence[str]:
        return [deployment for where, deployment in self.states if where == endpoint]

    def request_metrics(self, endpoint: str, since: datetime, until: datetime) -> dict[str, RequestMetrics]:
        return {name: asked for (where, name), asked in self.requests.items() if where == endpoint}

    def delete_deployment(self, endpoint: str, deployment: str) -> None:
        if self.traffic_of(endpoint).get(deployment):
            raise Transient(f"{deployment} takes traffic")
        self.states.pop((endpoint, deployment), None)


@dataclass
class MemoryPipeline:
    """A published pipeline, whichever it is: remembers each submission, so a test can count them."""

    workspace: MemoryWorkspace
    submissions: list[Any] = field(default_factory=list)
    published: bool = True
    loses: str = ""
    """`request` or `reply`: what is lost of the next submission."""
    ignores_names: bool = False
    """Whether a run is given a name of the service's own."""
    keeps_out: bool = False
    """Whether it knows the caller, who has no role there."""

    def find(self, request: RunRequest | ScoringRequest | ExperimentRequest) -> str | None:
        started = self.workspace.started.items()
        found = next(((run, known) for run, known in started if known.name == request.name), None)
        if found and found[1].digest != request.digest:
            raise Refused(started_with_other_inputs(request.name))
        return found[0] if found else None

    def submit(self, request: RunRequest | ScoringRequest | ExperimentRequest) -> str:
        if not self.published:
            raise Refused("there is no such pipeline: publish it")
        if self.keeps_out:
            raise NotLetIn("the pipeline endpoint answered 403")
        lost, self.loses = self.loses, ""
        run = None if self.ignores_names else self.find(request)
        if lost != "request":
            self.submissions.append(request)
            run = run or (f"batchjob-{len(self.workspace.started)}" if self.ignores_names else request.name)
            self.workspace.started[run] = request
            self.workspace.runs.setdefault(run, RunView(name=run, status="NotStarted"))
        if lost or run is None:
            raise Transient("the pipeline gave no answer")
        return run


@dataclass
class MemoryEndpoint:
    """A model that answers by a formula of the row's first value."""

    model_version: str = ""
    """What it calls itself; empty: the number in the deployment's name."""
    requests: int = 0
    keeps_out: int = 0
    """So many requests are refused first: a role is not there yet."""

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        from shared.domain.models.answers import Answers

        self.requests += 1
        if self.keeps_out:
            self.keeps_out -= 1
            raise NotLetIn(f"deployment {deployment} answered 403")
        first = rows.column(0).to_pylist()
        probability = [round((zlib.crc32(repr(value).encode()) % 997) / 997, 6) for value in first]
        answers = Answers.checked(
            probability,
            [min(int(p * 10), 9) + 1 for p in probability],
            ["call" if p >= 0.5 else "skip" for p in probability],
            rows=len(first),
        )
        return Scores(model_version=self.model_version or deployment.removeprefix("model-"), answers=answers)
