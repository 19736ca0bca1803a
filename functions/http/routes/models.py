"""/api/models: models with their figures and verdicts, and the request to promote one."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import Action, Reason, Requested, reason_of
from functions.http.dependencies.parameters import Filters, ModelName, Version
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from shared.domain import facts as f
from shared.domain.names import dataset_id

routes = APIRouter(tags=["models"])


@routes.get("/api/models", response_model=page_of(record("model")))
def list_models(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest models first, with their figures."""
    return JsonAnswer(pagination.page("model", filters, request, services))


@routes.get("/api/models/{name}/{version:int}", response_model=record("model"), responses=problems(404))
def get_model(name: ModelName, version: Version, services: Wired) -> JsonAnswer:
    """One model: its figures, the verdict, and where it serves."""
    return one("model", dataset_id(name, version), services)


@routes.post("/api/models/{name}/{version:int}/promote", status_code=202, responses=accepted(404))
def promote_model(name: ModelName, version: Version, requested: Requested, body: Reason = None) -> JsonAnswer:
    """Puts a model version behind the endpoint, whatever the gate said of it; it is tested like any release."""

    def begin(operation: str) -> Action:
        model = dataset_id(name, version)
        if requested.services.ledger.find("model", model) is None:
            raise Problem(404, "There is no such model; /api/models lists what there is.")
        wanted = f.PromotionRequested(
            dataset=name, version=version, operation=operation, requested_ms=requested.milliseconds
        )
        return Action(says=f"promote {model}", facts=(wanted,), at_once=True)

    return requested.once(begin, reason=reason_of(body))
