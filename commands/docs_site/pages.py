"""Where each file of the repository lies in the site, and what its links become there.

Pages are written for a reader of the repository: they link to code, folders and pictures by relative paths. In the site
all of these are pages too, so that it is whole by itself, offline, whatever the repository's address.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

DOCS, SOURCES = "docs", "source"
AT_THE_TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "localazure/README.md": "localazure.md",
}
"""Pages from outside docs/, each with its place in the site."""
PICTURES = (".svg", ".png")
NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n"
"""Who searches the site looks for prose; code is searched in the repository."""
_LINK = re.compile(r"(?P<before>\]\()(?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?(?P<after>\))")
_FENCED = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)


def place(path: str, *, is_folder: bool = False) -> str:
    """In the site, of a file or folder of the repository; paths are relative, with slashes."""
    if path in AT_THE_TOP:
        return AT_THE_TOP[path]
    if path.startswith(f"{DOCS}/") and not is_folder and path.endswith((".md", *PICTURES)):
        return path.removeprefix(f"{DOCS}/")
    if is_folder:
        return posixpath.join(SOURCES, path, "index.md")
    return posixpath.join(SOURCES, path if path.endswith(PICTURES) else f"{path}.md")


def links(text: str, *, of: str) -> Iterator[str]:
    """What a page links to within the repository; of: the page's own path there."""
    for prose in _FENCED.split(text)[::2]:
        for link in _LINK.finditer(prose):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(of), link["path"]))


def rewritten(text: str, *, of: str, root: Path) -> str:
    """The page's text with its links as they are in the site."""
    at = posixpath.dirname(place(of))

    def there(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(of), link["path"]))
        if not (root / target).exists():
            return link[0]  # the build says so, in its own words
        there = posixpath.relpath(place(target, is_folder=(root / target).is_dir()), at or ".")
        return f"{link['before']}{there}{link['anchor'] or ''}{link['after']}"

    parts = _FENCED.split(text)
    parts[::2] = [_LINK.sub(there, prose) for prose in parts[::2]]
    return "".join(parts).replace("<details>", '<details markdown="1">')


def shown(path: str, *, root: Path) -> str:
    """A file of the repository as a page; a folder as a list of what it holds."""
    found = root / path
    if found.is_dir():
        inside = sorted(one for one in found.iterdir() if not one.name.startswith((".", "__")))
        lines = [f"- `{one.name}{'/' if one.is_dir() else ''}`" for one in inside]
        return "\n".join([f"{NOT_SEARCHED}# {path}/", "", *lines, ""])
    text = found.read_text(encoding="utf-8")
    language = found.suffix.lstrip(".") or "text"
    return f"{NOT_SEARCHED}# {path}\n\n````{language}\n{text}\n````\n"


def linked(texts: Iterable[tuple[str, str]], *, root: Path) -> set[str]:
    """What pages link to that is no page of docs/ and no page at the top. texts: (path, text) of each page"""
    found = {target for path, text in texts for target in links(text, of=path)}
    return {
        target
        for target in found
        if (root / target).exists() and place(target, is_folder=(root / target).is_dir()).startswith(SOURCES)
    }
