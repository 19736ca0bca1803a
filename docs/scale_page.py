"""Writes the tables of docs/operations/scale.md from what was measured, counted and simulated: `python docs/scale_page.py`.

With `--check` nothing is written; the exit code is 1 when the page is not what they give.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kept
from kept import ROOT

PAGE = ROOT / "docs" / "operations" / "scale.md"
RESULTS = ROOT / "bench" / "results"
DECADES = tuple(10**n for n in range(8))
DAY, PEAK = 86_400, 10
"""Seconds; and how many times the mean the busiest second is taken for."""

# Counted by tests/flow/test_scale.py, which fails when they are not so any more.
COMMITS_OF_A_FILE = 2
"""Transactions on the partition `now` for a file that is admitted and joins those that wait."""
ENTITIES_OF_A_FILE = 20
"""Rows of that partition that these read or write."""

# Of Microsoft's pages, read 2026-11-30.
QUEUE = 2_000
"""Messages a second of one queue, of 1 KiB. source: https://learn.microsoft.com/azure/storage/queues/scalability-targets"""
PARTITION = 2_000
"""Entities a second of one partition, of 1 KiB. source: https://learn.microsoft.com/azure/storage/tables/scalability-targets"""
ACCOUNT = 20_000
"""Requests a second of one account. source: as the two before"""
INSTANCES = 40
"""As infra/function-app.bicep has it."""
COMMIT_SECONDS = 0.010
"""A transaction's round trip within a region: assumed, and the one number of this page that is nobody's."""
DIVIDE = "fewer, larger files; then several deployments, each with some of the datasets"
WORKERS = (1, 2, 4, 8, 16, 40)


@dataclass(frozen=True)
class Limit:
    """Something that runs out, and how many files a second it bears."""

    name: str
    per_second: float
    turn: str


def results(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def limits() -> list[Limit]:
    """Those of admission, the lowest first."""
    flow = results("flow")["many"]
    seconds = flow["cpuMsPerFile"]["host"] / 1000
    calls = sum(flow["callsPerFile"].values())
    chain = max(together(workers) for workers in WORKERS)
    found = [
        Limit("one instance's core", 1 / seconds, "nothing: Functions adds instances by itself"),
        Limit(
            "the chain of transactions on `now`",
            chain / COMMITS_OF_A_FILE,
            DIVIDE,
        ),
        Limit("partition `now`, entities", PARTITION / ENTITIES_OF_A_FILE, DIVIDE),
        Limit(
            f"{INSTANCES} instances", INSTANCES / seconds, "`maximumInstanceCount`, and the region's quota"
        ),
        Limit(
            "the account's requests",
            ACCOUNT / calls,
            "Microsoft raises it on request; else as for the partition",
        ),
        Limit("one queue", QUEUE, DIVIDE),
    ]
    return sorted(found, key=lambda one: one.per_second)


def together(workers: int, *, seconds: float = 200.0, seed: int = 1) -> float:
    """Transactions a second that so many instances get through on the one row that says where the event log ends.

    Each works on a file, then commits: against the end as it knows it, and, where another was quicker, reads it and waits
    a little (`back_off` of shared/ledger/append_log.py) before the next try. A discrete simulation, on a clock of its own.
    """
    drawn = random.Random(seed)  # noqa: S311  (no secret)
    work = results("flow")["many"]["cpuMsPerFile"]["host"] / 1000 / COMMITS_OF_A_FILE
    version, known, tries = 0, [0] * workers, [0] * workers
    done = 0
    due = [(drawn.uniform(0, work), worker, "commits") for worker in range(workers)]
    heapq.heapify(due)
    while due[0][0] < seconds:
        now, worker, does = heapq.heappop(due)
        trip = COMMIT_SECONDS * drawn.uniform(0.8, 1.2)
        if does == "reads":
            known[worker] = version
            then = (now + trip, worker, "commits")
        elif known[worker] == version:  # storage decides when the request reaches it
            version += 1
            known[worker], tries[worker] = version, 0
            done += 1
            then = (now + trip + work * drawn.uniform(0.8, 1.2), worker, "commits")
        else:
            back_off = drawn.uniform(0, min(0.25, 0.002 * 2 ** min(tries[worker], 10)))
            tries[worker] += 1
            then = (now + trip + back_off, worker, "reads")
        heapq.heappush(due, then)
    return done / seconds


def decades() -> str:
    """Per decade the first limit, and how much of it is taken at the busiest second."""
    lines = [
        "| files a day | busiest second | first limit | of it taken | the next one | of it taken | what to turn |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    ordered = [limit for limit in limits() if not limit.turn.startswith("nothing")]
    for files in DECADES:
        second = files * PEAK / DAY
        first, following = ordered[0], ordered[1]
        over = [limit for limit in ordered if second > limit.per_second]
        turn = "; ".join(dict.fromkeys(limit.turn for limit in over)) or "nothing"
        lines.append(
            f"| {files:,} | {second:.4g} | {first.name} | {_share(second, first)} | {following.name}"
            f" | {_share(second, following)} | {turn} |"
        )
    return "\n".join(lines)


def capacities() -> str:
    lines = ["| limit | files a second | files a day, evenly | what to turn |", "|---|---|---|---|"]
    lines += [
        f"| {each.name} | {each.per_second:,.0f} | {_rounded(each.per_second * DAY)} | {each.turn} |"
        for each in limits()
    ]
    return "\n".join(lines)


def chain() -> str:
    lines = ["| instances at work | transactions a second |", "|---|---|"]
    lines += [f"| {workers} | {together(workers):.0f} |" for workers in WORKERS]
    return "\n".join(lines)


def _share(second: float, limit: Limit) -> str:
    share = second / limit.per_second
    return f"**{share:,.1f} times**" if share > 1 else f"{share:.2%}" if share < 0.1 else f"{share:.0%}"


def _rounded(number: float) -> str:
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:,.0f}"


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    for name, made in (("decades", decades), ("capacities", capacities), ("chain", chain)):
        text = kept.between(text, f"<!-- {name} -->", f"<!-- /{name} -->", "\n" + made() + "\n")
    return text


def main(arguments: list[str]) -> int:
    made = page()
    current = PAGE.read_text(encoding="utf-8") == made
    if not current and "--check" not in arguments:
        PAGE.write_text(made, encoding="utf-8")
    print(f"{Path(PAGE).relative_to(ROOT)} {'is current' if current else 'is not what was measured'}")
    return 0 if current or "--check" not in arguments else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
