"""Folders of state, which hold keys, tokens and whatever was stored: for their owner's eyes only."""

from __future__ import annotations

from pathlib import Path


def private_folder(folder: Path, *, may_be_anothers: bool = False) -> None:
    """Makes it, and the parents that are missing, closed to everybody else; one that was open is closed.

    may_be_anothers: it was given by a user, and may hold more than our state: as it is when it is there
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    if not may_be_anothers:
        folder.chmod(0o700)
