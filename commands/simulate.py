"""Run the flow over simulated storage, queues, workspace and clocks, where anything may fail at any call.

Each schedule is a scenario, a seed and the choices that differ from the plain order; docs/reliability.md says what is held
to be true of all of them. The first that breaks it is shrunk and shown, with the command that runs it again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import sys
from datetime import UTC, datetime
from typing import Any

from commands import ROOT
from commands.setup.machine import load, machine

RESULTS = ROOT / "bench" / "results" / "simulation.json"
DAYS = ROOT / "bench" / "results" / "simulated-days.json"
CHECKPOINT = ROOT / ".simulated.json"
USUAL = 20_000


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    made.add_argument(
        "--schedules",
        type=int,
        default=USUAL,
        metavar="N",
        help=f"each deviation alone, and others by chance until there are so many (default: {USUAL:,})",
    )
    made.add_argument("--seed", type=int, default=1, help="of chance (default: 1)")
    made.add_argument(
        "--scenario", action="append", default=[], metavar="NAME", help="only this one; may be repeated"
    )
    made.add_argument(
        "--pairs",
        action="store_true",
        help="and all pairs of crashes that leave something else behind (some 23,000)",
    )
    made.add_argument(
        "--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes (default: 2)"
    )
    made.add_argument(
        "--minutes", type=float, default=math.inf, metavar="M", help="as many as in so many minutes"
    )
    made.add_argument(
        "--resume",
        action="store_true",
        help="go on from where a run of the same schedules and the same code was ended (it notes how far it is)",
    )
    made.add_argument(
        "--days", type=int, default=0, help="instead: so many days of many files, faults all day"
    )
    made.add_argument("--uploads", type=int, default=2000, metavar="N", help="of a day (default: 2000)")
    made.add_argument("--copies", type=int, default=1, metavar="N", help="events of each upload (default: 1)")
    made.add_argument(
        "--replay", metavar="SCENARIO:SEED:CHOICES", help="one schedule again, as a failure names it"
    )
    made.add_argument(
        "--trace",
        action="store_true",
        help="with --replay: every choice point and what changed there, as JSON",
    )
    made.add_argument("--list", action="store_true", help="the scenarios, and what each is about")
    made.add_argument(
        "--record",
        action="store_true",
        help=f"write {RESULTS.relative_to(ROOT)}, or with --days add to {DAYS.name} beside it; the docs show them",
    )
    made.add_argument("--json", action="store_true", help="print one JSON document")
    given = made.parse_args(arguments)
    scenarios = importlib.import_module("simulation.scenarios").SCENARIOS
    unknown = [name for name in [*given.scenario, *_named(given.replay)] if name not in scenarios]
    if unknown:
        print(f"There is no scenario {unknown[0]!r}; there are {', '.join(scenarios)}.", file=sys.stderr)
        return 2
    if given.list:
        return _listed(scenarios, given)
    if given.days:
        return _lived(given)
    return _replayed(given) if given.replay else _explored(given)


def _named(replay: str | None) -> list[str]:
    return [replay.partition(":")[0]] if replay else []


def _listed(scenarios: Any, given: argparse.Namespace) -> int:
    if given.json:
        print(json.dumps({"value": [{"name": one.name, "says": one.says} for one in scenarios.values()]}))
        return 0
    for one in scenarios.values():
        print(f"{one.name:<10} {one.says}")
    return 0


def _replayed(given: argparse.Namespace) -> int:
    explore, runs, shrink = (
        importlib.import_module(f"simulation.{name}") for name in ("explore", "runs", "shrink")
    )
    try:
        scenario, seed, deviations = runs.read_replay(given.replay)
    except ValueError:
        print("A schedule is written SCENARIO:SEED:POINT=OPTION,POINT=OPTION ...", file=sys.stderr)
        return 2
    explore.begin()
    if given.trace:
        traced = importlib.import_module("simulation.trace").traced(scenario, seed, deviations)
        print(json.dumps(traced, indent=1))
        return int(any(light["violations"] for light in traced["lights"]))
    result = runs.run(scenario, seed, deviations, thorough=True)
    polled = runs.run(scenario, seed, deviations, polled=True)
    violations = [*result.violations, *(one for one in polled.violations if one not in result.violations)]
    told = {
        "schedule": result.replay,
        "inWords": shrink.in_words(result),
        "choicePoints": result.points,
        "violations": violations,
        "hash": runs.run_hash(scenario, seed, deviations),
    }
    if given.json:
        print(json.dumps(told, indent=1))
    else:
        print(f"{told['inWords']}\nhash {told['hash']}")
        print("\n".join(violations) or "Nothing is broken.")
    return int(bool(violations))


ONE_IN = 500
"""Choice points of a long run of which one goes wrong."""


def _lived(given: argparse.Namespace) -> int:
    explore, season = (importlib.import_module(f"simulation.{name}") for name in ("explore", "season"))
    explore.begin()
    uploads = given.days * given.uploads
    if not given.json:
        print(
            f"{uploads:,} uploads, with {given.copies} events each: some {uploads // 60 + 1} minutes ...",
            flush=True,
        )
    told = season.lived(
        days=given.days, uploads=given.uploads, copies=given.copies, seed=given.seed, one_in=ONE_IN
    )
    if given.record:
        before = json.loads(DAYS.read_text(encoding="utf-8")) if DAYS.exists() else []
        others = [
            one for one in before if any(one[name] != told[name] for name in ("days", "uploads", "events"))
        ]
        DAYS.write_text(json.dumps([*others, told], indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
    return int(bool(told["violations"]))


def _explored(given: argparse.Namespace) -> int:
    explore, shrink = (importlib.import_module(f"simulation.{name}") for name in ("explore", "shrink"))
    explore.begin()
    before, shown = load(), _Progress(silent=given.json)
    asked = {"seed": given.seed, "scenarios": given.scenario, "pairs": given.pairs}
    checkpoint = _checkpoint(given.schedules, asked)
    progress = (checkpoint.read() if given.resume else None) or explore.Progress()
    worked = progress.seconds

    def told_of(progress: Any) -> None:
        shown(progress)
        checkpoint.keep(progress)

    ended = explore.explored(
        explore.pieces(given.schedules, **asked),
        workers=given.workers,
        most_seconds=given.minutes * 60,
        progress=progress,
        told=told_of,
    )
    cut_short = ended.seconds - worked >= given.minutes * 60
    if not cut_short:
        checkpoint.over()
    smallest: dict[str, Any] = {}
    for failure in sorted(ended.account.failures, key=lambda one: len(one.taken)):
        smallest.setdefault(failure.violations[0].partition(":")[0], failure)
    failures = [shrink.shrunk(one) for one in smallest.values()]
    told = explore.figures(
        ended,
        seed=given.seed,
        pairs=given.pairs,
        cutShort=cut_short,
        workers=given.workers,
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        machine={**machine(), "loadBefore": before, "loadAfter": load()},
        failures=[
            {"replay": one.replay, "inWords": shrink.in_words(one), "violations": list(one.violations)}
            for one in failures
        ],
    )
    if given.record:
        RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if given.json:
        print(json.dumps(told, indent=1))
    else:
        shown.over()
        _show(told)
    return int(bool(failures))


def _checkpoint(schedules: int, asked: dict[str, Any]) -> Any:
    found = importlib.import_module("simulation.checkpoint")
    return found.Checkpoint(CHECKPOINT, found.digest_of(ROOT, [schedules, *asked.items()]))


class _Progress:
    """A line every two seconds, and each failure as it comes."""

    def __init__(self, *, silent: bool) -> None:
        self._silent, self._shown, self._failures = silent, 0.0, 0

    def __call__(self, progress: Any) -> None:
        if self._silent:
            return
        account, seconds = progress.account, progress.seconds
        for failure in account.failures[self._failures :]:
            print(f"  {failure.violations[0]}\n    {failure.replay}", file=sys.stderr)
        self._failures = len(account.failures)
        if seconds - self._shown < 2:
            return
        self._shown = seconds
        rate = account.schedules / seconds
        failed = f", {len(account.failures)} failures" if account.failures else ""
        print(
            f"  {account.schedules:,} schedules in {seconds:.0f} s, {rate:,.0f} a second{failed}",
            file=sys.stderr,
        )

    def over(self) -> None:
        sys.stderr.flush()


def _show(told: dict[str, Any]) -> None:
    violations = f"{told['violations'] or 'no'} violation{'s' * (told['violations'] != 1)}"
    print(
        f"{told['schedules']:,} schedules ({told['distinct']:,} of them different, the API polled in {told['polled']:,}),"
        f" {told['choicePoints']:,} choice points, {told['seconds']:,} s: {violations}."
    )
    for failure in told["failures"]:
        print(
            f"\n{failure['violations'][0]}\n  {failure['inWords']}\n  ./dev simulate --replay '{failure['replay']}'"
        )
