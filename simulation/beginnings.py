"""Beginnings of scenarios as bytes: another process, or a browser, goes on from there and need not live the day until then.

They are pickled, so they are read by the code that wrote them, and never from anybody else.
"""

from __future__ import annotations

import io
import pickle
import threading
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from simulation import scenarios

LOCK = type(threading.RLock())


def _no_clock() -> Any:
    """A world that is at rest has no time; the one that goes on from it has its own."""
    raise RuntimeError("this world is not running")


PUT_IN: dict[str, Callable[[], Any]] = {"lock": threading.RLock, "clock": lambda: _no_clock}
"""What stands for things that no other process can have."""


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> str | None:
        if isinstance(thing, LOCK):
            return "lock"
        its_own = isinstance(thing, FunctionType) and "<lambda>" in thing.__qualname__
        return "clock" if its_own or isinstance(thing, MethodType) else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: str) -> Any:
        return PUT_IN[name]()


def written(name: str) -> bytes:
    """The beginning of that scenario; raises: KeyError"""
    out = io.BytesIO()
    _Pickler(out, protocol=5).dump(scenarios.beginning(scenarios.SCENARIOS[name]))
    return out.getvalue()


def read(name: str, data: bytes) -> None:
    """From now on that scenario begins there. data: of `written`, by this very code"""
    scenarios.KNOWN[name] = _Unpickler(io.BytesIO(data)).load()
