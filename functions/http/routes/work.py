"""/api/pause and /api/resume: all work that begins something new, paused and resumed."""

from __future__ import annotations

from fastapi import APIRouter

from functions.http.dependencies.actions import Action, Reason, Requested, reason_of
from functions.http.responses import accepted
from functions.http.views.json_answer import JsonAnswer
from shared.domain import facts as f

routes = APIRouter(tags=["work"])


@routes.post("/api/pause", status_code=202, responses=accepted())
def pause_work(requested: Requested, body: Reason = None) -> JsonAnswer:
    """Begins nothing new: no run, no batch, no release. Files that come are taken in, and nothing is lost."""

    def begin(operation: str) -> Action:
        paused = f.WorkPaused(operation=operation, by=requested.caller.name, reason=reason_of(body))
        return Action(says="pause", facts=(paused,), at_once=True)

    return requested.once(begin, reason=reason_of(body))


@routes.post("/api/resume", status_code=202, responses=accepted())
def resume_work(requested: Requested, body: Reason = None) -> JsonAnswer:
    """Lets work go on: whatever waited is due now."""

    def begin(operation: str) -> Action:
        resumed = f.WorkResumed(operation=operation, by=requested.caller.name, reason=reason_of(body))
        return Action(says="resume", facts=(resumed,), at_once=True)

    return requested.once(begin, reason=reason_of(body))
