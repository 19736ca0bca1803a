"""Faults by command, of every part of the embedded Azure: in an app's tests, by Python.

    from localazure import faults

    with faults.injected(part="table", kind="throttle", rate=0.1, seed=7) as fault:
        ...  # what the app does
    print(fault.hit, "of", fault.fitting)

It needs `localazure up --faults`. Which embedded Azure: `state`, else LOCALAZURE_FAULTS (a file, which `up` names among
its variables), else `.localazure`.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localazure.faults.control import SECRET, file_of
from localazure.faults.orders import BadOrder, Order, order

__all__ = ["BadOrder", "Fault", "NotThere", "Order", "add", "clear", "injected", "listed"]
VARIABLE = "LOCALAZURE_FAULTS"
_SECONDS = 10


class NotThere(Exception):
    """No front for faults answers: the embedded Azure was started without `--faults`, or does not run."""


@dataclass(kw_only=True)
class Fault:
    """An order that stands, or stood: `fitting` requests fitted it, and `hit` of them were hit."""

    id: int
    fitting: int = 0
    hit: int = 0
    hits: tuple[int, ...] = ()


@contextmanager
def injected(*, kind: str, state: Path | str | None = None, **rest: Any) -> Iterator[Fault]:
    """A fault as long as the block lasts. rest: the other fields of an `Order`: part, method, path, rate, count, seed, ...

    raises: BadOrder, NotThere
    """
    fault = Fault(id=add(state=state, kind=kind, **rest)["id"])
    try:
        yield fault
    finally:
        (ended,) = clear(fault.id, state=state)
        fault.fitting, fault.hit, fault.hits = ended["fitting"], ended["hit"], tuple(ended["hits"])


def add(*, state: Path | str | None = None, **given: Any) -> dict[str, Any]:
    """An order that stands until it is cleared, or for as long as it `lasts`. raises: BadOrder, NotThere"""
    order(given)  # what is wrong is said here, whoever runs
    told: dict[str, Any] = _asked("POST", "/faults", state, given)
    return told


def listed(*, state: Path | str | None = None) -> list[dict[str, Any]]:
    """All orders that stand. raises: NotThere"""
    told: list[dict[str, Any]] = _asked("GET", "/faults", state)
    return told


def clear(number: int | None = None, *, state: Path | str | None = None) -> list[dict[str, Any]]:
    """Takes one back, or all; returns them as they ended. raises: NotThere; BadOrder when there is none of that number"""
    told: list[dict[str, Any]] = _asked("DELETE", "/faults" if number is None else f"/faults/{number}", state)
    return told


def _asked(method: str, path: str, state: Path | str | None, body: dict[str, Any] | None = None) -> Any:
    file = (
        file_of(Path(state))
        if state is not None
        else Path(os.environ.get(VARIABLE) or file_of(Path(".localazure")))
    )
    try:
        there = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise NotThere(f"{file} is not there: start the embedded Azure with --faults.") from cause
    request = urllib.request.Request(
        f"{there['address']}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={SECRET: there["secret"], "content-type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # none lies before 127.0.0.1
    try:
        with direct.open(request, timeout=_SECONDS) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise BadOrder(json.load(refusal)["error"]) from refusal
    except OSError as cause:
        raise NotThere(
            f"{there['address']} does not answer: start the embedded Azure with --faults."
        ) from cause
