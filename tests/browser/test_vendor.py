"""Other people's files are what they published: each has the checksum written down."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
FOLDERS = [WEB / "vendor", WEB / "public" / "vendor", Path(__file__).parent / "vendor"]
ROW = re.compile(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
OTHERS = "swagger-ui"
"""Kept with its own list, by the API that serves it."""


@pytest.mark.parametrize("folder", FOLDERS, ids=["web", "public", "tests"])
def test_vendored_files_are_as_published(folder: Path) -> None:
    listed = dict(ROW.findall((folder / "README.md").read_text(encoding="utf-8")))
    there = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*") if file.is_file() and file.parent != folder and OTHERS not in file.parts
    }  # fmt: skip
    assert {name: sum_ for name, sum_ in listed.items() if not name.startswith(OTHERS)} == there
    for name in {path.split("/")[0] for path in there}:
        assert f"{name}/LICENSE" in there
