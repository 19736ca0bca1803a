"""What answers look like, for the API's description. Answers are not made of these: tests hold them against it."""

from __future__ import annotations

from functools import cache
from types import GenericAlias
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

Moment = str
"""RFC 3339, UTC."""


class Shape(BaseModel):
    """Answers may gain fields within a version; they lose none."""

    model_config = ConfigDict(extra="allow")


class Record(Shape):
    """Something whose states follow each other."""

    id: str
    kind: str
    state: str
    seq: int = Field(ge=1, description="Grows by one with each change.")
    created: Moment
    updated: Moment
    history: list[list[str]] = Field(description="The states it was in, each with the time it came into it.")
    links: dict[str, str] = Field(description="Where it, and what it belongs to, is found.")


class Upload(Record):
    kind: Literal["upload"]
    state: Literal["arrived", "admitted", "registered", "known", "rejected"]
    name: str
    etag: str | None = None
    dataset: str | None = None
    rows: int | None = None
    rejected_rows: int | None = None
    content_hash: str | None = None
    sha256: str | None = None
    same_as: str | None = None
    released_from: str | None = None
    reason: str | None = None
    dataset_version: str | None = None


class Dataset(Record):
    kind: Literal["dataset"]
    state: Literal["registering", "registered", "waiting", "training", "trained", "failed"]
    dataset: str
    version: int
    rows: int | None = None
    uploads: list[str] | None = None
    run: str | None = None
    model: str | None = None
    waiting_for: str | None = None
    reason: str | None = None


class Step(Shape):
    name: str
    status: str
    started: Moment | None = None
    ended: Moment | None = None


class Run(Record):
    kind: Literal["run"]
    state: Literal["started", "running", "completed", "canceled", "failed", "accepted", "refused"]
    dataset: str | None = None
    version: int | None = None
    batch: str | None = None
    status: str | None = None
    steps: list[Step] | None = None
    model: str | None = None
    reason: str | None = None


class Model(Record):
    kind: Literal["model"]
    state: Literal["accepted", "refused", "releasing", "released", "previous", "rolled-back"]
    dataset: str
    version: int
    run: str | None = None
    reason: str | None = None
    accepted: bool | None = None
    endpoint: str | None = None
    deployment: str | None = None
    previous_deployment: str | None = None
    figures: dict[str, float | int | None] | None = None
    champion: int | None = None
    champion_figures: dict[str, float | int | None] | None = None
    comparison: dict[str, float | int | None] | None = None
    baseline: dict[str, float | int | None] | None = None
    drift: list[dict[str, Any]] | None = None
    released_at: Moment | None = None
    rolled_back_at: Moment | None = None


class Health(Shape):
    """What the deployment's answers were like lately."""

    status: Literal["pass", "warn", "fail"]
    p50_ms: float | None = None
    p95_ms: float | None = None
    requests: int
    errors: int


class Deployment(Record):
    kind: Literal["deployment"]
    state: Literal["creating", "serving", "standby", "removed"]
    endpoint: str
    deployment: str
    dataset: str
    version: int
    traffic: int = Field(ge=0, le=100, description="Percent.")
    since: Moment | None = None
    health: Health | None = None


class Batch(Record):
    kind: Literal["batch"]
    state: Literal["due", "scoring", "scored", "refused"]
    name: str
    dataset: str | None = None
    model_version: int | None = None
    deployment: str | None = None
    rows: int | None = None
    refused_rows: int | None = None
    shards: int | None = None
    shards_scored: int | None = None
    bytes: int | None = None
    bytes_done: int | None = None
    rows_per_second: int | None = None
    eta_seconds: int | None = None
    started: Moment | None = None
    sealed: Moment | None = None
    output: str | None = None
    parquet: Any = None
    manifest: str | None = None
    decile_counts: list[int] | None = None
    run: str | None = None
    steps: list[Step] | None = None
    reason: str | None = None


class Quarantine(Record):
    kind: Literal["quarantine"]
    state: Literal["held", "retried", "released", "discarded"]
    name: str
    upload: str
    dataset: str | None = None
    rows: int
    whole: bool
    reason: str | None = None
    decided_by: str | None = None
    decided_because: str | None = None


class Failure(Record):
    kind: Literal["failure"]
    state: Literal["given-up", "retried", "resolved"]
    queue: str
    about: str
    reason: str


class About(Shape):
    kind: str
    id: str


class Event(Shape):
    """One move of one thing."""

    id: str
    time: Moment
    type: str = Field(examples=["Campanha.UploadAdmitted.v1"])
    subject: str
    of: About
    data: dict[str, Any]
    sequence: int = Field(ge=0, description="Its number in the list of all events.")


class Serving(Shape):
    version: int
    deployment: str
    endpoint: str
    since: Moment


class DatasetNow(Shape):
    dataset: str
    version: int | None
    rows: int | None = None
    gathering: int = Field(ge=0, description="Files that wait to become the next version.")
    serving: Serving | None
    run: str | None


class Rule(Shape):
    """A row of the flow: when one of these happens, that is done, which leads to those."""

    do: str
    when: list[str]
    leads_to: list[str]
    about: str
    count: int = Field(ge=0, description="How often it was done; kept, never counted.")
    open: int = Field(ge=0, description="How often it is under way or waits.")


class Status(Shape):
    now: Moment = Field(description="When this was answered; no part of the ETag.")
    paused: bool
    attention: int = Field(
        ge=0, description="How much waits for a person: steps given up, and files in quarantine."
    )
    datasets: list[DatasetNow]
    flow: list[Rule]
    counts: dict[str, dict[str, int]]
    uploads: list[Upload]
    runs: list[Run]
    models: list[Model]
    batches: list[Batch]
    failures: list[Failure]


class Trace(Shape):
    """A file's way: from an upload forward, or from a file of clients back."""

    asked: str
    upload: Upload | None = None
    same_as: Upload | None = None
    batch: Batch | None = None
    dataset: Dataset | None = None
    run: Run | None = None
    model: Model | None = None
    deployment: Deployment | None = None
    batches: list[Batch] | None = None
    uploads: list[Upload] | None = None


class Fault(Shape):
    line: int
    column: str = Field(description="Empty when the line as a whole is at fault.")
    value: str
    rule: str
    remedy: str


class Quarantined(Shape):
    upload: Upload
    decision: Quarantine | None
    """What was decided about it; null while the file is being checked again."""
    summary: dict[str, int]
    rows: list[Fault]
    more: bool
    report: str


class Rows(Shape):
    columns: list[str]
    value: list[list[str]]


class ActionError(Shape):
    code: str
    message: str


class Operation(Shape):
    """How far something is that was asked for."""

    id: str
    status: Literal["NotStarted", "Running", "Succeeded", "Failed"]
    action: str
    createdDateTime: Moment
    lastUpdatedDateTime: Moment
    resourceLocation: str | None = None
    detail: str | None = None
    error: ActionError | None = None


class AuditEntry(Shape):
    number: int
    time: Moment
    who: str
    scope: str
    action: str
    target: list[str] | None
    reason: str
    operation: str
    traceId: str
    previous: str
    hash: str


class HealthReport(Shape):
    status: Literal["pass", "fail"]
    checks: dict[str, list[dict[str, str]]]


class Answer(Shape):
    """What the model answered, one value for each record asked."""

    model: str | None = None
    version: str | None = None
    probability: list[float] | None = None
    decision: list[str] | None = None


class FaultOfRequest(Shape):
    where: str
    rule: str


class Problem(Shape):
    """An error, as RFC 9457 has it, with a code that stays the same."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    traceId: str
    errors: list[FaultOfRequest] | None = None


@cache
def page_of(item: type[Shape]) -> type[Shape]:
    """A page of a list of these."""
    fields: dict[str, Any] = {
        "value": (GenericAlias(list, (item,)), ...),
        "nextLink": (str, Field(default_factory=str, description="The next page; absent on the last.")),
    }
    return create_model(f"{item.__name__}Page", __base__=Shape, **fields)
