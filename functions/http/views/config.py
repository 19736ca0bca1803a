"""The config document as the API shows it: each choice that changes without a restart, and who changed it, and why."""

from __future__ import annotations

from typing import Any

from shared.domain.live_choices import LIVE, LiveChoices
from shared.domain.policy import Policy

Json = dict[str, Any]


def config_body(choices: LiveChoices, settings: Policy) -> Json:
    """settings: the policy as the app settings have it"""
    return {
        "version": choices.version,
        "settings": [choice(name, choices, settings) for name in LIVE],
    }


def changed_settings(choices: LiveChoices | None, settings: Policy) -> list[Json]:
    """Those alone that are not as the app settings have them."""
    return [choice(name, choices, settings) for name in LIVE if choices and name in choices.chosen]


def choice(name: str, choices: LiveChoices, settings: Policy) -> Json:
    chosen, default = choices.of(name), getattr(settings, name)
    about = {"name": name.upper(), "value": chosen.value if chosen else default, "default": default}
    if chosen is None:
        return about
    who = {"changedBy": chosen.by, "changedBecause": chosen.reason, "changedAt": chosen.since}
    return {**about, **who}
