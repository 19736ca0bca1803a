"""Dependency injection for steps: all ports, the policy and the clock in one value; nothing is global or patched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.models.recipe import Recipe
from shared.domain.policy import Policy
from shared.domain.tables.contract import Contract
from shared.ledger import Ledger
from shared.ports import (
    AlertChannel,
    Bus,
    ExperimentRequest,
    Files,
    ModelEndpoint,
    PipelineEndpoint,
    RunRequest,
    ScoringRequest,
    Subscriber,
    Workspace,
)


@dataclass(frozen=True, kw_only=True)
class Services:
    """The outside world, as ports; the owner's choices, as policy; and the time."""

    ledger: Ledger
    files: Files
    workspace: Workspace
    pipeline: PipelineEndpoint[RunRequest]
    scoring_pipeline: PipelineEndpoint[ScoringRequest]
    experiment_pipeline: PipelineEndpoint[ExperimentRequest]
    endpoint: ModelEndpoint
    bus: Bus
    contracts: Sequence[Contract]
    recipes: Sequence[Recipe]
    """The one that a dataset starts with first."""
    policy: Policy
    now: Callable[[], datetime]
    event_source: str
    """Who tells of events: CloudEvents' `source`."""
    subscribers: Sequence[Subscriber] = ()
    release: str = ""
    """Of the code that runs; noted where it matters afterwards which one did the work."""
    alert_channels: Sequence[AlertChannel] = ()
    public_url: str = ""
    """Where people reach the dashboard, for links in messages; empty where it is not known."""
