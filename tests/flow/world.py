"""A world in memory for flow tests: a clock that is turned by hand, and a bus that is drained to the last fact."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared import flow, telemetry
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
from shared.domain.policy import Policy
from shared.domain.tables.contract import Contract
from shared.errors import GivenUp, InProgress, Transient
from shared.ledger import Ledger
from shared.ports import RunView, StepView
from shared.procedures.dead_letters import given_up
from shared.services import Services
from simulation.bank import DATASET, HEADER, POLICY, bank_rows, description_of, evaluation_of, golden

__all__ = ["CONTRACTS", "DATASET", "HEADER", "POLICY", "RECIPES", "SOURCE", "BrokenFiles", "World", "bank_rows",
           "description_of", "evaluation_of", "golden"]  # fmt: skip

CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")
RECIPES = load_recipes(Path(__file__).parents[2] / "recipes", first=Policy().first_recipe)
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
            mended=telemetry.mended,
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
            dead = given_up(fact, self.services)
            if dead is not None:
                self.deliver(dead)
                self.ledger.outbox.dead_letter(fact, retries=dead.retries)
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
            documents["golden"] = golden(request.version)
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
