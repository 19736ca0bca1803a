"""Files and sections that scripts of this folder keep: written anew or, with `--check`, only named where stale."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def between(text: str, begin: str, end: str, section: str) -> str:
    """The text with the section between its two marks."""
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{section}\n{end}{after}"


def main(description: str | None, wanted: Mapping[Path, str]) -> int:
    """wanted: what each file should hold. returns: 1 when only checked and one does not"""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--check", action="store_true", help="write nothing, say what differs")
    check = made.parse_args().check
    stale = [
        file for file, text in wanted.items() if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    for file in stale:
        print(file.relative_to(ROOT))
        if not check:
            file.write_text(wanted[file], encoding="utf-8")
    return int(check and bool(stale))
