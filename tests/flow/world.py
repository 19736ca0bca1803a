"""A world in memory for flow tests: a clock that is turned by hand, and a bus that is drained to the last fact."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared import flow
from shared.adapters.contracts import load_contracts
from shared.adapters.memory import (
    MemoryBus,
    MemoryEndpoint,
    MemoryFiles,
    MemoryPipeline,
    MemoryTable,
    MemoryWorkspace,
)
from shared.adapters.recipes import load_recipes
from shared.domain.facts import Fact, OutcomesArrived, ReconcileDue, RunMoved, UploadArrived
from shared.domain.models.answers import feature_table
from shared.domain.policy import Policy
from shared.domain.tables.contract import Contract
from shared.errors import GivenUp, InProgress, Transient
from shared.ledger import Ledger
from shared.ports import RunView, StepView
from shared.procedures.dead_letters import dead_letter
from shared.services import Services

CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")
RECIPES = load_recipes(Path(__file__).parents[2] / "recipes", first=Policy().first_recipe)
POLICY = Policy(
    gather_quiet_seconds=10,
    gather_longest_seconds=60,
    gather_most_files=25,
    claim_seconds=60,
    endpoint_probe_seconds=0,
    release_baking_seconds=0,
)
DATASET = "bank"
SOURCE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/campanha"
    "/providers/Microsoft.MachineLearningServices/workspaces/campanha"
)


class BrokenFiles:
    """Files that cannot be read."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def read(self, blob: Any) -> Any:
        raise Transient("the disk is on fire")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


@dataclass
class World:
    """Everything a flow touches, in memory, and the means to look at it."""

    policy: Policy = POLICY
    time: datetime = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    contracts: tuple[Contract, ...] = CONTRACTS
    bus: MemoryBus = field(default_factory=MemoryBus)
    workspace: MemoryWorkspace = field(default_factory=MemoryWorkspace)
    endpoint: MemoryEndpoint = field(default_factory=MemoryEndpoint)
    list_columns: list[dict[str, Any]] = field(default_factory=list)
    """What models ask for of a list, from now on."""

    def __post_init__(self) -> None:
        self.table = MemoryTable(now=self.now)
        self.present = MemoryTable(now=self.now)
        self.files = MemoryFiles(now=self.now)
        self.pipeline = MemoryPipeline(self.workspace)
        self.scoring_pipeline = MemoryPipeline(self.workspace)
        self.experiment_pipeline = MemoryPipeline(self.workspace)
        self.due: list[tuple[datetime, Fact]] = []
        self.remembered: Any = {}
        """By the one process that handles all facts."""
        self.published: set[str] = set()
        """Keys of facts that came from the bus, and so are in the outbox."""

    def now(self) -> datetime:
        return self.time

    @property
    def services(self) -> Services:
        return Services(
            ledger=self.ledger,
            files=self.files,
            workspace=self.workspace,
            pipeline=self.pipeline,
            scoring_pipeline=self.scoring_pipeline,
            experiment_pipeline=self.experiment_pipeline,
            endpoint=self.endpoint,
            bus=self.bus,
            contracts=self.contracts,
            recipes=RECIPES,
            policy=self.policy,
            now=self.now,
            event_source=SOURCE,
            release="checkout",
        )

    @property
    def ledger(self) -> Ledger:
        seconds = self.policy.claim_seconds
        return Ledger(
            self.table,
            present=self.present,
            now=self.now,
            lease_seconds=seconds,
            most_attempts=self.policy.most_attempts,
            remembered=self.remembered,
        )

    def pass_time(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    # --- driving ------------------------------------------------------------------------------------------

    def tell(self, *facts: Fact, within: float = math.inf) -> None:
        """Delivers facts and everything they lead to, turning the clock on to whatever is due next.

        within: seconds; what is due later stays in `due`
        """
        self.due += [(self.time, fact) for fact in facts]
        began = self.time
        while self.due:
            self.due.sort(key=lambda item: item[0])
            if (self.due[0][0] - began).total_seconds() > within:
                break
            when, fact = self.due.pop(0)
            self.time = max(self.time, when)
            self.deliver(fact)

    def deliver(self, fact: Fact) -> None:
        """One delivery, as a trigger makes it; what it publishes waits in `due`."""
        try:
            flow.handle(fact, self.services, expected=fact.key in self.published)
        except InProgress:
            return
        except GivenUp:
            self.due.append((self.time, dead_letter(fact, self.services)))
        finally:
            taken = self.bus.take()
            self.published |= {f.key for f in taken}
            self.due += [(self.time + timedelta(seconds=f.delay_seconds), f) for f in taken]

    # --- what happens outside -----------------------------------------------------------------------------

    def drop(self, name: str, text: str | bytes) -> UploadArrived:
        """Uploads a file and returns the fact its event would tell."""
        self.files.write("incoming", name, text.encode() if isinstance(text, str) else text)
        blob = self.files.stat("incoming", name)
        assert blob is not None
        return UploadArrived(name=name, etag=blob.etag)

    def drop_outcomes(self, name: str, text: str) -> OutcomesArrived:
        """The same of what calls brought."""
        self.files.write("outcomes", name, text.encode())
        blob = self.files.stat("outcomes", name)
        assert blob is not None
        return OutcomesArrived(name=name, etag=blob.etag)

    def finish_run(
        self, name: str, *, status: str = "Completed", within: float = math.inf, **evaluation: Any
    ) -> None:
        """The workspace ends a run, with a model when it completed, and says so. within: as in `tell`"""
        steps = (StepView(name="prepare", status=status),)
        self.workspace.runs[name] = RunView(name=name, status=status, steps=steps)
        request = next((s for s in self.pipeline.submissions if s.name == name), None)
        if status == "Completed" and request:
            documents = {"evaluation": evaluation_of(request.version, request.champion, **evaluation)}
            documents["golden"] = golden(self.endpoint, request.version)
            documents["model"] = {**description_of(request.version), "list_columns": self.list_columns}
            self.workspace.documents[request.dataset, request.version] = documents
        self.tell(RunMoved(run=name), within=within)

    def fail_for_good(self, upload: UploadArrived) -> None:
        """No file can be read while the upload's step is tried, as often as it may fail; a person is told."""
        files, self.files = self.files, BrokenFiles(self.files)  # type: ignore[assignment]
        for _ in range(self.policy.most_attempts):
            try:
                self.deliver(upload)
            except Transient:
                self.pass_time(self.policy.claim_seconds + 1)
            else:
                raise AssertionError("the step did not fail")
        self.tell(ReconcileDue(tick="1"))
        self.files = files

    # --- looking ------------------------------------------------------------------------------------------

    def state(self, kind: str, id_: str) -> str | None:
        record = self.ledger.find(kind, id_)
        return record.state if record else None

    def told(self, kind: type[Fact]) -> list[Any]:
        return [fact for fact in self.bus.announced if isinstance(fact, kind)]


def evaluation_of(
    version: int, champion: str | None, *, worse: bool = False, log_loss: float = 0.2, **more: Any
) -> dict[str, Any]:
    """What the pipeline's evaluation says of a refit that no guard objects to. more: of it

    champion: its folder
    worse: surely worse than the champion
    log_loss: the base rate's is 0.3
    """
    figures = {"auc": 0.8, "log_loss": log_loss, "average_precision": 0.5, "calibration_error": 0.01}
    figures |= {"profit": 100.0, "calls": 10}
    found = 0.02 if worse else -0.01
    compared = {
        "log_loss_difference": found,
        "low": found - 0.005,
        "high": found + 0.005,
        "probability_better": 0.0 if worse else 1.0,
        "resamples": 1000,
    }
    gain = log_loss - 0.3
    body: dict[str, Any] = {
        "rows": 400,
        "positives": 40,
        "challenger": {"name": DATASET, "version": str(version), **figures},
        "champion": None,
        "baseline": {
            **compared,
            "log_loss": 0.3,
            "log_loss_difference": gain,
            "low": gain - 0.02,
            "high": gain + 0.02,
        },
        "comparison": None,
        "newest": None,
        "calibration": {"mean_probability": 0.11, "rate": 0.1, "error": 0.01, "error_by_chance": 0.02},
        "segments": [{"column": "contact", "value": "cellular", "rows": 250, **compared}],
        "model": {
            "sha256": f"{version:064x}",
            "champion_sha256": None,
            "columns": ["age"],
            "list_columns": [],
            "trained_rows": 3600,
            "bytes": 60_000,
            "compiled": {"single": True},
        },
        "forbidden_columns": ["duration", "y"],
        "milliseconds_per_1000_rows": 2.1,
        "recipe": {"name": "blend"},
        "trial": {"live": "0" * 16, "replaced": "", "standings": []},
        **more,
    }
    if champion is not None:
        serves = champion.split("/")[-2]
        body["champion"] = {"name": DATASET, "version": serves, **figures}
        body["comparison"] = {**compared, "auc_difference": 0.01, "profit_difference": 4.0}
        body["newest"] = {"version": version, "rows": 120, **compared}
        body["drift"] = [{"column": "age", "psi": 0.02}]
    return body


def description_of(version: int) -> dict[str, Any]:
    """What model.json says of a model of one member."""
    member = {"name": "trees", "kind": "trees", "columns": ["age"], "weight": 1.0, "sha256": "5e1f" * 16}
    return {
        "format": 2,
        "name": DATASET,
        "version": str(version),
        "features": [{"name": "age", "type": "integer", "minimum": 17, "maximum": 120}],
        "list_columns": [],
        "variants": {"single": {"members": [member]}},
        "importance": {"single": [{"column": "age", "value": 0.41}]},
        "model_sha256": "ab12" * 16,
        "base_rate": 0.11,
    }


def golden(endpoint: MemoryEndpoint, version: int) -> dict[str, Any]:
    rows = [[age] for age in range(20, 40)]
    scores = MemoryEndpoint().score("e", f"model-{version}", feature_table(["age"], rows))
    return {"columns": ["age"], "rows": rows, "probability": scores.answers.scores().tolist()}


HEADER = (
    "age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;"
    "previous;poutcome;y"
)


def bank_rows(count: int, *, start: int = 0) -> str:
    """A file of the `bank` contract with `count` good rows, different for each `start`."""
    lines = [
        f"{20 + (start + i) % 60};technician;married;primary;no;{start + i};no;no;cellular;19;oct;{i};1;-1;0;unknown;"
        + ("yes" if i % 7 == 0 else "no")
        for i in range(count)
    ]
    return "\n".join([HEADER, *lines]) + "\n"
