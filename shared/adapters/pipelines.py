"""The published pipelines by plain REST: behind v2 batch endpoints, and the v1 published pipeline.

Plain REST, since `azure-ai-ml`'s own `invoke()` holds request headers of earlier calls in a module-global
dictionary, and since v1's SDK is no longer supported.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import requests
from azure.core.exceptions import AzureError

from shared import telemetry
from shared.adapters.http_client import NOT_LET_IN, Reply, TooLarge, ask
from shared.adapters.ml_client import AUDIENCE as BATCH_AUDIENCE
from shared.domain import names
from shared.errors import NotLetIn, Refused, Transient, started_with_other_inputs
from shared.ports import ExperimentRequest, RunRequest, ScoringRequest

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

MANAGEMENT_AUDIENCE = "https://management.azure.com/.default"
TIMEOUT = (10, 60)
"""Seconds to connect, and to wait for the answer."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; the longest is v1's list of a pipeline's runs."""
RUN_TAG = "campanha.run"
"""The name we chose, also where the service gives a run another."""
INPUTS_TAG = "campanha.inputs"
"""A digest of what the run was started with."""
TRACE_TAG = "campanha.traceparent"
"""The trace that the run belongs to, for whoever looks at it in Azure ML, and for the code that runs there."""

Json = dict[str, Any]
FindRun = Callable[[str, str], tuple[str, Json] | None]
"""The run of that name, or the one that bears it as this tag: the service's name for it, and its tags."""


Request = TypeVar("Request", RunRequest, ScoringRequest, ExperimentRequest)


class BatchEndpoint(ABC, Generic[Request]):
    """A batch endpoint with a pipeline component deployment; its kinds add their pipeline's inputs and outputs."""

    def __init__(
        self,
        credential: TokenCredential,
        *,
        workspace_id: str,
        address: Callable[[], str],
        find_run: FindRun,
    ) -> None:
        self._credential = credential
        self._workspace_id = workspace_id
        self._address = address
        self._find_run = find_run

    def find(self, request: Request) -> str | None:
        found = self._find_run(request.name, RUN_TAG)
        return _checked(*found, request) if found else None

    def submit(self, request: Request) -> str:
        body = {
            "properties": {
                "name": request.name,
                "InputData": self._inputs(request),
                "OutputData": self._outputs(request),
                "properties": {"experimentName": f"campanha-{request.dataset}"},
                "tags": _tags(request),
            }
        }
        answer = _send("POST", self._address(), self._credential, BATCH_AUDIENCE, body)
        if answer.status == 409:  # the name is taken: mostly an earlier request of ours arrived after all
            found = self.find(request)
            if found is None:
                raise Transient(f"the name {request.name} is taken, and there is no such run yet")
            return found
        return _run_of(_accepted(answer), "name")

    @abstractmethod
    def _inputs(self, request: Request) -> Json: ...

    def _outputs(self, request: Request) -> Json:
        return {}


class BatchPipeline(BatchEndpoint[RunRequest]):
    """The training pipeline."""

    def _inputs(self, request: RunRequest) -> Json:
        inputs = _of_version(self._workspace_id, request, **request.values)
        return {**inputs, **_folders(_models(request))}


class BatchScoring(BatchEndpoint[ScoringRequest]):
    """The scoring pipeline.

    Its output goes straight to the container of scored files, by a datastore: a batch endpoint takes no other place
    for an output, and Azure ML writes there with the cluster's identity, so that no step holds a key.
    """

    def _inputs(self, request: ScoringRequest) -> Json:
        return {
            "plan": {"JobInputType": "UriFile", "Uri": request.plan_url},
            "profile": {"JobInputType": "UriFile", "Uri": request.profile_url},
            "source": {"JobInputType": "UriFile", "Uri": request.source_url},
            **_folders({"model": request.model_url}),
        }

    def _outputs(self, request: ScoringRequest) -> Json:
        return {"scored": _folder(self._workspace_id, names.SCORED_DATASTORE, request.output)}


class BatchExperiment(BatchEndpoint[ExperimentRequest]):
    """The experimentation pipeline, or that with AutoML. Its output goes straight to the container of found recipes."""

    def _inputs(self, request: ExperimentRequest) -> Json:
        inputs = _of_version(self._workspace_id, request, **request.values)
        return {**inputs, **_folders({"earlier": request.earlier})}

    def _outputs(self, request: ExperimentRequest) -> Json:
        return {"found": _folder(self._workspace_id, names.RECIPES_DATASTORE, request.output)}


def _of_version(workspace: str, request: RunRequest | ExperimentRequest, **values: object) -> Json:
    """A dataset version, and what else a run on it is given. workspace: its id"""
    asset = f"{workspace}/data/{request.dataset}/versions/{request.version}"
    literals = {"model_name": request.dataset, "model_version": str(request.version), **values}
    return {
        "manifest": {"JobInputType": "UriFile", "Uri": asset},
        **_folders({"parts": request.parts_url}),
        **{name: _literal(value) for name, value in literals.items()},
    }


def _models(request: RunRequest) -> dict[str, str | None]:
    return {"champion": request.champion, "earlier": request.earlier}


def _folders(given: dict[str, str | None]) -> Json:
    """Folders, without those that a run does without. Models are such too: a batch endpoint takes data, and no
    reference to a registered model."""
    return {name: {"JobInputType": "UriFolder", "Uri": url} for name, url in given.items() if url}


def _folder(workspace: str, datastore: str, path: str) -> Json:
    place = f"azureml:{workspace}/datastores/{datastore}/paths/{path}"
    return {"JobOutputType": "UriFolder", "Uri": place}


def _literal(value: object) -> Json:
    return {"JobInputType": "Literal", "Value": value}


class PublishedPipeline:
    """A v1 published pipeline. It takes no name of ours, so a run is found again by its tag."""

    def __init__(self, credential: TokenCredential, *, url: str, workspace_id: str) -> None:
        self._credential = credential
        self._url = url
        self._workspace_id = workspace_id

    def find(self, request: RunRequest) -> str | None:
        runs, _, pipeline = self._url.partition("/PipelineSubmit/")
        answer = _send("GET", f"{runs}/Pipeline/{pipeline}", self._credential, MANAGEMENT_AUDIENCE)
        runs_there = _accepted(answer)
        if not isinstance(runs_there, list) or not all(isinstance(run, dict) for run in runs_there):
            raise Transient("the published pipeline's list of runs is none")
        for run in runs_there:
            tags = run.get("tags")
            if isinstance(tags, dict) and tags.get(RUN_TAG) == request.name:
                return _checked(_run_of(run, "Id"), tags, request)
        return None

    def submit(self, request: RunRequest) -> str:
        """Probes first, since nothing there is idempotent: the same request sent twice starts two runs."""
        started = self.find(request)
        if started is not None:
            return started
        body = {
            "ExperimentName": f"campanha-{request.dataset}",
            "ParameterAssignments": self._assignments(request),
            "tags": _tags(request),
            "RunSource": "API",
        }
        answer = _send("POST", self._url, self._credential, MANAGEMENT_AUDIENCE, body)
        return _run_of(_accepted(answer), "Id")

    def _assignments(self, request: RunRequest) -> dict[str, str]:
        asset = f"{self._workspace_id}/data/{request.dataset}/versions/{request.version}"
        return {
            "manifest": asset,
            "parts": request.parts_url,
            "model_name": request.dataset,
            "model_version": str(request.version),
            **{name: url for name, url in _models(request).items() if url},
            **{name: str(value) for name, value in request.values.items()},
        }


def _tags(request: RunRequest | ScoringRequest | ExperimentRequest) -> dict[str, str]:
    trace = telemetry.carried()
    told = {TRACE_TAG: trace.traceparent} if trace else {}
    return {RUN_TAG: request.name, INPUTS_TAG: request.digest, **told}


def _run_of(described: Any, name: str) -> str:
    """The service's name for the run. raises: Transient where it says none, though it took the request"""
    run = described.get(name) if isinstance(described, dict) else None
    if not isinstance(run, str) or not run.strip() or not run.isprintable():
        raise Transient(f"the pipeline endpoint answered without the {name} of a run")
    return run


def _checked(run: str, tags: Json, request: RunRequest | ScoringRequest | ExperimentRequest) -> str:
    """The run, if it is the one that was asked for. raises: Refused"""
    if tags.get(INPUTS_TAG) != request.digest:
        raise Refused(started_with_other_inputs(run))
    return run


def _send(
    method: str, url: str, credential: TokenCredential, audience: str, body: dict[str, Any] | None = None
) -> Reply:
    try:
        headers = {"Authorization": f"Bearer {credential.get_token(audience).token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        return ask(method, url, headers=headers, body=content, timeout=TIMEOUT, most=LARGEST_ANSWER)
    except AzureError as cause:
        raise Transient("the app's identity was given no token for the pipeline endpoint") from cause
    except (requests.RequestException, TooLarge) as cause:
        raise Transient(
            "the pipeline endpoint gave no answer; the run may have started all the same"
        ) from cause


def _accepted(answer: Reply) -> Any:
    """raises: Refused on a definite no, NotLetIn on one for now, Transient where the request may have been taken."""
    if answer.status in (200, 201, 202):
        try:
            return answer.json()
        except ValueError as cause:
            raise Transient(f"the pipeline endpoint answered {answer.status} without JSON") from cause
    message = f"the pipeline endpoint answered {answer.status} {_code(answer)}"
    if answer.status in (408, 429) or answer.status >= 500:
        raise Transient(message)
    if answer.status in NOT_LET_IN:
        raise NotLetIn(f"{message}; may the app's identity start runs there?")
    if answer.status == 404:
        message += ": publish the pipeline there (./dev publish, or python -m pipelines.publish), or mend the address"
    raise Refused(message)


def _code(answer: Reply) -> str:
    """The error's code; the status line's words where there is none."""
    try:
        error = _part(answer.json(), "error")
    except ValueError:
        return answer.reason
    code = _part(error, "code")
    return code if isinstance(code, str) and code.isascii() and code else answer.reason


def _part(body: Any, name: str) -> Any:
    """v1's names begin with a capital."""
    return body.get(name) or body.get(name.capitalize()) if isinstance(body, dict) else None
