"""/api/models: models with their figures and verdicts; requests to promote one, and to approve or reject a release."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import (
    Action,
    ActionReason,
    ActionRequest,
    Reason,
    Requested,
    demanded_reason,
    reason_of,
)
from functions.http.dependencies.parameters import LearnedFilters, ModelName, Version
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination, schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.records import shown
from functions.http.views.shape import page_of
from shared.domain import facts as f
from shared.domain.kinds.model import MODEL
from shared.domain.models.card import model_card
from shared.domain.names import DATASETS, dataset_id, manifest_blob
from shared.errors import Refused, Transient
from shared.ledger import Record

routes = APIRouter(tags=["models"])


@routes.get("/api/models", response_model=page_of(record("model")))
def list_models(request: Request, services: Wired, filters: LearnedFilters) -> JsonAnswer:
    """The newest models first, with their figures."""
    return JsonAnswer(pagination.page("model", filters.look_up(services.ledger), request, services))


@routes.get("/api/models/{name}/{version:int}", response_model=record("model"), responses=problems(404))
def get_model(name: ModelName, version: Version, services: Wired) -> JsonAnswer:
    """One model: its figures, the verdict, and where it serves."""
    return one("model", dataset_id(name, version), services)


@routes.get(
    "/api/models/{name}/{version:int}/card",
    response_model=schemas.ModelCard,
    responses=problems(404, 503),
)
def get_model_card(name: ModelName, version: Version, services: Wired) -> JsonAnswer:
    """The model card: its data, features, members, figures, hashes, and who released it, in one document."""
    known = services.ledger.find("model", dataset_id(name, version))
    if known is None:
        raise Problem(404, "There is no such model; /api/models lists what there is.")
    try:
        documents = services.workspace.model_documents(name, version)
        manifest = services.files.content(DATASETS, manifest_blob(name, version))
    except (Refused, Transient) as cause:
        raise Problem(
            503, f"Its documents cannot be read now: {cause}", headers={"Retry-After": "5"}
        ) from cause
    if manifest is None:
        raise Problem(404, f"The manifest {manifest_blob(name, version)} is gone; restore it.")
    return JsonAnswer(model_card(shown(known), manifest, documents))


@routes.post("/api/models/{name}/{version:int}/promote", status_code=202, responses=accepted(404))
def promote_model(name: ModelName, version: Version, requested: Requested, body: Reason = None) -> JsonAnswer:
    """Puts a model version behind the endpoint, whatever the gate said of it; it is tested like any release."""

    def begin(operation: str) -> Action:
        model = _model(name, version, requested)
        if model.state in ("refused", "undecided"):
            demanded_reason(body, f"Model {model.id} is {model.state} by the gate")
        wanted = f.PromotionRequested(
            dataset=name,
            version=version,
            operation=operation,
            requested_ms=requested.milliseconds,
            by=requested.caller.name,
            reason=reason_of(body),
        )
        return Action(says=f"promote {model.id}", facts=(wanted,), at_once=True)

    return requested.once(begin, reason=reason_of(body))


@routes.post("/api/models/{name}/{version:int}/approve", status_code=202, responses=accepted(404))
def approve_release(
    name: ModelName, version: Version, requested: Requested, body: Reason = None
) -> JsonAnswer:
    """Lets a release that is held go on; whoever asked for it may not approve it."""
    return _decide(name, version, "approved", requested, body)


@routes.post("/api/models/{name}/{version:int}/reject", status_code=202, responses=accepted(404))
def reject_release(
    name: ModelName, version: Version, requested: Requested, body: Reason = None
) -> JsonAnswer:
    """Ends a release that is held: its deployment is taken down, and the model that answers goes on."""
    return _decide(name, version, "rejected", requested, body)


def _decide(
    name: str,
    version: int,
    decision: Literal["approved", "rejected"],
    requested: ActionRequest,
    body: ActionReason | None,
) -> JsonAnswer:
    def begin(operation: str) -> Action:
        model = _model(name, version, requested)
        if not MODEL.state(model.state).needs_person:
            raise Problem(409, f"No release of it waits for a person: it is {model.state}.", code="NotHeld")
        demanded_reason(body, f"The release of model {model.id} waits for a person's judgement")
        decided = f.ReleaseDecided(
            dataset=name,
            version=version,
            decision=decision,
            operation=operation,
            by=requested.caller.name,
            reason=reason_of(body),
        )
        verb = {"approved": "approve", "rejected": "reject"}[decision]
        return Action(says=f"{verb} {model.id}", facts=(decided,))

    return requested.once(begin, reason=reason_of(body))


def _model(name: str, version: int, requested: ActionRequest) -> Record:
    """raises: Problem 404"""
    model = requested.services.ledger.find("model", dataset_id(name, version))
    if model is None:
        raise Problem(404, "There is no such model; /api/models lists what there is.")
    return model
