"""What has happened, or is due: the facts that travel through the flow.

A fact is small (it must fit a queue message), immutable, and has a key: two deliveries with one key are one fact.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, ClassVar, Literal, NoReturn, Self

from shared.domain.json_types import called, declared, fits
from shared.domain.names import batch_id, dataset_id, digest, outcome_id
from shared.domain.trace import Trace
from shared.errors import Transient, UnreadableMessage

FACTS: dict[str, type[Fact]] = {}
LONGEST_DELAY = 7 * 24 * 3600
"""Seconds; a queue holds no message back for longer."""
TRACED = "Traced"
"""What a message names as its fact that is one in its trace."""
PROMOTE, ROLL_BACK = "promote", "roll back"
"""Why an operator has a model released."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A domain event: something that happened, delivered once or many times, handled once."""

    hint: ClassVar[bool] = False
    """A hint is a level-triggered signal ("look there now"): handled any number of times, without a ledger entry."""
    trace: ClassVar[Trace | None] = None
    """Which trace it was found in, of a fact that `in_trace` made: an envelope, no field, and no part of what it is."""

    def __init_subclass__(cls) -> None:
        FACTS[cls.__name__] = cls

    @property
    def key(self) -> str:
        """What makes this fact this fact; equal keys are the same fact."""
        raise NotImplementedError

    @property
    def delay_seconds(self) -> int:
        """How long the bus holds the fact back before it is delivered."""
        return 0

    def due_now(self) -> Self:
        """The same fact, held back no more: its time has come."""
        return replace(self, **{"after_seconds": 0}).in_trace(self.trace) if self.delay_seconds else self

    @property
    def fault(self) -> str:
        """Why nobody could deal with it, though each field is of its type; empty mostly."""
        if 0 <= self.delay_seconds <= LONGEST_DELAY:
            return ""
        return f"it would be held back for {self.delay_seconds} s"

    @property
    def waits(self) -> bool:
        """Whether it begins something new, and so waits while work is paused."""
        return False

    @property
    def continues(self) -> tuple[str, str] | None:
        """Kind and id of the thing whose trace it goes on with, whoever finds it due; None: it goes on with the trace of
        what led to it."""
        return None

    def in_trace(self, trace: Trace | None) -> Self:
        """The same fact, found in this trace."""
        if trace == self.trace:
            return self
        traced = object.__new__(type(self))
        traced.__dict__.update(self.__dict__, trace=trace)  # as `copy`, in a tenth of its time
        return traced

    def to_message(self) -> str:
        """What a queue carries: the fact, and its trace around it.

        The trace stands beside the fact and not in it: a version of the app that knows no traces takes the whole for a fact
        of a newer one, and leaves it to that (`from_json`).
        """
        if self.trace is None:
            return self.to_json()
        return f'{{"fact":"{TRACED}","of":{self.to_json()},"traceparent":"{self.trace.traceparent}"}}'

    @classmethod
    def from_message(cls, text: str) -> Self:
        """The fact of a message, in its trace, where it says one that can be read. raises: as `from_json`"""
        body = _object(text)
        if body.get("fact") != TRACED:
            return cls._of_object(body)
        return cls._of_object(body.get("of")).in_trace(Trace.read(body.get("traceparent")))

    def to_json(self) -> str:
        return self._json

    @cached_property
    def _json(self) -> str:
        """Written once: a fact's rows, its claim and its message all carry it."""
        values = {name: getattr(self, name) for name in _types(type(self).__name__)}
        return _WRITTEN({"fact": type(self).__name__, **values})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The fact a message carries, each of its fields of the type that is declared.

        raises: UnreadableMessage when the text is no fact, and never will be one; Transient when its name is not known, as
        that of a fact written by a newer version of the app while that one is being rolled out
        """
        return cls._of_object(_object(text))

    @classmethod
    def _of_object(cls, body: object) -> Self:
        if not isinstance(body, dict) or not isinstance(name := body.pop("fact", None), str):
            raise UnreadableMessage("it names no fact: JSON with a `fact` is wanted")
        kind = FACTS.get(name)
        if kind is None or not issubclass(kind, cls):
            raise Transient("the message names no fact this version knows; was it written by a newer one?")
        return kind._of(body)

    @classmethod
    def _of(cls, body: dict[str, Any]) -> Self:
        faults = _faults(cls.__name__, body)
        if faults:
            raise UnreadableMessage(f"it is no {cls.__name__}: {'; '.join(faults[:5])}")
        try:
            fact = cls(**body)
        except TypeError as cause:
            raise UnreadableMessage(f"it is no {cls.__name__}: only {', '.join(body)} are there") from cause
        if fault := fact.fault:
            raise UnreadableMessage(f"it is no {cls.__name__}: {fault}")
        return fact


_WRITTEN = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def _object(text: str) -> dict[str, Any]:
    """raises: UnreadableMessage"""
    try:
        body = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as cause:
        raise UnreadableMessage(f"it is no JSON: {type(cause).__name__}") from cause
    if not isinstance(body, dict):
        raise UnreadableMessage("it names no fact: JSON with a `fact` is wanted")
    return body


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


@cache
def _types(fact: str) -> dict[str, Any]:
    return declared(FACTS[fact])


def _faults(fact: str, body: dict[str, Any]) -> list[str]:
    types = _types(fact)
    strange = [f"it has no {name[:40]!r}" for name in body if name not in types]
    return strange + [
        f"its {name} is no {called(types[name])}"
        for name, value in body.items()
        if name in types and not fits(value, types[name])
    ]


# --- new data ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class UploadArrived(Fact):
    """A CSV lies complete in the `incoming` container; the ETag says which of its versions."""

    name: str
    etag: str
    attempt: int = 1
    """Higher with each retry by an operator: the same version is validated against the contract again."""

    @property
    def key(self) -> str:
        again = f"-{self.attempt}" if self.attempt > 1 else ""
        return f"upload{again}/{self.name}/{self.etag}"


@dataclass(frozen=True, kw_only=True)
class UploadAdmitted(Fact):
    """The good rows of an upload are a typed part now; the others are in quarantine."""

    upload: str
    name: str
    dataset: str
    content_hash: str
    rows: int
    rejected: int
    source_sha256: str
    part_sha256: str
    readmitted_from: str = ""
    """The upload whose quarantined rows these are, when an operator readmitted them."""
    mended: list[dict[str, Any]] = field(default_factory=list)
    """What was mended on reading: the fields of `kinds.mended.MendedValues`."""

    @property
    def key(self) -> str:
        return f"admitted/{self.upload}"


@dataclass(frozen=True, kw_only=True)
class UploadRejected(Fact):
    """No row of the upload is used; the whole file is in quarantine with the reason."""

    upload: str
    name: str
    reason: str
    source_sha256: str = ""
    """Of the file's bytes; empty when the file was gone before it could be read, and so is not in quarantine."""
    rejected: int = 0
    """Rows that could be read and break the contract; 0 when the file's shape is at fault."""
    dataset: str = ""

    @property
    def key(self) -> str:
        return f"rejected/{self.upload}"


@dataclass(frozen=True, kw_only=True)
class UploadDuplicated(Fact):
    """The upload holds exactly the rows of an earlier one; nothing changes."""

    upload: str
    name: str
    dataset: str
    rows: int
    first_upload: str
    rejected: int = 0
    source_sha256: str = ""
    readmitted_from: str = ""
    mended: list[dict[str, Any]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"known/{self.upload}"


# --- dataset versions -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DatasetDue(Fact):
    """Time to see whether the window of admitted uploads has closed."""

    dataset: str
    cause: str
    after_seconds: int = 0

    @property
    def key(self) -> str:
        return f"dataset-due/{self.dataset}/{self.cause}"

    @property
    def delay_seconds(self) -> int:
        return self.after_seconds


@dataclass(frozen=True, kw_only=True)
class RetrainDue(Fact):
    """The retraining clock ticked for a dataset: take what has gathered, and try again what failed."""

    dataset: str
    tick: str
    asked: bool = False
    """Whether a person asked for it, who is not held to the run budget."""
    drifted: bool = False
    """Whether drift asks for it: few new rows are no reason to wait then; the budget's cool-down and runs a day are."""

    @property
    def key(self) -> str:
        return f"retrain/{self.dataset}/{self.tick}"

    @property
    def waits(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class DatasetRegistered(Fact):
    """Azure ML knows a new version of the dataset."""

    dataset: str
    version: int
    rows: int
    uploads: int

    @property
    def key(self) -> str:
        return f"dataset/{self.dataset}/{self.version}"

    @property
    def waits(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class DriftDue(Fact):
    """What is new in a dataset version is to be held against what the serving model learned, before another learns it."""

    dataset: str
    version: int

    @property
    def key(self) -> str:
        return f"drift/{self.dataset}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class NothingNew(Fact):
    """Nothing had gathered that is not in a version already."""

    dataset: str
    cause: str
    reason: str = ""
    """Why what there is makes no version; empty when there is nothing."""

    @property
    def key(self) -> str:
        return f"nothing-new/{self.dataset}/{self.cause}"


# --- training runs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RunDue(Fact):
    """A dataset version waits for its training run and may have it now."""

    dataset: str
    version: int
    cause: str
    after_seconds: int = 0
    asked: bool = False
    """Whether a person asked for it, who is not held to the run budget."""
    drifted: bool = False
    """As the `RetrainDue`'s."""

    @property
    def key(self) -> str:
        return f"run-due/{self.dataset}/{self.version}/{self.cause}"

    @property
    def continues(self) -> tuple[str, str]:
        return "dataset", dataset_id(self.dataset, self.version)

    @property
    def delay_seconds(self) -> int:
        return self.after_seconds

    @property
    def waits(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class RunStarted(Fact):
    """The published pipeline accepted the run."""

    run: str
    dataset: str
    version: int
    attempt: int = 1

    @property
    def key(self) -> str:
        return f"run/{self.run}/started"


@dataclass(frozen=True, kw_only=True)
class RunPostponed(Fact):
    """The version has to wait: another run of its dataset is under way, the run budget is used up, or a newer version took
    its place."""

    dataset: str
    version: int
    reason: str

    @property
    def key(self) -> str:
        return f"run-postponed/{self.dataset}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class RunMoved(Fact):
    """A run may have changed its state, by an event or the reconciler; the workspace knows whether it has."""

    hint: ClassVar[bool] = True
    run: str

    @property
    def key(self) -> str:
        return f"run/{self.run}/moved"


@dataclass(frozen=True, kw_only=True)
class RunProgressed(Fact):
    """A run was seen under way: where it is, and each of its steps."""

    run: str
    running: bool
    """Whether it is past its start, and not over."""
    status: str
    """As the workspace says it."""
    steps: list[dict[str, Any]]
    batch: str = ""
    """The batch that the run scores, if it does."""

    @property
    def key(self) -> str:
        seen = digest(json.dumps([self.status, self.steps], sort_keys=True))
        return f"run/{self.run}/progress/{seen}"

    @property
    def continues(self) -> tuple[str, str]:
        return "run", self.run


@dataclass(frozen=True, kw_only=True)
class RunFinished(Fact):
    """The run will not move any more."""

    run: str
    dataset: str
    version: int
    status: str
    reason: str = ""

    @property
    def key(self) -> str:
        return f"run/{self.run}/finished"

    @property
    def continues(self) -> tuple[str, str]:
        return "run", self.run


@dataclass(frozen=True, kw_only=True)
class RunFailed(Fact):
    """The run gave no model."""

    run: str
    dataset: str
    version: int
    reason: str

    @property
    def key(self) -> str:
        return f"run/{self.run}/failed"


# --- experiments ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ExperimentDue(Fact):
    """The experimentation clock ticked for a dataset, or somebody asked: look for a better recipe on its newest version."""

    dataset: str
    tick: str
    after_seconds: int = 0

    @property
    def key(self) -> str:
        return f"experiment/{self.dataset}/{self.tick}"

    @property
    def delay_seconds(self) -> int:
        return self.after_seconds

    @property
    def waits(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class ExperimentStarted(Fact):
    """The published experimentation pipeline accepted the run."""

    run: str
    dataset: str
    version: int
    purpose: str

    @property
    def key(self) -> str:
        return f"run/{self.run}/started"


@dataclass(frozen=True, kw_only=True)
class ExperimentPostponed(Fact):
    """Nothing is searched on now: no version is new, one is searched on already, or the day's time is spent."""

    dataset: str
    cause: str
    reason: str

    @property
    def key(self) -> str:
        return f"experiment-postponed/{self.dataset}/{self.cause}"


@dataclass(frozen=True, kw_only=True)
class ExperimentFinished(Fact):
    """The experiment's run will not move any more."""

    run: str
    dataset: str
    version: int
    purpose: str
    status: str
    reason: str = ""

    @property
    def key(self) -> str:
        return f"run/{self.run}/finished"

    @property
    def continues(self) -> tuple[str, str]:
        return "run", self.run


@dataclass(frozen=True, kw_only=True)
class RecipeFound(Fact):
    """An experiment found a recipe: from the next version on it challenges the live one, with no evidence yet."""

    run: str
    dataset: str
    version: int
    purpose: str
    recipe: str
    reason: str
    seconds: float = 0.0
    """That it searched."""

    @property
    def key(self) -> str:
        return f"run/{self.run}/found"


@dataclass(frozen=True, kw_only=True)
class NothingFound(Fact):
    """An experiment found no recipe that is better than those there are."""

    run: str
    dataset: str
    version: int
    purpose: str
    reason: str
    seconds: float = 0.0
    """That it searched."""

    @property
    def key(self) -> str:
        return f"run/{self.run}/nothing"


@dataclass(frozen=True, kw_only=True)
class RivalJudged(Fact):
    """A model that is made in another way than by a recipe was held against the live recipe's; it is never released."""

    run: str
    dataset: str
    version: int
    purpose: str
    verdict: Literal["better", "worse", "undecided"]
    reason: str
    seconds: float = 0.0
    """That the experiment took of the day."""

    @property
    def key(self) -> str:
        return f"run/{self.run}/judged"


@dataclass(frozen=True, kw_only=True)
class ExperimentFailed(Fact):
    """The experiment came to nothing."""

    run: str
    dataset: str
    version: int
    purpose: str
    reason: str

    @property
    def key(self) -> str:
        return f"run/{self.run}/failed"


# --- models -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class JudgementDue(Fact):
    """Another model serves than the one that a model was compared with: its verdict may be another now."""

    run: str
    dataset: str
    version: int
    since_ms: int
    """When the model that serves began to, in milliseconds since 1970."""

    @property
    def key(self) -> str:
        return f"judgement/{self.dataset}/{self.version}{_since(self.since_ms)}"

    @property
    def continues(self) -> tuple[str, str]:
        return "run", self.run


@dataclass(frozen=True, kw_only=True)
class ModelAccepted(Fact):
    """The live recipe's refit passed every guard: it may answer."""

    run: str
    dataset: str
    version: int
    reason: str
    since_ms: int = 0
    """Since when the champion serves that had it judged again (`JudgementDue`); 0: judged when its run was over."""

    @property
    def key(self) -> str:
        return f"model/{self.dataset}/{self.version}{_since(self.since_ms)}/accepted"

    @property
    def waits(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class ModelRefused(Fact):
    """A guard objects to the refit; the champion stays."""

    run: str
    dataset: str
    version: int
    reason: str
    since_ms: int = 0
    """As of an accepted one."""

    @property
    def key(self) -> str:
        return f"model/{self.dataset}/{self.version}{_since(self.since_ms)}/refused"


@dataclass(frozen=True, kw_only=True)
class ModelUndecided(Fact):
    """The rows do not say whether the refit may answer; the champion stays until more rows, or a person, decide."""

    run: str
    dataset: str
    version: int
    reason: str
    rows_needed: int | None = None
    """About how many more rows would decide it."""
    since_ms: int = 0
    """As of an accepted one."""

    @property
    def key(self) -> str:
        return f"model/{self.dataset}/{self.version}{_since(self.since_ms)}/undecided"


@dataclass(frozen=True, kw_only=True)
class ReleaseDue(Fact):
    """A release is under way; time to see how far it is, and what can be done next."""

    run: str
    dataset: str
    version: int
    poll: int
    after_seconds: int
    requested_ms: int = 0
    """When an operator requested it, in milliseconds since 1970; 0: the gate decided it."""
    because: str = ""
    """`promote` or `roll back`, when an operator requested it."""
    by: str = ""
    """Who requested it."""
    approval: str = ""
    """The operation that let it go on after it was held."""
    watching: bool = False
    """Whether the deployment has a share of the traffic, so that it has to be watched whatever else is paused."""

    @property
    def key(self) -> str:
        approved = f"/approved/{self.approval}" if self.approval else ""
        return f"release/{self.dataset}/{self.version}{_round(self.requested_ms)}{approved}/poll/{self.poll}"

    @property
    def continues(self) -> tuple[str, str]:
        return "dataset", dataset_id(self.dataset, self.version)

    @property
    def delay_seconds(self) -> int:
        return self.after_seconds

    @property
    def waits(self) -> bool:
        """An operator's release is done at once: a rollback may be why work is paused."""
        return not self.requested_ms and not self.watching


@dataclass(frozen=True, kw_only=True)
class ModelReleased(Fact):
    """The model answers all traffic of its endpoint; the one before stands by for a rollback."""

    run: str
    dataset: str
    version: int
    deployment: str
    previous: str
    endpoint: str = ""
    requested_ms: int = 0

    @property
    def key(self) -> str:
        return f"model/{self.dataset}/{self.version}{_round(self.requested_ms)}/released"


@dataclass(frozen=True, kw_only=True)
class ReleaseHeld(Fact):
    """The new deployment is made and tested, and gets no traffic before a person approves it."""

    run: str
    dataset: str
    version: int
    reason: str
    until: str
    """When it is decided without a person."""
    requested_ms: int = 0

    @property
    def key(self) -> str:
        return f"model/{self.dataset}/{self.version}{_round(self.requested_ms)}/held"


@dataclass(frozen=True, kw_only=True)
class ReleaseRolledBack(Fact):
    """The new deployment failed its test, its watch, or a person's look: the old one answers all traffic."""

    run: str
    dataset: str
    version: int
    reason: str
    requested_ms: int = 0

    @property
    def key(self) -> str:
        return f"model/{self.dataset}/{self.version}{_round(self.requested_ms)}/rolled-back"


def _since(since_ms: int) -> str:
    return f"/since/{since_ms}" if since_ms else ""


def _round(requested_ms: int) -> str:
    return f"/requested/{requested_ms}" if requested_ms else ""


# --- scoring ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ScoringDue(Fact):
    """The scoring clock ticked: new files of clients are to be found."""

    hint: ClassVar[bool] = True
    tick: str
    late: bool = False
    """The tick was missed, and is made up for now."""

    @property
    def key(self) -> str:
        return f"scoring/{self.tick}"

    @property
    def waits(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class BatchDue(Fact):
    """A file of clients waits to be scored."""

    name: str
    etag: str
    attempt: int = 1
    """Higher each time an operator has it scored anew, although its clients are scored already."""

    @property
    def key(self) -> str:
        again = f"-{self.attempt}" if self.attempt > 1 else ""
        return f"batch{again}/{self.name}/{self.etag}"

    @property
    def batch(self) -> str:
        """The id of the batch it becomes."""
        return batch_id(self.name, self.etag, self.attempt)

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """The fact of this kind that has the key; None for any other."""
        found = re.fullmatch(r"batch(?:-(\d+))?/(.+)/([^/]+)", key)
        return None if found is None else cls(name=found[2], etag=found[3], attempt=int(found[1] or 1))


@dataclass(frozen=True, kw_only=True)
class ProfileDue(Fact):
    """A planned batch waits to be read as a whole, and held against what its model learned."""

    batch: str

    @property
    def key(self) -> str:
        return f"profile/{self.batch}"

    @staticmethod
    def parse(key: str) -> str:
        """The batch in a key of this kind of fact; empty for any other."""
        return key.removeprefix("profile/") if key.startswith("profile/") else ""


@dataclass(frozen=True, kw_only=True)
class BatchHeld(Fact):
    """The file as a whole is so far from what its model learned that a person must look before it is scored."""

    batch: str
    name: str
    reason: str
    columns: list[dict[str, Any]]
    """The fields of `kinds.batch.HeldColumn`."""

    @property
    def key(self) -> str:
        return f"batch/{self.batch}/held"


@dataclass(frozen=True, kw_only=True)
class BatchApproved(Fact):
    """An operator has looked at a held batch: it is to be scored as it is."""

    batch: str
    by: str
    reason: str

    @property
    def key(self) -> str:
        return f"batch/{self.batch}/approved"

    @property
    def continues(self) -> tuple[str, str]:
        return "batch", self.batch


@dataclass(frozen=True, kw_only=True)
class ShardDue(Fact):
    """A stretch of a batch waits to be scored; the batch's plan says which bytes."""

    batch: str
    number: int

    @property
    def key(self) -> str:
        return f"shard/{self.batch}/{self.number}"

    @staticmethod
    def parts(key: str) -> tuple[str, int] | None:
        """Batch and number in a key of this kind of fact; None for any other."""
        found = re.fullmatch(r"shard/(.+)/(\d+)", key)
        return None if found is None else (found[1], int(found[2]))


@dataclass(frozen=True, kw_only=True)
class ShardsScored(Fact):
    """Every stretch of a batch is scored and staged."""

    batch: str

    @property
    def key(self) -> str:
        return f"batch/{self.batch}/shards-scored"


@dataclass(frozen=True, kw_only=True)
class BatchRunDue(Fact):
    """A large batch waits for a run of the scoring pipeline."""

    batch: str
    attempt: int = 1
    cause: str = ""
    after_seconds: int = 0

    @property
    def key(self) -> str:
        return f"batch-run-due/{self.batch}/{self.attempt}/{self.cause}"

    @property
    def delay_seconds(self) -> int:
        return self.after_seconds


@dataclass(frozen=True, kw_only=True)
class BatchRunStarted(Fact):
    """The published scoring pipeline accepted the run."""

    batch: str
    run: str
    dataset: str
    version: int
    attempt: int

    @property
    def key(self) -> str:
        return f"batch-run/{self.run}/started"


@dataclass(frozen=True, kw_only=True)
class BatchRunFinished(Fact):
    """The run that was to score a batch will not move any more."""

    batch: str
    run: str
    attempt: int
    status: str
    reason: str = ""

    @property
    def key(self) -> str:
        return f"batch-run/{self.run}/finished"

    @property
    def continues(self) -> tuple[str, str]:
        return "run", self.run


@dataclass(frozen=True, kw_only=True)
class BatchScored(Fact):
    """Every row of the file came out once; the output is sealed and its manifest written."""

    batch: str
    rows: int
    rejected: int
    deciles: list[int]
    mended: list[dict[str, Any]] = field(default_factory=list)
    """As an upload's."""

    @property
    def key(self) -> str:
        return f"batch/{self.batch}/scored"


@dataclass(frozen=True, kw_only=True)
class BatchDuplicated(Fact):
    """The file holds the bytes of one that was scored before, by the same model: nothing is scored."""

    batch: str
    name: str
    first_batch: str

    @property
    def key(self) -> str:
        return f"batch/{self.batch}/duplicate"


@dataclass(frozen=True, kw_only=True)
class BatchRefused(Fact):
    """The file of clients is not scored: the reason says why, and what to do."""

    batch: str
    name: str
    reason: str

    @property
    def key(self) -> str:
        return f"batch/{self.batch}/refused"


# --- outcomes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OutcomesArrived(Fact):
    """A file of what calls brought lies complete in the `outcomes` container."""

    name: str
    etag: str

    @property
    def key(self) -> str:
        return f"outcomes/{self.name}/{self.etag}"

    @property
    def outcome(self) -> str:
        """The id of the record that says what became of it."""
        return outcome_id(self.name, self.etag)

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """The fact of this kind that has the key; None for any other."""
        found = re.fullmatch(r"outcomes/(.+)/([^/]+)", key)
        return None if found is None else cls(name=found[1], etag=found[2])


@dataclass(frozen=True, kw_only=True)
class OutcomesJoined(Fact):
    """What the file says of its batch's rows is joined to their scores."""

    outcome: str
    name: str
    batch: str
    dataset: str
    version: int
    """The model's that scored them."""
    rows: int
    rejected: int
    blank: int
    repeated: int

    @property
    def key(self) -> str:
        return f"outcome/{self.outcome}/joined"


@dataclass(frozen=True, kw_only=True)
class OutcomesRefused(Fact):
    """No line of the file could be joined: the reason says why, and what to do."""

    outcome: str
    name: str
    reason: str

    @property
    def key(self) -> str:
        return f"outcome/{self.outcome}/refused"


# --- upkeep -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReconcileDue(Fact):
    """The clock says: hold storage and Azure ML against the ledger."""

    hint: ClassVar[bool] = True
    tick: str

    @property
    def key(self) -> str:
        return f"reconcile/{self.tick}"


@dataclass(frozen=True, kw_only=True)
class EndpointProbeDue(Fact):
    """Time to see whether the model that answers for a dataset still answers well."""

    hint: ClassVar[bool] = True
    dataset: str
    tick: str

    @property
    def key(self) -> str:
        return f"probe/{self.dataset}/{self.tick}"


@dataclass(frozen=True, kw_only=True)
class TrafficStrayed(Fact):
    """An endpoint's traffic is not with the model that the ledger says answers."""

    hint: ClassVar[bool] = True
    dataset: str

    @property
    def key(self) -> str:
        return f"traffic/{self.dataset}"


@dataclass(frozen=True, kw_only=True)
class NotificationDue(Fact):
    """Events have happened that are not delivered to every subscriber yet."""

    hint: ClassVar[bool] = True
    tick: str

    @property
    def key(self) -> str:
        return f"telling/{self.tick}"


@dataclass(frozen=True, kw_only=True)
class EventReplayRequested(Fact):
    """An operator has a span of the event history delivered once more."""

    operation: str
    subscribers: list[str]
    """By name."""
    first: int
    end: int
    """The span in the log of events: the number of the first one, and of the one behind the last."""
    since: str
    until: str
    """Only what happened in this time is delivered: what is logged late stands among newer events."""
    type: str = ""
    """Only events whose type begins so; empty: all."""

    @property
    def key(self) -> str:
        return f"event-replay/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class EventReplayDue(Fact):
    """Events from the log's number `next` on are to be delivered to a subscriber once more."""

    operation: str
    subscriber: str
    next: int
    end: int
    since: str
    until: str
    type: str = ""
    told: int = 0
    """How many it took so far."""
    tries: int = 0
    """How often it was too busy to take any from here on."""
    after_seconds: int = 0

    @property
    def key(self) -> str:
        return f"event-replay/{self.operation}/{self.subscriber}/{self.next}/{self.tries}"

    @property
    def delay_seconds(self) -> int:
        return self.after_seconds


@dataclass(frozen=True, kw_only=True)
class StepDeadLettered(Fact):
    """A message failed as often as it may: a dead letter, which waits for a person."""

    queue: str
    about: str
    reason: str
    retries: int = 0
    """How often it was retried after it was dead-lettered before."""
    message: str = ""
    """The text that could not be read, or its beginning; empty where a fact was read from it."""

    @property
    def key(self) -> str:
        again = f"/retry/{self.retries}" if self.retries else ""
        return f"dead-lettered/{self.queue}/{self.about}{again}"


@dataclass(frozen=True, kw_only=True)
class ClockRecovered(Fact):
    """A clock whose step had failed several times in a row did it again."""

    clock: str
    dead_letter: str
    """The key of the dead letter that is over with it."""

    @property
    def key(self) -> str:
        return f"recovered/{self.dead_letter}"


# --- alerts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AlertCheckDue(Fact):
    """A clock ticks: what is the matter may have changed, and what should have happened may not have."""

    hint: ClassVar[bool] = True
    tick: str
    clock: str

    @property
    def key(self) -> str:
        return f"alert-check/{self.tick}"


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Fact):
    """Something is the matter that a person has to know of."""

    alert: str
    """Its id: of this one occurrence of its cause."""
    name: str
    cause: str
    since: str
    says: str
    dataset: str = ""
    about: list[str] | None = None
    """Kind and id of the very thing."""
    count: int = 1

    @property
    def key(self) -> str:
        return f"alert/{self.alert}/raised"

    @property
    def fault(self) -> str:
        if self.about is None or len(self.about) == 2:
            return super().fault
        return f"`about` is a kind and an id, and not {self.about}"


@dataclass(frozen=True, kw_only=True)
class AlertOver(Fact):
    """What an alert was raised for is the matter no more."""

    alert: str

    @property
    def key(self) -> str:
        return f"alert/{self.alert}/over"


@dataclass(frozen=True, kw_only=True)
class AlertDeliveryDue(Fact):
    """Alerts were raised, or are over, that not every channel has told of yet."""

    hint: ClassVar[bool] = True
    tick: str
    wait_seconds: int = 0

    @property
    def key(self) -> str:
        return f"alert-delivery/{self.tick}"

    @property
    def delay_seconds(self) -> int:
        return self.wait_seconds


@dataclass(frozen=True, kw_only=True)
class AlertTestRequested(Fact):
    """An operator asks for a test message through every channel."""

    operation: str
    by: str

    @property
    def key(self) -> str:
        return f"alert-test/{self.operation}"

    @property
    def alert(self) -> str:
        return f"test-{digest(self.operation)[:12]}"


# --- an operator's actions --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OperationRequested(Fact):
    """An action was accepted by the API; the facts it stands for are due."""

    operation: str
    action: str
    """In words: `promote bank:3`."""
    by: str
    facts: list[str]
    """As JSON each."""
    target: list[str] | None = None
    """Kind and id of the record that shows how far it is; else the first fact's outcome does. Then, maybe, the name of the
    file in `scoring`."""

    @property
    def key(self) -> str:
        return self.key_of(self.operation)

    @staticmethod
    def key_of(operation: str) -> str:
        return f"operation/{operation}"


@dataclass(frozen=True, kw_only=True)
class PromotionRequested(Fact):
    """An operator promotes this model version, whatever the gate said of it."""

    dataset: str
    version: int
    operation: str
    requested_ms: int
    by: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        return f"promote/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class RollbackRequested(Fact):
    """An operator takes the traffic from the model that got it last: from the one that is being watched, or else from the
    present one, which the model before it replaces."""

    dataset: str
    operation: str
    requested_ms: int
    by: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        return f"roll-back/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class ReleaseDecided(Fact):
    """An operator's decision on a release that is held."""

    dataset: str
    version: int
    decision: Literal["approved", "rejected"]
    operation: str
    by: str
    reason: str

    @property
    def key(self) -> str:
        return f"release-decided/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class ReleaseNotPossible(Fact):
    """What an operator asked of a release cannot be; the reason says why."""

    operation: str
    dataset: str
    reason: str

    @property
    def key(self) -> str:
        return f"release-not-possible/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class ReadmissionRequested(Fact):
    """An operator readmits an upload's quarantined rows, with the contract's rules on values waived."""

    upload: str
    operation: str

    @property
    def key(self) -> str:
        return f"rows-wanted/{self.upload}"


@dataclass(frozen=True, kw_only=True)
class ReadmissionRefused(Fact):
    """None of the quarantined rows can be read as the contract's types: they stay there."""

    upload: str
    reason: str

    @property
    def key(self) -> str:
        return f"rows-kept/{self.upload}"


@dataclass(frozen=True, kw_only=True)
class QuarantineDecided(Fact):
    """An operator's decision on what an upload left in quarantine."""

    upload: str
    decision: Literal["retried", "readmitted", "discarded"]
    by: str
    reason: str

    @property
    def key(self) -> str:
        return f"quarantine/{self.upload}/{self.decision}"


@dataclass(frozen=True, kw_only=True)
class WithdrawalRequested(Fact):
    """An operator takes an admitted upload out of its dataset."""

    upload: str
    operation: str
    by: str
    reason: str
    retrain: bool = False
    """Whether a model is to be trained without it at once."""

    @property
    def key(self) -> str:
        return f"withdraw/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class UploadWithdrawn(Fact):
    """No dataset version to come has the upload's rows."""

    upload: str
    name: str
    dataset: str
    operation: str
    by: str
    reason: str
    rows_left: int
    """That the next dataset version would have without it."""
    held_by: str = ""
    """Another file that holds the very same rows, so that they stay."""

    @property
    def key(self) -> str:
        return f"withdrawn/{self.upload}"


@dataclass(frozen=True, kw_only=True)
class TrustRequested(Fact):
    """An operator answers for the rows that came in with a dataset version, however implausible they are."""

    dataset: str
    version: int
    operation: str
    by: str
    reason: str
    retrain: bool = False
    """Whether a model is to be trained with them at once."""

    @property
    def key(self) -> str:
        return f"trust/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class RowsTrusted(Fact):
    """The dataset versions to come say that these rows are trusted, and training doubts them no more."""

    dataset: str
    version: int
    operation: str
    by: str
    reason: str

    @property
    def key(self) -> str:
        return f"trusted/{self.dataset}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class DecisionNotPossible(Fact):
    """What an operator decided about rows cannot be; the reason says why."""

    operation: str
    reason: str

    @property
    def key(self) -> str:
        return f"decision-not-possible/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class WorkPaused(Fact):
    """Nothing new is begun until work is resumed."""

    operation: str
    by: str
    reason: str

    @property
    def key(self) -> str:
        return f"work/{self.operation}/paused"


@dataclass(frozen=True, kw_only=True)
class WorkResumed(Fact):
    """Work goes on; whatever waited is due now."""

    operation: str
    by: str
    reason: str

    @property
    def key(self) -> str:
        return f"work/{self.operation}/resumed"


@dataclass(frozen=True, kw_only=True)
class ConfigChanged(Fact):
    """An admin changes choices that need no restart."""

    operation: str
    by: str
    reason: str
    values: dict[str, Any]
    """By field of the policy; null: as the app settings have it."""

    @property
    def key(self) -> str:
        return f"config/{self.operation}"


@dataclass(frozen=True, kw_only=True)
class RetryRequested(Fact):
    """An operator retries a dead-lettered step."""

    failure: str
    about: str
    """The key of the fact whose step it was."""
    operation: str

    @property
    def key(self) -> str:
        return f"retry/{self.operation}"
