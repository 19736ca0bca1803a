"""Measure on this machine, write bench/results/NAME.json, and say which goals are met."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys

from commands import ROOT

MEASURES = (
    "latency",
    "flow",
    "scoring",
    "endpoint",
    "status",
    "pollers",
    "embedded",
    "setup",
    "gate",
    "drift",
    "models",
    "reading",
    "strangers",
)
"""Each a module of `bench` with `add_options(parser)`, `run(given) -> results` and `show(results)`."""


def main(arguments: list[str]) -> int:
    named = [word for word in arguments if not word.startswith("-")][:1]
    if named not in [[measure] for measure in MEASURES]:
        return _said(named)
    measure = importlib.import_module(f"bench.{named[0]}")
    made = argparse.ArgumentParser(prog=f"./dev bench {named[0]}", description=measure.__doc__)
    made.add_argument("measure", choices=named)
    made.add_argument("--json", action="store_true", help="print what is written to the file, not a table")
    measure.add_options(made)
    given = made.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stack is stopped then, too
    results = measure.run(given)
    file = ROOT / "bench" / "results" / f"{results.get('measure', given.measure)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    file.write_text(text, encoding="utf-8")
    if given.json:
        print(text, end="")
    else:
        measure.show(results)
        print(f"Written to {file.relative_to(ROOT)}.")
    return 0


def _said(named: list[str]) -> int:
    print(
        f"usage: ./dev bench {{{','.join(MEASURES)}}} [--json] [options]   (./dev bench NAME --help says more)"
    )
    if named:
        print(f"There is no measure {named[0]!r}.", file=sys.stderr)
    return 2 if named else 0
