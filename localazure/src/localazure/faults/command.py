"""Faults of the embedded Azure, by command: add one, list those that stand, clear them. Each takes `--json`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from localazure import faults
from localazure.faults.kinds import KINDS, PARTS
from localazure.faults.orders import ANY

_SCALE = {"s": 1, "m": 60, "h": 3600}


def run(arguments: list[str], *, program: str, state: Path) -> int:
    """2 when it cannot be done. program: how it was called; state: where the embedded Azure is by default"""
    given = _parser(program, state).parse_args(arguments)
    try:
        told = _done(given)
    except (faults.BadOrder, faults.NotThere) as problem:
        print(f"{program}: {problem}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(told, indent=1))
    else:
        print("\n".join(map(_line, told)) or "No fault stands.")
    return 0


def _done(given: argparse.Namespace) -> list[dict[str, Any]]:
    if given.what == "list":
        return faults.listed(state=given.state)
    if given.what == "clear":
        numbers = given.number or [None]
        return [each for number in numbers for each in faults.clear(number, state=given.state)]
    names = ("kind", "part", "method", "path", "rate", "count", "seed", "lasts", "seconds", "status")
    order = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    return [faults.add(state=given.state, **order)]


def _line(order: dict[str, Any]) -> str:
    how = f"{order['rate']:.0%}" if order["rate"] < 1 else "each"
    most = f", {order['count']} at most" if "count" in order else ""
    lasts = f", for {order['lasts']:g} s" if "lasts" in order else ""
    where = f"{order['part']} {order['method']} {order['path']}"
    met = f"{order['hit']} hit of {order['fitting']} that fitted"
    return f"{order['id']:>3}  {order['kind']}  {where}  ({how}{most}{lasts}, seed {order['seed']}): {met}"


def _seconds(text: str) -> float:
    number, scale = (text[:-1], _SCALE[text[-1]]) if text[-1:] in _SCALE else (text, 1)
    return float(number) * scale


def _parser(program: str, state: Path) -> argparse.ArgumentParser:
    kinds = "\n".join(f"  {kind.name:<14}{kind.does}" for kind in KINDS.values())
    parts = "\n".join(f"  {name:<14}{what}" for name, what in PARTS.items())
    made = argparse.ArgumentParser(
        prog=program,
        description=__doc__,
        epilog=f"kinds:\n{kinds}\n\nparts:\n{parts}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", type=Path, default=state, metavar="DIR", help=f"default: {state}")
    common.add_argument("--json", action="store_true", help="for programs")
    verbs = made.add_subparsers(dest="what", required=True, metavar="add|list|clear")
    add = verbs.add_parser("add", parents=[common], help="from now on, until it is cleared or over")
    add.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    add.add_argument("--part", help=f"{', '.join(PARTS)} (default: all that an app calls)")
    add.add_argument("--method", help="such as PUT (default: all)")
    add.add_argument(
        "--path", metavar="PATTERN", help=f"of the path, such as '*/incoming/*' (default: {ANY})"
    )
    add.add_argument("--rate", type=float, help="how likely each request is hit, 0 to 1 (default: 1)")
    add.add_argument("--count", type=int, help="how many are hit, at most")
    add.add_argument(
        "--seed", type=int, help="the same one hits the same of the requests that fit (default: 0)"
    )
    add.add_argument("--for", type=_seconds, dest="lasts", metavar="TIME", help="30s, 2m: then it is over")
    add.add_argument(
        "--seconds", type=float, help="how long it waits, or says to wait (default: the kind's own)"
    )
    add.add_argument("--status", type=int, help="of an error: 400 to 599 (default: 500)")
    verbs.add_parser("list", parents=[common], help="what stands, and what it has hit")
    clear = verbs.add_parser("clear", parents=[common], help="take back one, or all")
    clear.add_argument("number", type=int, nargs="*", help="as `list` shows them (default: all)")
    return made
