"""Measure on this machine, write bench/results/NAME.json, and say which goals are met."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys

from commands.stack import ROOT

MEASURES = ("latency",)
MOST_UPLOADS = 90  # a window closes at 100 files, and then a run would start


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    made.add_argument("measure", nargs="?", choices=MEASURES, default=MEASURES[0])
    made.add_argument("--json", action="store_true", help="print what is written to the file, not a table")
    made.add_argument(
        "--uploads", type=int, default=30, metavar="N", help=f"1 to {MOST_UPLOADS} (default: 30)"
    )
    given = made.parse_args(arguments)
    if not 1 <= given.uploads <= MOST_UPLOADS:
        made.error(f"--uploads is 1 to {MOST_UPLOADS}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stack is stopped then, too
    measure = importlib.import_module(f"bench.{given.measure}")
    results = measure.run(given.uploads)
    file = ROOT / "bench" / "results" / f"{given.measure}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    file.write_text(text, encoding="utf-8")
    if given.json:
        print(text, end="")
    else:
        measure.show(results)
        print(f"Written to {file.relative_to(ROOT)}.")
    return 0
