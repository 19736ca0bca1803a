"""Files of ours as they lie in a folder: the dashboard, and the page that shows the API's description."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from functions.http.problems import Problem

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}
"""What is served; a file of any other kind is not."""
NAME = re.compile(r"[A-Za-z0-9._/-]{0,200}")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and nothing inline: what a file's name smuggles into a page is only text."""


@dataclass(frozen=True)
class Page:
    """A file's bytes with what the answer says of them."""

    content: bytes
    etag: str
    media_type: str


@dataclass
class Folder:
    """Serves what lies in `root` and nothing outside; a file is read again when it has changed."""

    root: Path
    _read: dict[Path, tuple[int, Page]] = field(default_factory=dict)

    def find(self, name: str) -> Page:
        """The file of that name; a folder's is its index.html. raises: Problem 404"""
        if not NAME.fullmatch(name):
            raise Problem(404, "There is no such page.")
        file = (self.root / (name if name and not name.endswith("/") else f"{name}index.html")).resolve()
        media_type = TYPES.get(file.suffix)
        if media_type is None or not file.is_relative_to(self.root.resolve()) or not file.is_file():
            raise Problem(404, "There is no such page.")
        changed = file.stat().st_mtime_ns
        if file not in self._read or self._read[file][0] != changed:
            content = file.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            self._read[file] = (changed, Page(content, etag, media_type))
        return self._read[file][1]

    def answer(self, name: str, request: Request) -> Response:
        """The file as a response, or 304 when the caller has it."""
        page = self.find(name)
        headers = {"ETag": page.etag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
        held = request.headers.get("if-none-match", "")
        if page.etag in [tag.strip().removeprefix("W/") for tag in held.split(",")]:
            return Response(status_code=304, headers=headers)
        headers["Content-Type"] = page.media_type
        return Response(page.content, headers=headers)
