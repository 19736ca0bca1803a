"""A zip whose bytes come from its content alone: no times, owners or order of a machine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment a zip can name."""
READABLE = 0o100644
UNIX = 3
LEVEL = 6


def write_zip(folder: Path, target: Path) -> str:
    """All files of the folder, those of dot folders too; returns: SHA-256 of the zip"""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name in files:
            entry = ZipInfo(name, EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, UNIX, READABLE << 16
            archive.writestr(entry, (folder / name).read_bytes())
    return sha256(target)


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
