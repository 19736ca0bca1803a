"""The dashboard's pages, and the sign-in page for a browser that has no session yet."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from functions.http.problems import Problem
from functions.http.views.static_files import Folder
from shared.package_data import WEB

HOME = "/dashboard/"
SIGN_IN_PAGE = "signin.html"
PAGES = ("/dashboard", "/api/docs")
NAMED = re.compile(r"""(?:href=|src=|from |import |import\(|url\()\s*["']?([^"'()\s>]+)""")
"""How a page, a style or a script names another file."""

web = Folder(WEB)
routes = APIRouter(include_in_schema=False)


@routes.get("/dashboard")
def dashboard() -> RedirectResponse:
    """The pages name their parts relative to a folder, so the address must end like one's."""
    return RedirectResponse(HOME, status_code=308)


@routes.get("/dashboard/{name:path}")
def page(name: str, request: Request) -> Response:
    """A file of the dashboard."""
    return web.answer(name, request)


def sign_in_instead(problem: Problem, request: Request) -> Response | None:
    """The way to the sign-in page for a person at a browser whom `problem` keeps out; None for everybody else."""
    wants_page = "text/html" in request.headers.get("accept", "")
    path = request.url.path
    if problem.status != 401 or not wants_page or not path.startswith(PAGES):
        return None
    if path != HOME:
        return RedirectResponse(HOME, status_code=303)
    found = web.answer(SIGN_IN_PAGE, request, status=401)
    found.headers["Cache-Control"] = "no-store"
    return found


@lru_cache(maxsize=1)
def sign_in_pages() -> frozenset[str]:
    """The addresses of the sign-in page and of every file it leads to, directly or by another."""
    found: set[str] = set()
    waiting = [SIGN_IN_PAGE]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            text = web.find(name).content.decode(errors="replace")
        except Problem:
            continue  # an address elsewhere, or a word that only looks like a file's name
        found.add(name)
        if name.endswith((".html", ".css", ".js")):
            named = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), to)) for to in NAMED.findall(text)
            )
            waiting += [to for to in named if to != "index.html"]
    return frozenset(HOME + name for name in found)
