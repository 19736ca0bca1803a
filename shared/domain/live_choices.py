"""The owner's choices that can change while the app runs, without a restart: which they are, and who changed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from shared.domain.policy import Policy

Choice = int | float | str
BUDGET = ("runs_per_day", "run_cool_down_minutes", "run_least_new_rows")
"""What keeps a dataset version from its run until it is lifted."""
LIVE = (
    *BUDGET,
    "experiment_daily_seconds",
    "release_approval",
    "release_canary_percent",
    "release_baking_seconds",
    "release_latency_ratio",
    "release_shadow_decisions",
    "release_shadow_psi",
    "release_shadow_beyond",
    "implausible_lists",
    "most_unscored_share",
)
"""Fields of the policy; their defaults are what the app settings say."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A choice that is not as the app settings have it."""

    value: Choice
    by: str
    reason: str
    since: str


@dataclass(frozen=True, kw_only=True)
class LiveChoices:
    """All that were changed, as one document."""

    version: int = 0
    """Goes up with each change."""
    operation: str = ""
    """Of the last change."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """By field of the policy: a `Chosen`, as JSON has it."""

    def of(self, name: str) -> Chosen | None:
        return Chosen(**self.chosen[name]) if name in self.chosen else None

    def over(self, policy: Policy) -> Policy:
        """The policy with these in place of what the settings say; a name that an older app does not know is left out."""
        return replace(policy, **{name: self.chosen[name]["value"] for name in LIVE if name in self.chosen})

    def changed(
        self, values: Mapping[str, Choice | None], *, operation: str, by: str, reason: str, since: str
    ) -> LiveChoices:
        """values: None gives a choice back to the app settings"""
        given = {
            name: asdict(Chosen(value=value, by=by, reason=reason, since=since))
            for name, value in values.items()
            if value is not None
        }
        kept = {name: chosen for name, chosen in self.chosen.items() if name not in values}
        return LiveChoices(version=self.version + 1, operation=operation, chosen={**kept, **given})
