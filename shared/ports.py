"""What the steps need from outside, as roles; `shared.adapters` plays them.

Each port is as narrow as the steps allow: the fewer verbs, the less an in-memory twin can differ from Azure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from shared.domain.facts import Fact
from shared.domain.names import digest

if TYPE_CHECKING:
    from shared.domain.alert_message import AlertMessage
    from shared.domain.models.answers import Answers


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table as it was when read; its `etag` is the fence for replacing it."""

    partition: str
    row: str
    value: dict[str, Any]
    etag: str
    changed: datetime
    """By the storage server's clock."""


@dataclass(frozen=True, kw_only=True)
class Insert:
    """A row that must not be there yet."""

    row: str
    value: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Replace:
    """A row that must still be `old`."""

    old: Row
    value: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Upsert:
    """A row that holds this from now on, whatever was there."""

    row: str
    value: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Delete:
    """A row that must be there, whatever it holds, and goes."""

    row: str


@dataclass(frozen=True, kw_only=True)
class Remove:
    """A row that must still be `old`, and goes."""

    old: Row


Write = Insert | Replace | Upsert | Delete | Remove


class Table(Protocol):
    """A key-value table with optimistic concurrency: what Azure Table storage promises, and nothing more."""

    def get(self, partition: str, row: str) -> Row | None: ...

    def insert(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        """raises: Conflict when the row exists."""

    def replace(self, old: Row, value: dict[str, Any]) -> Row:
        """raises: Conflict when the row is no longer `old`."""

    def delete(self, old: Row) -> None:
        """Removes the row whatever became of it; absent is fine."""

    def commit(self, partition: str, writes: Sequence[Write]) -> list[str]:
        """Does all the writes, at most 100 to different rows of one partition, or none; raises: Conflict.

        returns: each written row's new ETag, in order; empty for one that is gone
        """

    def rows(
        self, partition: str, *, limit: int | None = None, after: str = "", before: str = ""
    ) -> Iterator[Row]:
        """The partition's rows in the order of their row keys: those greater than `after`, less than `before`."""


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One version of a blob."""

    container: str
    name: str
    etag: str
    size: int
    """Bytes."""
    modified: datetime


class Files(Protocol):
    """Blobs, read at one version and written whole.

    Each call raises: Refused when storage will not have such a name, or so much; Transient when it does not answer.
    """

    def stat(self, container: str, name: str) -> Blob | None: ...

    def list(
        self, container: str, *, prefix: str = "", modified_since: datetime | None = None
    ) -> Iterator[Blob]:
        """Those whose names begin with `prefix`, in the order of their names."""

    def content(self, container: str, name: str) -> bytes | None:
        """The newest version, whole; None when there is none. For what is known to be small."""

    def read(self, blob: Blob) -> Iterator[bytes]:
        """The bytes of exactly this version, in chunks.

        raises: Superseded when the blob was overwritten or deleted.
        """

    def read_range(self, blob: Blob, start: int, end: int) -> bytes:
        """Bytes `start` to `end` (exclusive) of exactly this version; raises: Superseded."""

    def write(self, container: str, name: str, data: bytes | IO[bytes]) -> None:
        """Writes the blob whole, over whatever was there."""

    def write_once(self, container: str, name: str, data: bytes | IO[bytes]) -> bool:
        """Writes the blob whole, unless there is one, which stays as it is; whether it was written."""

    def create(self, container: str, name: str, data: bytes) -> None:
        """Writes the blob whole; fine where it has these bytes already. raises: Conflict where it has others"""

    def stage(self, container: str, name: str, number: int, data: bytes) -> None:
        """Uploads block `number`, uncommitted: doing it again replaces it, and no reader sees it before `seal`."""

    def seal(self, container: str, name: str, count: int) -> None:
        """Makes blocks 0 to `count`-1, in order, the blob; doing it again changes nothing."""

    def url(self, container: str, name: str) -> str:
        """Where Azure ML finds the blob or folder."""


@dataclass(frozen=True, kw_only=True)
class StepView:
    """One step of a run."""

    name: str
    status: str
    started_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run as the workspace sees it now."""

    name: str
    status: str
    error: str = ""
    steps: tuple[StepView, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeploymentPlan:
    """A model behind an endpoint, before it takes traffic."""

    endpoint: str
    deployment: str
    model: str
    version: int


@dataclass(frozen=True, kw_only=True)
class RequestMetrics:
    """What a deployment was asked in some time, as its endpoint counted."""

    requests: int
    errors: int
    """Those that it answered with a fault of its own."""
    p50_ms: float | None
    p95_ms: float | None


class Workspace(Protocol):
    """Azure Machine Learning."""

    def register_dataset(self, name: str, version: int, url: str, tags: dict[str, str]) -> None:
        """Makes the version; the same version with the same url again is fine."""

    def run(self, name: str) -> RunView | None: ...

    def cancel_run(self, name: str) -> None: ...

    def model_documents(self, name: str, version: int) -> dict[str, Any]:
        """The JSON documents in the model's folder, by file name without `.json`."""

    def learned_rows(self, name: str, version: int) -> Any:
        """The digests of the rows that the model learned from, sorted, as an array; None where it does not say."""

    def model_folders(self, name: str) -> Mapping[int, str]:
        """By registered version, archived ones too: where Azure ML finds its folder; empty for an unknown model."""

    def deployment_state(self, endpoint: str, deployment: str) -> str | None:
        """`Creating`, `Succeeded`, `Failed` ...; None when there is none."""

    def begin_deployment(self, plan: DeploymentPlan) -> None:
        """Starts making the deployment, and the endpoint where missing, with no traffic; does not wait."""

    def traffic_of(self, endpoint: str) -> dict[str, int]:
        """Percent by deployment, of those that get any; none where there is no endpoint."""

    def set_traffic(self, endpoint: str, traffic: dict[str, int]) -> None:
        """Percent by deployment; those not named get none."""

    def deployments(self, endpoint: str) -> Sequence[str]: ...

    def request_metrics(
        self, endpoint: str, since: datetime, until: datetime
    ) -> Mapping[str, RequestMetrics]:
        """By deployment that was asked anything, as far as is known: metrics come minutes late. raises: Transient"""

    def delete_deployment(self, endpoint: str, deployment: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The inputs of one run of the published training pipeline."""

    name: str
    """The name we choose; one name, one run."""
    dataset: str
    version: int
    parts_url: str
    manifest_sha256: str
    """Of the dataset version's manifest: what a run is given under its number."""
    champion: str | None = None
    """Where the folder of the model to beat is; None while none serves."""
    earlier: str | None = None
    """Where the folder of the newest model before this version is, whatever became of it; None without one."""
    values: dict[str, float] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of what the run learns from: a run of this name with another digest is not the one that was asked for.

        Which model serves, and what a call costs, may change until the run is looked for.
        """
        return digest(json.dumps([self.dataset, self.version, self.parts_url, self.manifest_sha256]))


@dataclass(frozen=True, kw_only=True)
class ScoringRequest:
    """The inputs of one run of the published scoring pipeline."""

    name: str
    """The name we choose; one name, one run."""
    dataset: str
    model: str
    """`name:version`"""
    model_url: str
    """Where its folder is."""
    plan_url: str
    profile_url: str
    source_url: str
    output: str
    """Folder in the container of scored files."""

    @property
    def digest(self) -> str:
        """Of all that it is given, which its batch's plan has fixed."""
        given = [self.dataset, self.model, self.plan_url, self.profile_url, self.source_url, self.output]
        return digest(json.dumps(given))


@dataclass(frozen=True, kw_only=True)
class ExperimentRequest:
    """The inputs of one run of the published experimentation pipeline."""

    name: str
    """The name we choose; one name, one run."""
    dataset: str
    version: int
    parts_url: str
    manifest_sha256: str
    earlier: str | None
    """Where the folder of the newest model of this version or an older one is; None without one."""
    output: str
    """Folder in the container of recipes."""
    values: dict[str, float] = field(default_factory=dict)
    """What else its pipeline asks for."""

    @property
    def digest(self) -> str:
        """Of what it searches on: how long it may take is no matter of what it is."""
        given = [self.dataset, self.version, self.parts_url, self.manifest_sha256, self.output]
        return digest(json.dumps(given))


RequestT = TypeVar("RequestT", contravariant=True)  # noqa: PLC0105 (a request, of whichever pipeline)


class PipelineEndpoint(Protocol[RequestT]):
    """A published pipeline."""

    def find(self, request: RequestT) -> str | None:
        """The run this request has started already, if any, whether or not the service gave it the name we chose.

        raises: Refused when another request (of another ledger, say) has started a run of that name
        """

    def submit(self, request: RequestT) -> str:
        """Starts the run; returns the workspace's name for it.

        raises: Refused when the answer is a definite no (nothing was started);
        Transient when it is not known whether the run was started.
        """


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a deployment answered."""

    model_version: str
    answers: Answers
    """In the order of the request's rows."""


class ModelEndpoint(Protocol):
    """The REST endpoint behind which the released model answers."""

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        """Scores rows by one deployment by name, past the traffic rules.

        rows: an Arrow record batch with the model's features; an answer comes for each row.
        raises: Transient (busy for too long), Unanswerable (it failed on these rows), Refused.
        """


class ModelApi(Protocol):
    """The model's REST endpoint as any client meets it, past no traffic rule."""

    def score(self, endpoint: str, body: bytes) -> tuple[int, bytes]:
        """POSTs the JSON as it is; the status and the body that came back. raises: Transient when nothing came."""

    def swagger(self, endpoint: str) -> dict[str, Any]:
        """The endpoint's description of itself; raises: Transient."""


class Bus(Protocol):
    """Where facts go on to be handled."""

    def publish(self, facts: Iterable[Fact]) -> None:
        """Has each handled, at least once, in any order, no sooner than its `delay_seconds`."""

    def announce(self, facts: Iterable[Fact]) -> None:
        """These have happened: has subscribers notified soon. Must not fail the work: a reconciliation does so as well."""


class Subscriber(Protocol):
    """A webhook or topic that every event is delivered to, in the order in which they happened."""

    @property
    def name(self) -> str:
        """Stays the same as long as it is the same subscriber; fits a row key."""

    @property
    def consents(self) -> bool:
        """Whether its handshake says that it wants events; if not, only the first that it takes says so."""

    def handshake(self) -> int | None:
        """Checks that it consents to deliveries, before the first one; how many a minute it grants, if it says so.

        raises: Transient, Refused, Gone
        """

    def deliver(self, events: Sequence[dict[str, Any]]) -> int:
        """Delivers the CloudEvents, in order; how many were taken before one was not.

        raises: when not even the first was taken: Transient (try again), Refused (this event), Gone (never again);
            Busy, which says how many were, when it names the time of the next
        """


class AlertChannel(Protocol):
    """Where a person is told of alerts: a chat, a mailbox, a pager."""

    @property
    def name(self) -> str:
        """As the settings have it; fits a row key."""

    @property
    def closes_incidents(self) -> bool:
        """Whether what was raised stays an open incident there until its end is told: a test needs one too."""

    def send(self, message: AlertMessage) -> None:
        """raises: Transient, Refused when it was not taken; neither says an address or a secret"""
