"""The stacks whose state lies in this checkout, and what of each runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from commands.stack.errors import StackError
from commands.stack.parts import PARTS
from commands.stack.state import Stack

FILE = "stack.json"
ANSWER_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Found:
    """A state folder."""

    folder: Path
    running: tuple[str, ...]
    unwell: tuple[str, ...] = ()
    """What the app says of itself, where something is wrong: that people cannot be told of alerts, for instance."""


def stacks(root: Path) -> Iterator[Found]:
    """Those in the usual places: `.campanha`, one of another name beside it, and the demo's within."""
    for file in sorted([*root.glob(f".campanha*/{FILE}"), *root.glob(f".campanha*/*/{FILE}")]):
        running = _running(file.parent)
        yield Found(
            folder=file.parent, running=running, unwell=_unwell(file.parent) if "host" in running else ()
        )


def _unwell(folder: Path) -> tuple[str, ...]:
    """By the health check, asked with what Python has: nothing need be installed."""
    try:
        stack = Stack(folder)
        request = Request(f"{stack.host_url}/api/health", headers={"x-functions-key": stack.keys["reader"]})
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:
            checks = json.load(answer)["checks"]
    except StackError:
        return ()
    except (OSError, ValueError, KeyError) as problem:
        return (f"the app does not answer ({type(problem).__name__})",)
    return tuple(
        one.get("output", name) for name, found in checks.items() for one in found if one["status"] != "pass"
    )


def _running(folder: Path) -> tuple[str, ...]:
    try:
        stack = Stack(folder)
    except StackError:  # a damaged file tells of no process
        return ()
    return tuple(name for name in PARTS if stack.process(name))
