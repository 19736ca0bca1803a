"""What a person reads of an alert: one message, whatever channel it goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.domain.alerts import TEST

DASHBOARD = "dashboard/#"


@dataclass(frozen=True, kw_only=True)
class AlertMessage:
    """An alert that is raised, or over; or a test."""

    alert: str
    """Its id: the same in both messages, which a pager closes its incident by."""
    name: str
    over: bool
    severity: str
    title: str
    says: str
    since: str
    until: str = ""
    mend: str = ""
    link: str = ""
    """Opens the very thing on the dashboard; empty where `PUBLIC_URL` is not set."""
    count: int = 1

    @property
    def test(self) -> bool:
        return self.name == TEST

    @property
    def headline(self) -> str:
        word = "Test" if self.test else "Over" if self.over else self.severity.capitalize()
        return f"[{word}] {self.title}" + (f" ({self.count:,})" if self.count > 1 else "")

    @property
    def facts(self) -> dict[str, str]:
        """What else is to be said, by label."""
        said = {"Since": self.since, "Until": self.until if self.over else ""}
        todo = "" if self.over or self.test else self.mend
        said |= {
            "What to do": todo,
            "Runbook": "" if self.test else f"docs/runbook.md#{self.name}",
            "Alert": self.alert,
        }
        return {label: value for label, value in said.items() if value}

    @property
    def text(self) -> str:
        """All of it, as plain lines."""
        lines = [self.says, "", *(f"{label}: {value}" for label, value in self.facts.items()), self.link]
        return "\n".join(lines).rstrip()


def message(alert: str, values: Mapping[str, Any], *, over: bool, public_url: str) -> AlertMessage:
    """values: of the alert's record"""
    entered = dict(values["history"])
    return AlertMessage(
        alert=alert,
        name=values["name"],
        over=over,
        severity=values["severity"],
        title=values["title"],
        says=values["says"],
        since=values.get("started_at") or values["history"][0][1],
        until=entered.get("over", ""),
        mend=values.get("mend") or "",
        link=link(public_url, alert, values.get("thing")),
        count=values.get("affected_count") or 1,
    )


def link(public_url: str, alert: str, about: Sequence[str] | None) -> str:
    """The address of the very thing; where there is none, as of a file that did not come, of the alert."""
    if not public_url:
        return ""
    place = ["open", *about] if about else ["alerts", alert]
    return "/".join([public_url.rstrip("/"), DASHBOARD, *(quote(part, safe="") for part in place)])
