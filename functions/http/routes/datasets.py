"""/api/datasets: dataset versions, and the request to train on what has gathered."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import Action, Reason, Requested, Retrain, demanded_reason, reason_of
from functions.http.dependencies.parameters import DatasetName, LearnedFilters, Version
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from functions.http.views.svg_answer import SVG, SvgAnswer
from shared.domain import facts as f
from shared.domain.names import dataset_id
from shared.domain.pictures.doubt_picture import doubt_picture
from shared.services import Services

routes = APIRouter(tags=["datasets"])


@routes.get("/api/datasets", response_model=page_of(record("dataset")))
def list_dataset_versions(request: Request, services: Wired, filters: LearnedFilters) -> JsonAnswer:
    """The newest dataset versions first."""
    return JsonAnswer(pagination.page("dataset", filters.look_up(services.ledger), request, services))


@routes.get("/api/datasets/{name}/{version:int}", response_model=record("dataset"), responses=problems(404))
def get_dataset_version(name: DatasetName, version: Version, services: Wired) -> JsonAnswer:
    """One dataset version: its members, and its run."""
    return one("dataset", dataset_id(name, version), services)


@routes.get(
    "/api/datasets/{name}/{version:int}/doubt-picture",
    response_class=SvgAnswer,
    responses={**SVG, **problems(404)},
)
def get_doubt_picture(name: DatasetName, version: Version, services: Wired) -> SvgAnswer:
    """Why its new rows are in doubt, as a picture: what was expected, what came, and what would have been plausible."""
    known = services.ledger.find("dataset", dataset_id(name, version))
    if known is None or "doubts" not in known.values:
        raise Problem(404, "There is no such dataset version, or nothing is in doubt about its rows.")
    return SvgAnswer(doubt_picture(known.id, known.values["doubts"]))


@routes.post("/api/datasets/{dataset}/retrain", status_code=202, responses=accepted(404))
def retrain_dataset(dataset: DatasetName, requested: Requested, body: Reason = None) -> JsonAnswer:
    """Makes a dataset version of what has gathered and trains on it now; or tries again the version that failed."""

    def begin(operation: str) -> Action:
        check_dataset(dataset, requested.services)
        due = f.RetrainDue(dataset=dataset, tick=f"asked-{operation}", asked=True)
        return Action(says=f"retrain {dataset}", facts=(due,))

    return requested.once(begin, reason=reason_of(body))


@routes.post("/api/datasets/{name}/{version:int}/trust", status_code=202, responses=accepted(404))
def trust_dataset_version(
    name: DatasetName,
    version: Version,
    requested: Requested,
    retrain: Retrain = False,
    body: Reason = None,
) -> JsonAnswer:
    """Answers for the rows that are new in a dataset version: the next version says so, and training no longer doubts
    them."""

    def begin(operation: str) -> Action:
        id_ = dataset_id(name, version)
        known = requested.services.ledger.find("dataset", id_)
        if known is None:
            raise Problem(404, "There is no such dataset version; /api/datasets lists what there is.")
        if who := known.values.get("trusted_by"):
            why = known.values.get("trusted_because")
            raise Problem(409, f"Its rows are trusted already, by {who}: {why}", code="AlreadyDecided")
        wanted = f.TrustRequested(
            dataset=name,
            version=version,
            operation=operation,
            by=requested.caller.name,
            reason=demanded_reason(body, "A person answers for these rows"),
            retrain=retrain,
        )
        return Action(says=f"trust the rows of {id_}", facts=(wanted,))

    return requested.once(begin, reason=reason_of(body))


@routes.post("/api/datasets/{dataset}/experiment", status_code=202, responses=accepted(404))
def experiment_on_dataset(dataset: DatasetName, requested: Requested, body: Reason = None) -> JsonAnswer:
    """Searches for a better recipe on the newest trained version, in what is left of the day's time; nothing goes live."""

    def begin(operation: str) -> Action:
        check_dataset(dataset, requested.services)
        due = f.ExperimentDue(dataset=dataset, tick=f"asked-{operation}")
        return Action(says=f"experiment on {dataset}", facts=(due,))

    return requested.once(begin, reason=reason_of(body))


def check_dataset(dataset: str, services: Services) -> None:
    """raises: Problem 404 for a dataset that no contract is for"""
    if dataset not in {contract.dataset for contract in services.contracts}:
        raise Problem(404, "There is no such dataset; /api/status lists those there are.")
