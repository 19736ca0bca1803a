"""/dashboard: its files. Those in web/public, the sign-in page, need no credential; all others need a session."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from functions.http.problems import Problem
from functions.http.views.static_files import Folder
from shared.package_data import WEB

HOME = "/dashboard/"
PUBLIC = f"{HOME}public/"
SIGN_IN = f"{PUBLIC}signin.html"
PAGES = ("/dashboard", "/api/docs")

web = Folder(WEB)
public = Folder(WEB / "public")
routes = APIRouter(include_in_schema=False)


@routes.get("/dashboard")
def dashboard() -> RedirectResponse:
    """The pages name their parts relative to a folder, so the address must end like one's."""
    return RedirectResponse(HOME, status_code=308)


@routes.get(PUBLIC + "{name:path}")
def public_file(name: str, request: Request) -> Response:
    """A file that needs no session; `..` leads to none outside its folder."""
    return public.answer(name, request)


@routes.get(HOME + "{name:path}")
def file(name: str, request: Request) -> Response:
    """A file of the dashboard."""
    return web.answer(name, request)


def sign_in_instead(problem: Problem, request: Request) -> Response | None:
    """A redirect to the sign-in page for a browser without a session; None for all other clients and problems.

    A browser carries the address's fragment over a redirect (RFC 9110, section 10.2.2), and so the page's view.
    """
    wants_page = "text/html" in request.headers.get("accept", "")
    if problem.status != 401 or not wants_page or not request.url.path.startswith(PAGES):
        return None
    return RedirectResponse(SIGN_IN, status_code=303)
