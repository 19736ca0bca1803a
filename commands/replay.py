"""A bank's past through the real flow, a month at a time, beside what could have been done instead.

Each month's clients are scored by the model that is live, and only then are their answers dropped as new data. Compared
are calling everybody or nobody, a model trained once, a plain LightGBM trained anew each month, and the oracle.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands import ROOT, publish
from commands.setup.machine import load, machine
from commands.stack import progress, supervisor
from commands.stack.arguments import parser
from commands.stack.errors import StackError
from commands.stack.folder import must_be_ours
from commands.stack.state import Stack

if TYPE_CHECKING:
    from commands.backtest import history
    from commands.backtest.walk import Policy, Walked

RESULTS = ROOT / "bench" / "results" / "replay.json"
SETTINGS = {
    "GATHER_QUIET_SECONDS": "1",
    "RELEASE_POLL_SECONDS": "1",
    "RELEASE_SHADOW_BEYOND": "record",  # nobody is there to ask, and the months do differ
}
"""The app's waits, as short as they can be and still be waits; whatever else it does, it does as ever."""
MARK = "history.json"
"""In the state folder: which history its stack has seen the beginning of."""


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    # Not at the top: `--help` is said before anything is installed.
    from commands.backtest import history, live_flow, report, results, source
    from commands.backtest.lightgbm_policies import Retrained

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stack is stopped then, too
    data, name = source.find(given.data)
    rules = history.contract()
    months = history.months(data, rules)
    policies: list[Policy] = [
        Retrained(results.ONCE, rules.features, months=results.FIRST - 1),
        Retrained(results.RETRAINED, rules.features),
    ]
    began, load_before = time.monotonic(), load()
    about = {"source": name, "sha256": source.sha256(data), "rows": sum(len(month.rows) for month in months)}
    if given.policies_only:
        walked = _walked(months, policies)
    else:
        with _stack(given.state / "replay", about, resume=given.resume, keep=given.keep) as stack:
            walked = _walked(months, [*policies, live_flow.LiveFlow(live_flow.StackApp(stack), results.FLOW)])
    found = {
        "measure": "replay",
        **about,
        **results.of(walked),
        "seconds": round(time.monotonic() - began),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
    }
    file = given.results or (None if given.policies_only else RESULTS)
    if file:
        _write(file, found)
    if given.json:
        print(json.dumps(found, indent=1))
    else:
        report.show(found)
        print(
            f"Written to {file} and {file.with_suffix('.svg')}."
            if file
            else "Nothing written: --results FILE."
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("replay", __doc__)
    made.add_argument(
        "--data", type=Path, metavar="FILE", help="the history, .csv or .csv.gz (default: UCI's archive)"
    )
    made.add_argument(
        "--policies-only", action="store_true", help="without the flow: what it is compared with"
    )
    made.add_argument("--resume", action="store_true", help="go on with a replay that was interrupted")
    made.add_argument(
        "--keep", action="store_true", help="leave the stack running at the end, to look around in"
    )
    made.add_argument(
        "--results", type=Path, metavar="FILE", help="default: bench/results/replay.json; beside it an .svg"
    )
    made.add_argument("--json", action="store_true", help="print what is written to the file, not tables")
    return made


@contextmanager
def _stack(state: Path, about: dict[str, Any], *, resume: bool, keep: bool) -> Iterator[Stack]:
    """A stack of its own with the pipelines published; removed at the end, stopped when interrupted.

    raises: StackError when there is nothing to go on with, or the folder is somebody's own
    """
    stack, mark = Stack(state), state / MARK
    if resume:
        if not mark.exists() or json.loads(mark.read_text(encoding="utf-8")) != about:
            raise StackError(
                f"{state} holds no interrupted replay of this history: start one without --resume."
            )
    elif state.exists():
        must_be_ours(state)
        supervisor.down(stack)
        shutil.rmtree(state)
        stack = Stack(state)
    ended = False
    try:
        supervisor.up(stack, progress.on_stderr(stack), settings=SETTINGS)
        if not resume:
            _publish(stack)
            mark.write_text(json.dumps(about), encoding="utf-8")
        yield stack
        ended = True
    finally:
        if not (ended and keep):
            supervisor.down(stack)
        if ended and not keep:
            shutil.rmtree(state)
        elif not ended and mark.exists():
            _say(
                f"Stopped. `./dev replay --resume`, with the same --data and --state, goes on; logs: {state}/logs"
            )


def _publish(stack: Stack) -> None:
    _say("Publishing the pipelines ...")
    if publish.published(stack, out=sys.stderr):
        raise StackError("the pipelines could not be published")


def _walked(months: Sequence[history.Called], policies: Sequence[Policy]) -> list[Walked]:
    """The walk, with a line for each month."""
    from commands.backtest import report
    from commands.backtest.walk import walk

    began = time.monotonic()
    done: list[Walked] = []
    for walked in walk(months, policies):
        done.append(walked)
        taken = time.monotonic() - began
        _say(report.line(walked, of=len(months), left=taken / len(done) * (len(months) - len(done))))
    return done


def _write(file: Path, found: dict[str, Any]) -> None:
    from commands.backtest import picture

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    file.with_suffix(".svg").write_text(picture.drawn(found), encoding="utf-8")


def _say(line: str) -> None:
    """Progress goes to stderr, so that --json prints nothing else."""
    print(line, file=sys.stderr, flush=True)
