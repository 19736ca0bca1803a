"""A batch's plan as it lies beside the output: which version of which file, which model, and where the cuts are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from shared.domain.batches.control_group import ControlGroup
from shared.domain.batches.shard_plan import ShardPlan


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """Written once by `plan_batch`, never changed."""

    batch: str
    name: str
    """The file's, in the container for scoring."""
    etag: str
    endpoint: str
    deployment: str
    version: int
    """The model's."""
    since: str
    """When the model was chosen: the batch's beginning."""
    cut: ShardPlan

    @property
    def model(self) -> str:
        """name:version"""
        return f"{self.cut.contract.dataset}:{self.version}"

    @property
    def control(self) -> ControlGroup | None:
        """The rows that chance draws; None where none are to be."""
        share = self.cut.control_share
        return ControlGroup(batch=self.batch, share=share) if share else None

    def to_json(self) -> dict[str, Any]:
        model = {name: getattr(self, name) for name in ("endpoint", "deployment", "version", "since")}
        return {
            "batch": self.batch,
            "name": self.name,
            "etag": self.etag,
            "model": model,
            "cut": self.cut.to_json(),
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        body = json.loads(text)
        source = {name: body[name] for name in ("batch", "name", "etag")}
        return cls(**source, **body["model"], cut=ShardPlan.from_json(body["cut"]))
