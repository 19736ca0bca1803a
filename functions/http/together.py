"""Reads that do not need each other's answer are asked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
AT_ONCE = 8

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="read")


def together(read: Callable[..., T], arguments: Iterable[tuple[Any, ...]]) -> list[T]:
    """`read` with each of the arguments, the answers in their order; the first that fails raises."""
    return [future.result() for future in [_threads.submit(read, *given) for given in arguments]]
