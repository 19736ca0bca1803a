"""A pytest plugin: at the session's end, the ten slowest tests, and how much of each was set-up and tear-down.

Whoever comes first to what many share (an Azurite, a workspace) pays for its start: that is in its set-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

MOST = 10


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds of one test."""

    test: str
    whole: float
    around: float
    """Of these, set-up and tear-down of its fixtures."""


def taken(reports: Iterable[pytest.TestReport]) -> list[Taken]:
    """Of all tests, slowest first. reports: of each test its set-up, call and tear-down, in any order"""
    seconds: dict[str, dict[str, float]] = defaultdict(lambda: {"setup": 0.0, "call": 0.0, "teardown": 0.0})
    for report in reports:
        seconds[report.nodeid][report.when] += report.duration
    found = [
        Taken(test=test, whole=sum(phases.values()), around=phases["setup"] + phases["teardown"])
        for test, phases in seconds.items()
    ]
    return sorted(found, key=lambda each: -each.whole)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Reports of all workers come together here, in the process that started them."""
    reports = [
        report
        for those in terminalreporter.stats.values()
        for report in those
        if isinstance(report, pytest.TestReport)
    ]
    found = taken(reports)
    if not found:
        return
    whole = sum(each.whole for each in found)
    terminalreporter.section(f"the slowest of {len(found):,} tests, {whole:,.0f} s of work in all")
    terminalreporter.line("seconds  around  test")
    for each in found[:MOST]:
        terminalreporter.line(f"{each.whole:7.1f} {each.around:7.1f}  {each.test}")
