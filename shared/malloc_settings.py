"""glibc malloc tuning (mallopt): a small heap in a process that handles large blocks in several threads."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""Names of mallopt's settings, from glibc's malloc.h."""


def give_large_blocks_back() -> None:
    """Blocks of 1 MiB and more go back to the system when they are freed.

    By default glibc raises that bound up to 32 MiB with each block freed; from then on every thread's heap holds
    what its largest shard once took, and a host that has scored for a while holds 100 MiB more. The free ends of the
    heaps are left alone up to 16 MiB, so that small blocks cost no call to the system.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return
    mallopt(MMAP_THRESHOLD, 1 << 20)
    mallopt(TRIM_THRESHOLD, 16 << 20)
    mallopt(TOP_PAD, 4 << 20)
