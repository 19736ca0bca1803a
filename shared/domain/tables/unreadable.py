"""What a file's content makes its reader raise: an outcome for that file, and no error for the host to redeliver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import TypeVar

from shared.errors import CampanhaError

T = TypeVar("T")


class UnreadableFile(Exception):
    """The file's content makes the reader fail; the message says where, and nothing of what the file holds."""


@contextmanager
def content_faults() -> Iterator[None]:
    """Makes whatever the bytes of a file cause inside `UnreadableFile`, so that the file ends with a reason.

    What the machine or another service did is raised as it is, since that gets better by waiting.
    raises: UnreadableFile; CampanhaError, OSError and MemoryError as they come
    """
    try:
        yield
    except (CampanhaError, UnreadableFile, OSError, MemoryError):
        raise
    except Exception as problem:
        raise UnreadableFile(_reason(problem)) from problem


def each_read(pieces: Iterator[T]) -> Iterator[T]:
    """The same pieces; what reading one raises is as of `content_faults`, what is done with them is not touched."""
    while True:
        with content_faults():
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _reason(problem: Exception) -> str:
    """Without the problem's own words, which may hold a client's values."""
    frame, line = list(walk_tb(problem.__traceback__))[-1]
    where = f"{type(problem).__name__} at {Path(frame.f_code.co_filename).name}, line {line}"
    return (
        f"this file makes the reader fail ({where}), which no file should; no row of it is used. Report it with the"
        " file, and check the file again when the reader is mended, or write it anew as plain CSV UTF-8"
    )
