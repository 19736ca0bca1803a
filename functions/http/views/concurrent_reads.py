"""Concurrent reads: independent reads of the ledger run at once, in a thread pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

S = TypeVar("S")
T = TypeVar("T")
AT_ONCE = 8

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="read")


def both(one: Callable[[], S], other: Callable[[], T]) -> tuple[S, T]:
    """What the two return, run at once; the first that fails raises.

    Only `other`, which stays in this thread, may call `together` itself: a pool's thread that waits for others of its
    own pool is a deadlock once all of them do.
    """
    future = _threads.submit(one)
    answer = other()
    return future.result(), answer


def together(read: Callable[..., T], arguments: Iterable[tuple[Any, ...]]) -> list[T]:
    """`read` with each of the arguments, the answers in their order; the first that fails raises."""
    return [future.result() for future in [_threads.submit(read, *given) for given in arguments]]
