"""Writes the figures of docs/reliability.md, simulated and of real faults: `python docs/reliability_page.py`.

With `--check` nothing is written; the exit code is 1 when the page is not what the results give.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import kept
from kept import ROOT

RESULTS = ROOT / "bench" / "results" / "simulation.json"
CHAOS = ROOT / "bench" / "results" / "chaos.json"
DAYS = ROOT / "bench" / "results" / "simulated-days.json"
BUGS = ROOT / "bench" / "results" / "seeded-bugs.json"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def wanted() -> dict[Path, str]:
    text = PAGE.read_text(encoding="utf-8")
    for begin, end, results, made in (
        (BEGIN, END, RESULTS, section),
        ("<!-- chaos -->", "<!-- /chaos -->", CHAOS, broken),
        ("<!-- days -->", "<!-- /days -->", DAYS, lived),
        ("<!-- caught -->", "<!-- /caught -->", BUGS, caught),
    ):
        if results.exists():
            text = kept.between(text, begin, end, made(json.loads(results.read_text(encoding="utf-8"))))
    return {PAGE: text}


def broken(found: dict[str, Any]) -> str:
    """What was done to real processes, and how long it took until all was well."""
    scenarios = found["scenarios"]
    violations = sum(len(each["violations"]) for each in scenarios)
    lines = [
        f"**{violations} violations** on {found['when']}, seed {found['seed']}, {found['cores']} cores, load before it"
        f" {found['loadBefore']}.",
        "",
        "| what was done | how often | files, batches meanwhile | answers polled | given up, retried | time to heal |",
        "|---|---|---|---|---|---|",
    ]
    for each in scenarios:
        healed = (
            f"{each['heal_seconds']:.0f} s"
            if each["heal_seconds"] is not None
            else each["not_here"] or "never"
        )
        dropped = f"{each['files']}, {each['batches']}"
        often = f"{each['size']:g} {each['unit']}"
        lines.append(
            f"| {each['breaks']} | {often} | {dropped} | {each['answers']:,} | {each['given_up']} | {healed} |"
        )
    return "\n".join(lines)


def lived(found: list[dict[str, Any]]) -> str:
    """The long runs, and what was broken in each."""
    lines = [
        "| days | uploads | events | instances | choice points | of them gone wrong | minutes | violations |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['days']} | {one['uploads']:,} | {one['events']:,} | {one['instances']} | {one['choicePoints']:,} |"
        f" {one['deviations']:,} | {one['seconds'] / 60:.1f} | {len(one['violations'])} |"
        for one in found
    ]
    return "\n".join(lines)


def caught(found: list[dict[str, Any]]) -> str:
    """Each seeded bug, who found it, and how soon."""
    lines = [
        "| what is planted | scenario | oracle that speaks | schedules until then |",
        "|---|---|---|---|",
    ]
    for one in found:
        schedules = "never" if one["schedules"] is None else f"{one['schedules']:,}"
        lines.append(f"| {one['bug']} | {one['scenario']} | {one['oracle']} | {schedules} |")
    return "\n".join(lines)


def section(found: dict[str, Any]) -> str:
    """What was run, how long it took, and what was broken."""
    machine, pairs = found["machine"], ", all pairs of crashes" if found["pairs"] else ""
    far = ", as far as the time went" if found["cutShort"] else ""
    processes = f"{found['workers']} process{'es' * (found['workers'] != 1)}"
    lines = [
        f"**{found['violations']:,} violations in {found['schedules']:,} schedules** ({found['distinct']:,} of them"
        f" different; each deviation alone{pairs}, and by chance{far}; a program polled the HTTP API in"
        f" {found['polled']:,}), {found['choicePoints']:,} choice points, in"
        f" {found['seconds'] / 60:.0f} minutes by {processes}: {found['perSecond']:,} a second. Seed {found['seed']},"
        f" {found['measured'][:10]}, Python {machine['python']}, {machine['cores']} cores, load before it"
        f" {(machine['loadBefore'] or [0])[0]}.",
        "",
        "| scenario | schedules |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in found["byScenario"].items()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(kept.main(__doc__, wanted()))
