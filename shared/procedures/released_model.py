"""The released model of a dataset: which version answers, in which deployment, and which was there before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ledger import Document
from shared.ports import DeploymentPlan


@dataclass(frozen=True, kw_only=True)
class ReleasedModel:
    """What answers for one dataset now."""

    version: int
    endpoint: str
    deployment: str
    previous: str
    """The deployment before it, on standby for a rollback; empty for the first."""
    since: str

    @property
    def deployment_id(self) -> str:
        return f"{self.endpoint}/{self.deployment}"

    @property
    def since_ms(self) -> int:
        """The same in milliseconds since 1970."""
        return round(datetime.fromisoformat(self.since).timestamp() * 1000)

    def plan(self, dataset: str) -> DeploymentPlan:
        return DeploymentPlan(
            endpoint=self.endpoint, deployment=self.deployment, model=dataset, version=self.version
        )


RELEASED = Document(name="released", type=ReleasedModel, placement="standing", shown=True)
"""One per dataset."""
