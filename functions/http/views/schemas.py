"""What answers look like, for the API's description. Answers are not made of these: tests hold them against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from functions.http.views.record_schemas import record
from functions.http.views.shape import Address, Moment, Shape, absent, growing, list_of
from shared.domain import names
from shared.kinds import BY_NAME, KINDS, STATUSES_OF

NEWEST = ("upload", "run", "model", "batch", "failure")
"""The kinds whose newest the status shows."""
ANY_ID = "|".join(dict.fromkeys(kind.id_pattern for kind in KINDS))
"""How the id of something is written, whatever its kind."""
NEEDS_PERSON = [(kind.name, state.name) for kind in KINDS for state in kind.states if state.needs_person]
"""The kinds, and their states, in which something waits for a person."""
_WAITING = ", ".join(f"{BY_NAME[kind].plural} `{state}`" for kind, state in NEEDS_PERSON)


class ServingModel(Shape):
    """The model that answers for a dataset."""

    version: int = Field(ge=1, description="The model's version.", examples=[3])
    deployment: str = Field(description="Its deployment.", examples=["model-3"])
    endpoint: str = Field(description="The endpoint it stands behind.", examples=["campanha-bank"])
    releasedAt: Moment = Field(
        description="When it began to answer.", examples=["2026-11-24T08:02:40.300+00:00"]
    )


class Freshness(Shape):
    """Whether what a dataset's contract expects has come."""

    what: str = Field(
        description="`files` to train on, or `batches`: lists that are scored; more may come.",
        examples=["files"],
        json_schema_extra=growing(("files", "batches")),
    )
    state: str = Field(
        description="`on-time`, or `late`: it should have come, and has not; more words may come.",
        examples=["late"],
        json_schema_extra=growing(("on-time", "late")),
    )
    dueAt: Moment = Field(
        description="When it is late without another one; of what is late, since when.",
        examples=["2026-11-24T08:00:00.000+00:00"],
    )
    rule: str = Field(description="What is expected, in words.", examples=["by 08:00 (Europe/Lisbon)"])
    lastAt: Moment = absent(
        description="When the newest came: a file was admitted, a list scored.",
        examples=["2026-11-23T07:12:40.300+00:00"],
    )


class AlertChannel(Shape):
    """Where people are told of alerts."""

    name: str = Field(description="Its name, as the settings have it.", examples=["on-call"])
    status: Literal["pass", "warn", "fail"] = Field(
        description="`warn`: the last try failed; `fail`: three in a row did.", examples=["pass"]
    )
    deliveredAt: Moment = absent(
        description="When it last took a message.", examples=["2026-11-24T08:00:02.000+00:00"]
    )
    failingStartedAt: Moment = absent(
        description="When the first try failed of those that did.", examples=["2026-11-24T08:00:02.000+00:00"]
    )
    problem: str = absent(description="Why the last try failed.", examples=["on-call answered 404"])


class Notifier(Shape):
    """Whether people can be told of alerts."""

    status: str = Field(
        description="`pass`; `warn`: a channel fails; `fail`: all do, and nobody can be told; `none`: no channel is set up;"
        " more words may come.",
        examples=["pass"],
        json_schema_extra=growing(("pass", "warn", "fail", "none")),
    )
    channels: list[AlertChannel] = Field(description="Each channel.")


class DatasetSummary(Shape):
    """A dataset at a glance."""

    dataset: str = Field(description="The dataset's name.", examples=["bank"])
    version: int = absent(ge=1, description="Its newest version.", examples=[3])
    rows: int = absent(ge=0, description="Rows of that version, once it is registered.", examples=[4521])
    waitingUploads: int = Field(
        ge=0, description="Uploads that wait to become the next version.", examples=[2]
    )
    serving: ServingModel = absent(description="The model that answers for it.")
    run: str = absent(description="The run that trains on it now.", examples=["bank-v3-a1"])
    freshness: list[Freshness] = Field(description="Whether what its contract expects has come.")


class FlowRule(Shape):
    """A row of the flow: when one of these facts happens, the step is done, which leads to those."""

    step: str = Field(description="The step.", examples=["admit_upload"])
    when: list[str] = Field(description="The facts it handles.", examples=[["UploadArrived"]])
    leadsTo: list[str] = Field(
        description="The facts it leads to.", examples=[["UploadAdmitted", "UploadRejected"]]
    )
    description: str = Field(
        description="What it does, in a sentence.", examples=["Admission: a file against its contract."]
    )
    doneCount: int = Field(ge=0, description="How often it was done.", examples=[41])
    openCount: int = Field(ge=0, description="How often it is under way or waits.", examples=[0])


class ConfigSetting(Shape):
    """A choice of the owner that changes without a restart."""

    name: str = Field(description="The app setting's name.", examples=["RUNS_PER_DAY"])
    value: int | float | str = Field(description="What holds now.", examples=[5])
    default: int | float | str = Field(description="What the app setting says.", examples=[50])
    changedBy: str = absent(
        description="Who changed it; absent where it is as the setting.", examples=["key:admin"]
    )
    changedBecause: str = absent(description="The reason given.", examples=["month end"])
    changedAt: Moment = absent(description="When.", examples=["2026-11-24T08:05:00.000+00:00"])


class Config(Shape):
    """The choices that change without a restart."""

    version: int = Field(ge=0, description="Goes up with each change.", examples=[3])
    settings: list[ConfigSetting] = Field(description="Each of them.")


class _Glance(Shape):
    asOf: Moment = Field(
        description="When this was answered; no part of the ETag.", examples=["2026-11-24T08:05:00.000+00:00"]
    )
    paused: bool = Field(description="Whether new work is paused.", examples=[False])
    changedSettings: list[ConfigSetting] = Field(
        description="Choices that were changed while the app runs, and are not as the app settings have them."
    )
    attentionCount: int = Field(
        ge=0,
        description=f"How much waits for a person, of whatever kind: {_WAITING}.",
        examples=[1],
    )
    datasets: list[DatasetSummary] = Field(description="Each dataset at a glance.")
    flow: list[FlowRule] = Field(description="What happens when, with how often it did.")
    openAlerts: list[record("alert")] = Field(  # type: ignore[valid-type]
        description="Alerts that are raised now, the newest first; at most 50."
    )
    notifier: Notifier = Field(description="Whether people can be told of it.")
    stateCounts: dict[str, dict[str, int]] = Field(
        description="How many things there are, by kind and state.", examples=[{"upload": {"registered": 12}}]
    )
    mendedCounts: dict[str, int] = Field(
        description="What went otherwise than it should and mended itself, with how often: facts that the"
        " reconciliation found due, by name; `found-open`: files among them whose event had come; `lost-race`: another"
        " worker was quicker; `fence-wait`: a submission got no answer.",
        examples=[{"UploadArrived": 2, "lost-race": 14}],
    )


def _newest() -> dict[str, Any]:
    return {
        BY_NAME[kind].plural: (
            list_of(record(kind)),
            Field(description=f"The newest {BY_NAME[kind].plural}, the newest first."),
        )
        for kind in NEWEST
    }


def _links() -> dict[str, Any]:
    """What a file led to: one of each kind, and where there may be more of them a list."""
    single = ("upload", "batch", "dataset", "run", "model", "deployment", "outcome")
    listed = {
        "batches": ("batch", "The newest batches its model scored."),
        "uploads": ("upload", "The uploads the model's dataset is of."),
        "outcomes": ("outcome", "The newest files of what calling its clients brought."),
    }
    asked = Field(description="The name or the hash that was asked for.", examples=["may.csv"])
    first = "The upload that brought the same rows first."
    return {
        "key": (str, asked),
        **{kind: (record(kind), absent(description=BY_NAME[kind].sentence)) for kind in single},
        "firstUpload": (record("upload"), absent(description=first)),
        **{
            name: (list_of(record(kind)), absent(description=about)) for name, (kind, about) in listed.items()
        },
    }


def _reported() -> dict[str, Any]:
    decided = "What was decided about it; absent while the file is being checked again."
    return {
        "upload": (record("upload"), Field(description="The upload.")),
        "decision": (record("quarantine"), absent(description=decided)),
    }


SystemStatus = create_model("SystemStatus", __base__=_Glance, __doc__="The whole at a glance.", **_newest())
Lineage = create_model(
    "Lineage",
    __base__=Shape,
    __doc__="A file's way: from an upload forward, or from a file of clients, or of what calls brought, back.",
    **_links(),
)


class RuleViolation(Shape):
    """One value, or one line, that breaks a rule of the contract."""

    line: int = Field(ge=1, description="The line in the file; the header is line 1.", examples=[22])
    column: str = Field(
        description="The column; empty when the line as a whole is at fault.", examples=["age"]
    )
    value: str = Field(description="What stands there.", examples=["old"])
    rule: str = Field(description="The rule it breaks.", examples=["a whole number"])
    remedy: str = Field(description="What to do.", examples=["write the age in years, as 41"])


class LineFaults(Shape):
    """The lines of a file of outcomes that could not be used."""

    violations: list[RuleViolation] = Field(description="The first of them.")
    hasMore: bool = Field(description="Whether there are more.", examples=[False])


class _Report(Shape):
    violationsByRule: dict[str, int] = Field(
        description="How many rows break each rule.", examples=[{"age: a whole number": 4}]
    )
    violations: list[RuleViolation] = Field(description="The first violations.")
    hasMore: bool = Field(description="Whether there are more.", examples=[False])
    reportBlob: str = Field(
        description="Container and name of the whole report.",
        examples=["quarantine/may.csv/0x8DD5A3B1C2D4E5F/report.json"],
    )


QuarantineReport = create_model(
    "QuarantineReport", __base__=_Report, __doc__="Why rows of a file lie in quarantine.", **_reported()
)


class ScoredRow(Shape):
    """One row of a scored batch, for people."""

    cells: list[str] = Field(description="A cell for each column.", examples=[["41", "admin.", "0.0312"]])


class ScoredRows(Shape):
    """The first rows of a scored batch, for people."""

    columns: list[str] = Field(description="The columns' names.", examples=[["age", "job", "probability"]])
    rows: list[ScoredRow] = Field(description="The rows, in the file's order.")


class EventReplayPlan(Shape):
    """What a replay of events would deliver."""

    count: int = Field(description="How many would be delivered (events).", ge=0, examples=[2])
    ids: list[str] = Field(
        description="Their ids, the oldest first; the first 1,000 of them.",
        examples=[["6b9dded21cd4c1d41510945afc506f53"]],
    )
    subscribers: list[str] = Field(description="To whom, by name.", examples=[["webhook-4f1c2a9be0d7"]])
    startsAt: Moment = Field(description="When the span begins.", examples=["2026-11-24T08:00:00+00:00"])
    endsAt: Moment = Field(description="When it ends.", examples=["2026-11-24T09:00:00+00:00"])


class OperationError(Shape):
    """Why an operation failed."""

    code: str = Field(description="A code that stays the same.", examples=["ActionFailed"])
    message: str = Field(description="What happened, in words.", examples=["the model failed its smoke test"])


class Operation(Shape):
    """How far something is that was requested."""

    id: str = Field(
        description="The operation's id.", pattern=names.DIGEST, examples=["6f3c1d0f2a8b4a5f9c0d1e2f3a4b5c6d"]
    )
    status: str = Field(
        description="How far it is; more words may come.",
        examples=["Running"],
        json_schema_extra=growing(status.name for status in STATUSES_OF["progress"]),
    )
    action: str = Field(description="What was requested, in words.", examples=["promote bank:3"])
    createdAt: Moment = Field(
        description="When it was requested.", examples=["2026-11-24T08:01:00.000+00:00"]
    )
    lastModifiedAt: Moment = Field(
        description="When it last changed.", examples=["2026-11-24T08:01:05.000+00:00"]
    )
    resourceLocation: Address = absent(
        description="The address of what it is about.", examples=["/api/models/bank/3"]
    )
    detail: str = absent(
        description="What else is to be said of it.",
        examples=["nothing new had gathered, and the last run did not fail"],
    )
    error: OperationError = absent(description="Why it failed.")


class AuditTarget(Shape):
    """The thing an action was about."""

    kind: str = Field(description="The thing's kind.", examples=["model"])
    id: str = Field(description="The thing's id.", pattern=ANY_ID, examples=["bank:3"])


class AuditEntry(Shape):
    """One action that was requested; each entry carries the hash of the one before it."""

    sequence: int = Field(ge=0, description="Its number in the audit trail.", examples=[7])
    recordedAt: Moment = Field(
        description="When it was requested.", examples=["2026-11-24T08:01:00.000+00:00"]
    )
    caller: str = Field(description="Who requested it.", examples=["key:operator"])
    scope: str = Field(description="What the caller's credential opens.", examples=["operator"])
    action: str = Field(description="What was requested, in words.", examples=["promote bank:3"])
    target: AuditTarget = absent(description="The thing it was about, where that was known.")
    reason: str = Field(description="The reason given; empty when none was.", examples=["lower log loss"])
    operationId: str = Field(
        description="The operation that came of it.",
        pattern=names.DIGEST,
        examples=["6f3c1d0f2a8b4a5f9c0d1e2f3a4b5c6d"],
    )
    traceId: str = Field(
        description="The request's trace.",
        pattern=names.DIGEST,
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    previousHash: str = Field(
        description="The hash of the entry before; zeros for the first.",
        pattern=names.SHA256,
        examples=["0" * 64],
    )
    hash: str = Field(
        description="SHA-256 over all of this entry but itself, and its number.",
        pattern=names.SHA256,
        examples=["0" * 64],
    )


class HealthCheck(Shape):
    """What one check found."""

    status: Literal["pass", "warn", "fail"] = Field(description="What it found.", examples=["pass"])
    output: str = absent(
        description="What is wrong, or worth knowing.",
        examples=[
            "ScoringDue failed 3 times in a row, the last time with Transient: blob storage does not answer"
        ],
    )


class HealthReport(Shape):
    """Whether Campanha could work now."""

    status: Literal["pass", "warn", "fail"] = Field(description="The whole in a word.", examples=["pass"])
    releaseId: str = Field(
        description="Which release of the app answers: what its package is named by; `checkout` where nothing was packed.",
        pattern=r"^([0-9a-f]{12}|checkout)$",
        examples=["3f9ab64f21c7"],
    )
    checks: dict[str, list[HealthCheck]] = Field(
        description="What each check found, by its name.", examples=[{"ledger:read": [{"status": "pass"}]}]
    )


class CardMember(Shape):
    """A file that the model learned from."""

    upload: str = Field(description="The id of the upload.", examples=["upload/may.csv/0x8DD5A3B1C2D4E5F"])
    rows: int = Field(ge=0, description="Its good rows.", examples=[4521])
    contentHash: str = Field(
        description="The hash of its rows' meaning.", pattern=names.SHA256, examples=["9f86d081884c7d65" * 4]
    )
    sha256: str = Field(
        description="The hash of the part's bytes.", pattern=names.SHA256, examples=["9f86d081884c7d65" * 4]
    )


class CardData(Shape):
    """What the model learned from."""

    version: int = Field(ge=1, description="The dataset version.", examples=[3])
    rows: int = Field(ge=0, description="Rows of all its files.", examples=[4521])
    repeats: str = Field(
        description="Whether a row that repeats another is learned from `once`, or `each` time.",
        examples=["once"],
    )
    members: list[CardMember] = Field(description="Its files, the oldest first.")


class ModelCard(Shape):
    """A model card. What training wrote is passed through: it may gain fields at any time."""

    id: str = Field(description="The model, as name:version.", pattern=names.DATASET_ID, examples=["bank:3"])
    model: record("model") = Field(  # type: ignore[valid-type]
        description="What the ledger knows of it: the verdict, its figures with intervals, and its releases."
    )
    data: CardData = Field(description="What it learned from.")
    features: list[dict[str, Any]] = Field(
        description="The columns that it reads, with their types, words and bounds.",
        examples=[[{"name": "age", "type": "integer", "minimum": 17, "maximum": 120}]],
    )
    listColumns: list[dict[str, Any]] = Field(
        description="The columns that describe the whole list that a client stands on.",
        examples=[[{"name": "list_clients", "log_of": "rows"}]],
    )
    variants: dict[str, list[dict[str, Any]]] = Field(
        description="By variant its members: kind, columns, weight and hash of each.",
        examples=[{"single": [{"name": "trees", "kind": "trees", "weight": 1.0}]}],
    )
    importance: dict[str, list[dict[str, Any]]] = Field(
        description="By variant: how far each column moves held-out clients' log-odds, on average.",
        examples=[{"single": [{"column": "euribor3m", "value": 0.612}]}],
    )
    hashes: dict[str, str] = Field(
        description="Of what it answers by (`model`), of all rows of its version (`dataset`), of those it was judged on"
        " (`holdOut`), of the list of its data (`manifest`).",
        examples=[
            {"model": "9f86d081884c7d65", "holdOut": "60303ae22b998861", "manifest": "fd61a03af4f77d87"}
        ],
    )
    training: dict[str, Any] = Field(
        description="What else training said of it: recipe, costs, base rate, rows, deciles.",
        examples=[{"base_rate": 0.1127, "call_cost": 10}],
    )
    evaluation: dict[str, Any] = Field(
        description="Its evaluation as it was written: figures, comparison, calibration, segments, evidence.",
        examples=[{"rows": 4940, "challenger": {"auc": 0.794}}],
    )
    driftBaseline: dict[str, Any] = Field(
        description="How its training rows were distributed, by column: what drift is measured from.",
        examples=[{"rows": 41188, "columns": []}],
    )


class ScoreReason(Shape):
    """A column that moved a score."""

    column: str = Field(description="The column.", examples=["euribor3m"])
    contribution: float = Field(
        description="How far it moved the log-odds; above 0 it makes a yes likelier.", examples=[0.412]
    )


class ScoreResponse(Shape):
    """What the model answered, one value for each record."""

    model: str = absent(description="The model's name.", examples=["bank"])
    version: str = absent(description="Its version.", examples=["3"])
    variant: str = absent(
        description="Which of the model's variants answered: `list`, with what describes the whole list that the clients"
        " stand on, or `single`, without.",
        examples=["single"],
    )
    probability: list[float | None] = absent(
        description="How likely each client subscribes, 0 to 1; null for a record that breaks the contract.",
        examples=[[0.0312, 0.6107, None]],
    )
    decision: list[str | None] = absent(
        description="Whether each is worth a call; null for a record that breaks the contract.",
        examples=[["skip", "call", None]],
    )
    problem: list[str | None] = absent(
        description="What is wrong with each record; there only if something is wrong with one.",
        examples=[[None, None, "age: '-5' is below 17 (the contract allows 17 to 120)"]],
    )
    expected: float = absent(
        description="There if reasons were asked for: the log-odds of a client of whom nothing is known. With the"
        " contributions of all columns it adds up to a record's log-odds.",
        examples=[-2.31],
    )
    reasons: list[list[ScoreReason] | None] = absent(
        description="There if they were asked for: of each record the columns that moved its score most, the first the"
        " most; null for a record that breaks the contract.",
        examples=[[[{"column": "euribor3m", "contribution": 0.412}], [], None]],
    )


class InvalidParameter(Shape):
    """A part of a request that breaks a rule."""

    location: str = Field(description="Where in the request.", examples=["query.maxpagesize"])
    rule: str = Field(description="The rule that holds there.", examples=["at most 200"])


class Problem(Shape):
    """An error, as RFC 9457 has it, with a code that stays the same."""

    type: Address = Field(description="A URI of the kind of problem.", examples=["about:blank"])
    title: str = Field(description="The status in words.", examples=["Bad Request"])
    status: int = Field(ge=400, le=599, description="The HTTP status.", examples=[400])
    detail: str = Field(
        description="What is wrong, and what to do.",
        examples=["The request breaks the rules named in `errors`."],
    )
    instance: Address = Field(description="The request's path.", examples=["/api/uploads"])
    code: str = Field(description="A code that stays the same; more may come.", examples=["InvalidParameter"])
    traceId: str = Field(
        description="The request's trace; empty before it has one.",
        pattern="^([0-9a-f]{32})?$",
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    errors: list[InvalidParameter] = absent(description="The parts of the request that break a rule.")
