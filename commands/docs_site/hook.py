"""What MkDocs is told beyond `mkdocs.yml`: the pages from outside docs/, and the links to them.

source: MkDocs, "Events" and `File.generated`
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

from commands import ROOT
from commands.docs_site import pages

DECISIONS = "Decisions"


def on_config(config: Any) -> Any:
    """The decisions are a list of their own, which nobody has to keep."""
    folder = Path(config.docs_dir) / "decisions"
    for entry in config.nav:
        if DECISIONS in entry:
            entry[DECISIONS] = [f"decisions/{one.name}" for one in sorted(folder.glob("*.md"))]
    return config


def on_files(files: Files, config: Any) -> Files:
    texts = [(f"{pages.DOCS}/{file.src_uri}", file.content_string) for file in files.documentation_pages()]
    for path, at in pages.AT_THE_TOP.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        texts.append((path, text))
        files.append(File.generated(config, at, content=text))
    for path in sorted(pages.linked(texts, root=ROOT)):
        at = pages.place(path, is_folder=(ROOT / path).is_dir())
        if path.endswith(pages.PICTURES):
            files.append(File.generated(config, at, abs_src_path=str(ROOT / path)))
            continue
        made = File.generated(config, at, content=pages.shown(path, root=ROOT))
        made.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(made)
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    at = page.file.src_uri
    if at.startswith(f"{pages.SOURCES}/"):
        return markdown
    of = next((path for path, there in pages.AT_THE_TOP.items() if there == at), f"{pages.DOCS}/{at}")
    return pages.rewritten(markdown, of=of, root=ROOT)
