"""The commands that the pages show: in blocks, and within sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from commands import ROOT

PAGES = tuple(
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "decisions" not in page.parts
)
SHELL = ("", "sh", "bash", "console")
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_WITHIN = re.compile(r"`(\./dev [^`]+)`")
_REMARK = re.compile(r"\s+# .*$")
_COMMAND = re.compile(r"(\./dev|\w+)( |$)|\(")
PROGRAMS = ("./dev", "az", "azd", "curl", "cut", "eval", "head", "localazure", "pip", "python", "sed")
"""What a line of a block begins with that is a command, and no output or table."""


@dataclass(frozen=True, kw_only=True)
class Documented:
    """A command as a page has it."""

    page: str
    text: str
    """Without its remark."""
    in_prose: bool = False
    """Within a sentence, where it may stand for what it does, without what it is given."""

    @property
    def program(self) -> str:
        return self.text.partition(" ")[0]


def commands(page: str) -> Iterator[Documented]:
    """Those of a page in their order; within sentences only `./dev`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    at = 0
    for block in _BLOCK.finditer(text):
        yield from _in_prose(page, text[at : block.start()])
        if block["language"] in SHELL and not block["text"].startswith("#!"):
            lines = (_REMARK.sub("", line).strip() for line in block["text"].splitlines())
            yield from (
                Documented(page=page, text=line) for line in lines if line.partition(" ")[0] in PROGRAMS
            )
        at = block.end()
    yield from _in_prose(page, text[at:])


def _in_prose(page: str, text: str) -> Iterator[Documented]:
    for found in _WITHIN.finditer(text):
        yield Documented(page=page, text=" ".join(found[1].split()), in_prose=True)
