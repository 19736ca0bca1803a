"""A stack of its own for a measurement, and what is worth knowing of the machine it ran on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from commands.stack import progress, supervisor
from commands.stack.errors import StackError
from commands.stack.state import Stack

CONNECTION = "BENCH_CONNECTION_STRING"
"""The variable by which a process of a measurement's gets the storage's connection string: it is no one's to list."""


@contextmanager
def own_stack(settings: Mapping[str, str]) -> Iterator[Stack]:
    """Started afresh in a temporary folder; stopped and removed at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="campanha-bench-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder))
        try:
            supervisor.up(stack, progress.on_stderr(stack), settings=dict(settings))
            yield stack
        finally:
            supervisor.down(stack)


def memory_of(stack: Stack, part: str, figure: str) -> float:
    """MiB of a part's process. figure: `VmRSS` (now) or `VmHWM` (at most so far), as Linux has them in /proc"""
    process = stack.process(part)
    if process is None:
        raise StackError(f"{part} has ended: what it said was in {stack.log(part)}")
    return process_memory(process.pid, figure)


def memory_by_part(stack: Stack, words: Mapping[str, str]) -> dict[str, float]:
    """MiB at most so far of the largest process of each part. words: as for `processes_by_part`"""
    found = dict.fromkeys(words, 0.0)
    for part, pid in processes_by_part(stack, words):
        with suppress(OSError, StopIteration):  # it may just have ended
            found[part] = max(found[part], process_memory(pid, "VmHWM"))
    return found


def processor_by_part(stack: Stack, words: Mapping[str, str]) -> dict[str, float]:
    """Seconds that the processes of each part had a core so far. words: as for `processes_by_part`"""
    found = dict.fromkeys(words, 0.0)
    for part, pid in processes_by_part(stack, words):
        with suppress(OSError):
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="ascii", errors="replace")
                .rpartition(")")[2]
                .split()
            )
            found[part] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def processes_by_part(stack: Stack, words: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The stack's processes with the part each belongs to.

    words: by part, what its command line holds besides the stack's folder
    """
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            line = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has just ended
        part = next((part for part, word in words.items() if word in line), None)
        if part and str(stack.state) in line:
            yield part, int(process.name)


def process_memory(pid: int, figure: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{figure}:"))
    return round(int(line.split()[1]) / 1024, 1)
