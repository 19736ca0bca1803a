"""Amounts that the cost page names are those of the template and of what was measured; backups leave nothing out."""

from __future__ import annotations

import json
import re

import pytest

from commands import ROOT
from shared.domain.policy import Policy
from shared.resources.storage import CONTAINERS, EVENT_DEAD_LETTERS, QUEUE_NAMES

COST = (ROOT / "docs" / "operations" / "cost.md").read_text(encoding="utf-8")


def infra(file: str) -> str:
    return (ROOT / "infra" / file).read_text(encoding="utf-8")


def number(before: str, file: str) -> str:
    """What stands behind these words."""
    match = re.search(rf"{re.escape(before)}([0-9]+)", infra(file))
    assert match, f"{file} has no {before}"
    return match[1]


FLOW = json.loads((ROOT / "bench" / "results" / "flow.json").read_text(encoding="utf-8"))["many"]
IDLE = "nodeIdleTimeBeforeScaleDown: 'PT"
AMOUNTS = {
    "private endpoints": f"{infra('private-endpoints.bicep').count(', part: ')} private endpoints",
    "quota of logs": f"at most {number('dailyQuotaGb: ', 'monitoring.bicep')} GB a day",
    "retention": f"{number('retentionInDays: ', 'monitoring.bicep')} days in Log Analytics",
    "queues": f"{len(QUEUE_NAMES)} queues every 10 s: at most {len(QUEUE_NAMES) * 8640:,} requests a day",
    "cluster": f"given back after {number(IDLE, 'workspace.bicep')} idle minutes",
    "instances": f"of the apps ({number('maximumInstanceCount: ', 'function-app.bicep')})",
    "calls": f"{sum(FLOW['callsPerFile'].values()):.0f} storage calls and {FLOW['cpuMsPerFile']['host']:.0f} ms",
    "budget": f"`CAMPANHA_BUDGET` ({number('CAMPANHA_BUDGET=', 'main.parameters.json')} by default",
    "soft delete": f"for {number('deleteRetentionPolicy: { enabled: true, days: ', 'data-storage.bicep')} days",
}


@pytest.mark.parametrize("what", AMOUNTS)
def test_an_amount_is_what_there_is(what: str) -> None:
    assert AMOUNTS[what] in " ".join(COST.split())


def test_what_caps_is_a_setting() -> None:
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    inputs = infra("main.parameters.json")
    named = set(re.findall(r"`([A-Z][A-Z_]{6,})[`=]", COST)) | {"RUNS_PER_DAY"}
    assert named
    assert [name for name in sorted(named) if name not in settings and name not in inputs] == []
    assert Policy().runs_per_day


def test_each_container_is_backed_up_but_what_could_not_be_delivered() -> None:
    page = (ROOT / "docs" / "operations" / "backup.md").read_text(encoding="utf-8")
    loop = re.search(r"^for container in ([a-z -]+); do", page, re.MULTILINE)
    assert loop
    assert loop[1].split() == [each.name for each in CONTAINERS if each.name != EVENT_DEAD_LETTERS]
