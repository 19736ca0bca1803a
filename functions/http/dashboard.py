"""The dashboard's pages, and the sign-in page for a browser that has no session yet."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from functions.http.problems import Problem
from functions.http.static_files import Folder

WEB = Path(__file__).parents[2] / "web"
SIGN_IN_PAGE = "signin.html"
PAGES = ("/dashboard", "/api/docs")

web = Folder(WEB)
routes = APIRouter(include_in_schema=False)


@routes.get("/dashboard")
def dashboard() -> RedirectResponse:
    """The pages name their parts relative to a folder, so the address must end like one's."""
    return RedirectResponse("/dashboard/", status_code=308)


@routes.get("/dashboard/{name:path}")
def page(name: str, request: Request) -> Response:
    """A file of the dashboard."""
    return web.answer(name, request)


def sign_in_instead(problem: Problem, request: Request) -> Response | None:
    """The sign-in page for a person at a browser whom `problem` keeps out; None for everybody else."""
    wants_page = "text/html" in request.headers.get("accept", "")
    if problem.status != 401 or not wants_page or not request.url.path.startswith(PAGES):
        return None
    try:
        found = web.answer(SIGN_IN_PAGE, request, status=401)
    except Problem:
        return None
    found.headers["Cache-Control"] = "no-store"
    return found
