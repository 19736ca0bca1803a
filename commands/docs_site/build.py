"""Builds the site with MkDocs, and says what is wrong with its pages: links that lead nowhere, pages left out."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from commands import ROOT
from commands.linters.finding import Findings

CONFIG = ROOT / "mkdocs.yml"
FOLDER = ROOT / ".site"


def build(folder: Path = FOLDER) -> Findings:
    """Writes the site into the folder, whatever is found."""
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # the theme's advertisement of its successor
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config

    found = _Found()
    log = logging.getLogger("mkdocs")
    log.addHandler(found)
    try:
        config = load_config(str(CONFIG), site_dir=str(folder))
        build_site(config)
    finally:
        log.removeHandler(found)
    pages = len(list(folder.rglob("*.html")))
    return Findings(lines=tuple(found.said), read=f"{pages} pages of the site")


def checked() -> Findings:
    """What a build finds; nothing is kept of it."""
    with tempfile.TemporaryDirectory() as folder:
        return build(Path(folder))


class _Found(logging.Handler):
    """Keeps what MkDocs warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
