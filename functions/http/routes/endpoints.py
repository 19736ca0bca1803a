"""/api/endpoints: the endpoint that serves a dataset's model: its description, a scoring request, rollback."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, FiniteFloat

from functions.http.dependencies.actions import Action, Reason, Requested, reason_of
from functions.http.dependencies.parameters import DatasetName
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.routes.datasets import check_dataset
from functions.http.views import schemas
from functions.http.views.json_answer import JsonAnswer
from shared.domain import facts as f
from shared.ports import ModelApi
from shared.procedures.released_model import RELEASED
from shared.services import Services

routes = APIRouter(tags=["endpoints"])


def _without_default(schema: dict[str, Any]) -> None:
    """Generators of types take a property that has a default for one that is always sent."""
    schema.pop("default", None)


class ScoreRequest(BaseModel):
    """Clients as the model takes them: a record each, with its features by name."""

    data: list[dict[str, str | FiniteFloat | int | bool | None]] = Field(
        min_length=1,
        max_length=1000,
        description="The records.",
        examples=[[{"age": 41, "job": "admin."}]],
    )
    explain: int = Field(
        default=0,
        ge=0,
        le=100,
        description="How many reasons you want of each record; none where this is left out.",
        examples=[3],
        json_schema_extra=_without_default,
    )


def _api(request: Request) -> ModelApi:
    made: ModelApi = request.app.state.model_api()
    return made


Api = Annotated[ModelApi, Depends(_api)]


@routes.get("/api/endpoints/{dataset}/swagger", response_model=dict[str, Any], responses=problems(404))
def get_endpoint_description(dataset: DatasetName, services: Wired, api: Api) -> JsonAnswer:
    """The description of the dataset's model endpoint, as the endpoint gives it."""
    return JsonAnswer(api.swagger(_endpoint(dataset, services)))


@routes.post(
    "/api/endpoints/{dataset}/score", response_model=schemas.ScoreResponse, responses=problems(404, 422)
)
def score_records(dataset: DatasetName, body: ScoreRequest, services: Wired, api: Api) -> JsonAnswer:
    """Scores records through the model that serves now; its answer is passed on as it is."""
    status, answer = api.score(
        _endpoint(dataset, services), body.model_dump_json(exclude_unset=True).encode()
    )
    if status == 200:
        scores = _json(answer)
        if not isinstance(scores.get("probability"), list):
            raise _no_answer()
        return JsonAnswer(scores)
    if status in (400, 413, 422, 424):
        error = _json(answer).get("error", {})
        message = error.get("message") if isinstance(error, dict) else None
        detail = message or "The model could not answer for these values."
        raise Problem(422, str(detail)[:1000], code="ModelRefusedInput")
    raise _no_answer()


@routes.post("/api/endpoints/{dataset}/rollback", status_code=202, responses=accepted(404))
def roll_back_endpoint(dataset: DatasetName, requested: Requested, body: Reason = None) -> JsonAnswer:
    """Takes the traffic from the model that got it last: one that is watched with a share of the traffic loses it at once;
    else the model before the present one answers again, tested first."""

    def begin(operation: str) -> Action:
        check_dataset(dataset, requested.services)
        wanted = f.RollbackRequested(
            dataset=dataset,
            operation=operation,
            requested_ms=requested.milliseconds,
            by=requested.caller.name,
            reason=reason_of(body),
        )
        return Action(says=f"roll back {dataset}", facts=(wanted,))

    return requested.once(begin, reason=reason_of(body))


def _endpoint(dataset: str, services: Services) -> str:
    released = services.ledger.documents.read(RELEASED, dataset)
    if released is None:
        raise Problem(
            404, "No model answers for such a dataset yet; /api/status shows which do.", code="NoModel"
        )
    return released.value.endpoint


def _no_answer() -> Problem:
    return Problem(503, "The model's endpoint does not answer now.", headers={"Retry-After": "5"})


def _json(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
