"""/api/lineage: a file's lineage, forward to the model it trained and back from the rows it had scored."""

from __future__ import annotations

from fastapi import APIRouter

from functions.http.dependencies.parameters import LineageKey
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import problems
from functions.http.views import schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.lineage import lineage

routes = APIRouter(tags=["lineage"])


@routes.get("/api/lineage/{key:path}", response_model=schemas.Lineage, responses=problems(404))
def get_lineage(key: LineageKey, services: Wired) -> JsonAnswer:
    """What became of a file, link by link, by its name, its SHA-256 or its content's hash; or, for a file of clients
    or of what calls brought, which model scored it and what that was trained on."""
    found = lineage(key, services.ledger)
    if found is None:
        raise Problem(
            404,
            "No such file was ever seen. Names are as in storage: incoming/NAME, scoring/NAME or outcomes/NAME.",
        )
    return JsonAnswer(found)
