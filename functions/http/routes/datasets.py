"""/api/datasets: dataset versions, and the request to train on what has gathered."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from functions.http.dependencies.actions import Action, Reason, Requested, reason_of
from functions.http.dependencies.parameters import Filters, Name, Version
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.views import pagination
from functions.http.views.one_record import one
from functions.http.views.records import Json
from shared.domain import facts as f
from shared.domain.records import dataset_id
from shared.services import Services

routes = APIRouter()


@routes.get("/api/datasets")
def datasets(request: Request, services: Wired, filters: Filters) -> Json:
    """The newest dataset versions first."""
    return pagination.page("dataset", filters, request, services)


@routes.get("/api/datasets/{name}/{version:int}")
def dataset(name: Name, version: Version, services: Wired, response: Response) -> Json:
    """One dataset version: its members, and its run."""
    return one("dataset", dataset_id(name, version), services, response)


@routes.post("/api/datasets/{dataset}/retrain", status_code=202)
def retrain(dataset: Name, requested: Requested, why: Reason = None) -> JSONResponse:
    """Makes a dataset version of what has gathered and trains on it now; or tries again the version that failed."""

    def begin(operation: str) -> Action:
        check_dataset(dataset, requested.services)
        due = f.RetrainDue(dataset=dataset, tick=f"asked-{operation}")
        return Action(says=f"retrain {dataset}", facts=(due,))

    return requested.once(begin, reason=reason_of(why))


def check_dataset(dataset: str, services: Services) -> None:
    """raises: Problem 404 for a dataset that no contract is for"""
    if dataset not in {contract.dataset for contract in services.contracts}:
        raise Problem(404, "There is no such dataset; /api/status lists those there are.")
