"""Break real processes under a real stack, scenario by scenario, and check that nothing is lost and nothing done twice.

A stack of its own works on real bank rows meanwhile. Waits are short (reconciliation each 5 s, claims of 10 s, a killed
host's messages come again after 15 s; in Azure minutes), and so is the time to heal. Exit code 1: something was violated;
2: a fault could not be made here.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from commands import ROOT, publish
from commands.client.target import BAD, FINE
from commands.resilience import invariants
from commands.resilience.scenarios import SCENARIOS, NotHere, Say, Scenario, disk_of_its_own
from commands.resilience.site import QUICK, NotInTime, Site
from commands.resilience.traffic import Traffic
from commands.stack import supervisor
from commands.stack.errors import StackError
from commands.stack.state import Stack

RESULT = ROOT / "bench" / "results" / "chaos.json"
SETTINGS = {
    **QUICK,
    "RECONCILE_SCHEDULE": "*/5 * * * * *",
    "CLAIM_SECONDS": "10",
    "SHARD_BYTES": "16000",
}
LEASE_SECONDS = 15
"""Of messages that a host has fetched, where Azure's has ten minutes."""
HEAL_SECONDS = 900.0
DISK_MEGABYTES = 400
NOT_HERE = 2


@dataclass(kw_only=True)
class Result:
    """Of one scenario."""

    name: str
    size: float
    unit: str
    breaks: str
    seconds: float = 0.0
    heal_seconds: float | None = None
    """From when all parts ran again until all that was acknowledged had ended."""
    files: int = 0
    batches: int = 0
    given_up: int = 0
    """Dead letters, which a person is told of; retried in the person's place."""
    answers: int = 0
    """Polled meanwhile."""
    violations: list[str] = field(default_factory=list)
    not_here: str = ""


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    if given.state and not given.on_this_disk and given.state.exists() and any(given.state.iterdir()):
        raise StackError(
            f"{given.state} is there already: chaos breaks a stack of its own, in an empty folder (--state)."
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stack is stopped then, too
    sizes = {"host": given.kills, "two-hosts": given.minutes}
    chosen = [
        (each, sizes.get(each.name) or (each.small if given.small else each.size))
        for each in SCENARIOS.values()
        if given.only in (None, each.name)
    ]
    state = given.state or Path(tempfile.mkdtemp(prefix="campanha-chaos-"))
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0
    say = _saying(given.on_this_disk)
    if given.on_this_disk:
        results = _in_one_stack(chosen, state, given.seed, say)
        given.on_this_disk.write_text(json.dumps([asdict(each) for each in results]), encoding="utf-8")
        return FINE
    try:
        results = _in_one_stack([one for one in chosen if not one[0].on_small_disk], state, given.seed, say)
        for scenario, size in chosen:
            if scenario.on_small_disk:
                results.append(_on_small_disk(scenario, size, state / "small-disk", given.seed))
    except BaseException:  # an interruption, too: nobody else knows the folder's name
        print(f"What there is, with its logs, is in {state}.", file=sys.stderr)
        raise
    told = _told(results, given.seed, load)
    if given.only is None and not given.small:
        RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if given.json:
        print(json.dumps(told, indent=1))
    else:
        _show(results)
    broken = [each for each in results if each.violations]
    if broken:
        print(f"The stack is as it was found: ./dev up --state {state}", file=sys.stderr)
    elif given.state is None:
        shutil.rmtree(state)
    return BAD if broken else NOT_HERE if any(each.not_here for each in results) else FINE


def _in_one_stack(chosen: Sequence[tuple[Scenario, float]], state: Path, seed: int, say: Say) -> list[Result]:
    """One after the other: what one left behind is there for the next."""
    if not chosen:
        return []
    os.environ["LOCALAZURE_QUEUE_LEASE_SECONDS"] = str(LEASE_SECONDS)  # the host has it of its environment
    site = Site(Stack(state))
    traffic = Traffic(site=site, chance=random.Random(seed))  # noqa: S311  (no secret)
    results = []
    try:
        site.up(**SETTINGS)
        say("a stack, published, with a first model")
        with (state / "logs" / "publish.log").open("w") as log:
            published = publish.published(site.stack, out=log) == 0
        if not published:
            raise StackError("the pipelines could not be published")
        site.model_of(traffic.begin(), seconds=HEAL_SECONDS)
        for scenario, size in chosen:
            result = _tried(scenario, size, site, traffic, say)
            results.append(result)
            if result.violations:
                break  # what follows would be tried on something broken
    finally:
        supervisor.down(site.stack)
    return results


def _tried(scenario: Scenario, size: float, site: Site, traffic: Traffic, say: Say) -> Result:
    say(f"{scenario.name}: {scenario.breaks} ({size:g} {scenario.unit})")
    result = Result(name=scenario.name, size=size, unit=scenario.unit, breaks=scenario.breaks)
    before, began = (len(traffic.files), len(traffic.batches)), time.monotonic()
    polling = invariants.Polling(site)
    polling.start()
    try:
        scenario.do(site, traffic, size, say)
        seconds, retried = invariants.settle(site, traffic, seconds=HEAL_SECONDS)
        result.heal_seconds, result.given_up = round(seconds, 1), len(retried)
        result.violations += invariants.violations(site, traffic)
    except NotInTime as late:
        result.violations.append(str(late))
    finally:
        polling.stop()
    result.violations += polling.violations
    result.answers, result.seconds = polling.answers, round(time.monotonic() - began, 1)
    result.files, result.batches = len(traffic.files) - before[0], len(traffic.batches) - before[1]
    say(f"{scenario.name}: {_outcome(result)}")
    return result


def _on_small_disk(scenario: Scenario, size: float, state: Path, seed: int) -> Result:
    """All of it, this program too, in a mount namespace where `state` is a small disk."""
    state.mkdir(parents=True, exist_ok=True)
    told = state.with_suffix(".json")
    try:
        begin = disk_of_its_own(state, DISK_MEGABYTES)
    except NotHere as problem:
        return Result(
            name=scenario.name, size=size, unit=scenario.unit, breaks=scenario.breaks, not_here=str(problem)
        )
    command = [sys.executable, "-m", "commands", "chaos", "--only", scenario.name, "--state", str(state)]
    command += [
        "--seed",
        str(seed),
        "--on-this-disk",
        str(told),
        *(["--small"] if size == scenario.small else []),
    ]
    with subprocess.Popen([*begin, *command], cwd=ROOT) as inner:
        try:
            inner.wait()
        except SystemExit:  # of a signal to us alone; Ctrl-C it has heard as we have
            inner.terminate()
            raise
        finally:
            inner.wait()  # it stops its stack
    if inner.returncode:
        raise StackError(f"{scenario.name}: it broke off, with {inner.returncode}")
    (found,) = json.loads(told.read_text(encoding="utf-8"))
    return Result(**found)


def _told(results: Sequence[Result], seed: int, load: float) -> dict[str, Any]:
    when = datetime.now(UTC).date().isoformat()
    about = {"when": when, "seed": seed, "cores": os.cpu_count(), "loadBefore": load}
    return {**about, "scenarios": [asdict(each) for each in results]}


def _outcome(result: Result) -> str:
    if result.not_here:
        return f"not tried: {result.not_here}"
    healed = "" if result.heal_seconds is None else f", healed in {result.heal_seconds:.1f} s"
    wrong = "".join(f"\n    {each}" for each in result.violations)
    given_up = f", {result.given_up} given up and retried" if result.given_up else ""
    return f"{len(result.violations)} violations{healed}{given_up}{wrong}"


def _show(results: Sequence[Result]) -> None:
    print()
    for each in results:
        size = f"{each.size:g} {each.unit}"
        print(
            f"  {each.name:<10} {size:<12} {each.files:>3} files {each.batches:>3} batches  {_outcome(each)}"
        )


def _saying(is_inner: Any) -> Say:
    began = time.monotonic()

    def say(text: str) -> None:
        print(
            f"{'  ' * bool(is_inner)}{time.monotonic() - began:7.0f} s  {text}", file=sys.stderr, flush=True
        )

    return say


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {each.name:<10} {each.breaks}; {each.holds}" for each in SCENARIOS.values())
    made = argparse.ArgumentParser(
        prog="./dev chaos",
        description=__doc__,
        epilog=f"scenarios:\n{listed}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--kills", type=int, help="of the host (default: 200)")
    made.add_argument("--minutes", type=float, help="of two hosts (default: 10)")
    made.add_argument(
        "--seed", type=int, default=1, help="of what is dropped, and when something is killed (default: 1)"
    )
    made.add_argument(
        "--only", choices=SCENARIOS, metavar="NAME", help="one scenario: " + ", ".join(SCENARIOS)
    )
    made.add_argument("--small", action="store_true", help="each at a small size: minutes instead of an hour")
    made.add_argument(
        "--state", type=Path, metavar="DIR", help="an empty folder (default: a new one, gone at the end)"
    )
    made.add_argument("--json", action="store_true", help="the results for programs")
    made.add_argument("--on-this-disk", type=Path, help=argparse.SUPPRESS)
    return made
