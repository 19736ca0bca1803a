"""How much of the disk folders take, when environments share files by hard links."""

from __future__ import annotations

import os
from pathlib import Path

MEGABYTE = 1_000_000


class Ledger:
    """Counts each file once, whatever the number of folders it lies in: for the first one asked about."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def new_bytes(self, folder: Path) -> int:
        """Bytes on disk of the files below `folder` that were not counted before."""
        size = 0
        for identity, blocks in _files(str(folder)):
            if identity not in self._seen:
                self._seen.add(identity)
                size += blocks
        return size


def _files(folder: str) -> list[tuple[tuple[int, int], int]]:
    """Of each file its identity and bytes on disk; what vanishes meanwhile has none."""
    found, folders = [], [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        # Asked by the path, since on Windows the entry itself knows no identity.
                        status = os.stat(entry.path, follow_symlinks=False)
                        size = getattr(status, "st_blocks", 0) * 512 or status.st_size
                        found.append(((status.st_dev, status.st_ino), size))
        except OSError:
            continue
    return found


def megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.0f} MB"
