"""The workspace on Azure Machine Learning, through `azure-ai-ml`.

`azure.ai.ml` takes most of a second and 80 MiB to import, so it is imported when a step first needs it, never
when the app starts.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)

from shared.adapters.endpoint_metrics import request_metrics
from shared.adapters.ml_client import ml_client, scoring_address
from shared.adapters.serving_code import ENTRY_SCRIPT, assemble
from shared.domain.datasets.row_digest import LEARNED
from shared.domain.run_end import sentence_in
from shared.errors import Conflict, Refused, Transient
from shared.ports import DeploymentPlan, RequestMetrics, RunView, StepView
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential

log = logging.getLogger(__name__)

ENDED = ("Completed", "Failed", "Canceled")
REQUEST_MILLISECONDS = 170_000
"""Azure allows a request to a managed endpoint 180 seconds at most."""
MOST_LOOKED_AT = 1000
"""Runs of ours, the newest first, among which one is looked for by its tag."""
SDK_STUMBLES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the SDK raises at an answer that is not as it should be: it reads on as if all were there."""
USER_ERROR = "UserError"
"""How the SDK marks what its own checks found before anything was sent."""


def server_variables(at_once: int, *, broken_rows: str = "answer") -> dict[str, str]:
    """How Microsoft's inference server is run: a process for each request at once, forked when the model is loaded.

    Its plain workers take one request each, so that none waits for another's lock; forking shares what `init` made.

    broken_rows: what becomes of rows that break the contract, as `serving.score` reads it
    """
    return {
        "WORKER_COUNT": str(at_once),
        "WORKER_PRELOAD": "true",
        "GUNICORN_CMD_ARGS": "--no-control-socket",
        "BROKEN_ROWS": broken_rows,
    }


class AzureWorkspace:
    """Datasets, runs, models and deployments of one workspace."""

    def __init__(self, settings: Settings, credential: TokenCredential, *, datasets: int = 1) -> None:
        """datasets: how many there are; of each, two models' documents are remembered, and two besides"""
        self._settings = settings
        self._credential = credential
        self._documents = lru_cache(maxsize=2 * datasets + 2)(self._read_documents)

    @cached_property
    def client(self) -> MLClient:
        settings = self._settings
        return ml_client(
            self._credential,
            settings.azure_subscription_id,
            settings.azure_resource_group,
            settings.azureml_workspace,
        )

    # --- data ---------------------------------------------------------------------------------------------

    def register_dataset(self, name: str, version: int, url: str, tags: dict[str, str]) -> None:
        from azure.ai.ml.constants import AssetTypes
        from azure.ai.ml.entities import Data

        data = Data(name=name, version=str(version), path=url, type=AssetTypes.URI_FILE, tags=tags)
        with _answers(f"registering version {version} of {name}"):
            try:
                self.client.data.create_or_update(data)
            except HttpResponseError as cause:
                if cause.status_code != 409:
                    raise
                raise Conflict(
                    f"version {version} of dataset {name} exists in the workspace with other content;"
                    " somebody registered it by hand: archive it, or set the ledger's head document past it"
                ) from cause

    # --- runs ---------------------------------------------------------------------------------------------

    def run(self, name: str) -> RunView | None:
        with _answers(f"looking at run {name}"):
            try:
                job = self.client.jobs.get(name)
            except ResourceNotFoundError:
                return None
            children = list(self.client.jobs.list(parent_job_name=name))
        steps = tuple(_step(child) for child in children)
        failed = [step.name for step in steps if step.status == "Failed"]
        error = f"step {', '.join(failed)} failed; its log is in the run" if failed else ""
        said = [self._said_by(child.name) for child in children if _plain(child.status) == "Failed"]
        error = "; ".join(filter(None, said)) or error
        return RunView(name=name, status=_plain(job.status), error=error, steps=steps)

    def _said_by(self, step: str) -> str:
        """The sentence with which a failed step ended; empty where it left none. The SDK shows a job's error to nobody but
        a person who watches it, so the run history is asked, which knows the end of the log."""
        try:
            details = self.client.jobs._runs_operations.get_run_details(step)
        except (AzureError, *SDK_STUMBLES) as problem:  # the run has failed all the same
            log.warning("why step %s failed cannot be read: %s", step, type(problem).__name__)
            return ""
        told = details.error.error.message if details.error and details.error.error else ""
        return sentence_in(told or "")

    def find_run(self, name: str, tag: str) -> tuple[str, dict[str, Any]] | None:
        """The run of that name, or, where the service ignored it, the newest that bears it as this tag; and its tags."""
        with _answers(f"looking for run {name}"):
            try:
                found = self.client.jobs.get(name)
            except ResourceNotFoundError:
                tagged = islice(self.client.jobs.list(tag=tag), MOST_LOOKED_AT)
                found = next((job for job in tagged if job and (job.tags or {}).get(tag) == name), None)
        return None if found is None else (str(found.name), dict(found.tags or {}))

    def cancel_run(self, name: str) -> None:
        with _answers(f"cancelling run {name}"):
            self.client.jobs.begin_cancel(name)

    # --- models -------------------------------------------------------------------------------------------

    def model_documents(self, name: str, version: int) -> dict[str, Any]:
        """A version of a model never changes, so those asked for last are remembered: probes ask for the model that serves,
        every minute and of every dataset in turn."""
        return self._documents(name, version)

    def _read_documents(self, name: str, version: int) -> dict[str, Any]:
        with self._folder_of(name, version) as folder:
            return {path.stem: json.loads(path.read_bytes()) for path in folder.rglob("*.json")}

    def learned_rows(self, name: str, version: int) -> Any:
        """They grow with the rows, so they are not remembered."""
        import numpy as np

        with self._folder_of(name, version) as folder:
            files = list(folder.rglob(LEARNED))
            return np.load(files[0], allow_pickle=False) if files else None

    @contextmanager
    def _folder_of(self, name: str, version: int) -> Iterator[Path]:
        """The model's folder, while it is looked into."""
        with tempfile.TemporaryDirectory() as folder, _answers(f"reading model {name}:{version}"):
            self.client.models.download(name=name, version=str(version), download_path=folder)
            yield Path(folder)

    def model_folders(self, name: str) -> dict[int, str]:
        from azure.ai.ml.constants import ListViewType

        with _answers(f"listing the models {name}"):
            try:
                listed = list(self.client.models.list(name=name, list_view_type=ListViewType.ALL))
            except ResourceNotFoundError:
                return {}
        return {int(model.version): str(model.path) for model in listed if str(model.version).isdecimal()}

    # --- the endpoint -------------------------------------------------------------------------------------

    def deployment_state(self, endpoint: str, deployment: str) -> str | None:
        with _answers(f"looking at deployment {deployment}"):
            try:
                found = self.client.online_deployments.get(name=deployment, endpoint_name=endpoint)
            except ResourceNotFoundError:
                return None
        return _plain(found.provisioning_state)

    def begin_deployment(self, plan: DeploymentPlan) -> None:
        with _answers(f"deploying {plan.model}:{plan.version}"), tempfile.TemporaryDirectory() as folder:
            self.ensure_endpoint(plan.endpoint)
            deployment = self._deployment(plan, code=assemble(Path(folder)))
            self.client.online_deployments.begin_create_or_update(
                deployment
            )  # returns when the code is uploaded

    def _deployment(self, plan: DeploymentPlan, *, code: Path) -> Any:
        from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment, OnlineRequestSettings

        settings = self._settings
        return ManagedOnlineDeployment(
            name=plan.deployment,
            endpoint_name=plan.endpoint,
            model=f"azureml:{plan.model}:{plan.version}",
            environment=settings.serving_environment,
            code_configuration=CodeConfiguration(code=str(code), scoring_script=ENTRY_SCRIPT),
            instance_type=settings.serving_instance_type,
            instance_count=settings.serving_instance_count,
            request_settings=OnlineRequestSettings(
                max_concurrent_requests_per_instance=settings.serving_concurrent_requests,
                request_timeout_ms=REQUEST_MILLISECONDS,
            ),
            environment_variables=server_variables(
                settings.serving_concurrent_requests, broken_rows=settings.serving_broken_rows
            ),
            tags={"campanha.model": f"{plan.model}:{plan.version}"},
            app_insights_enabled=settings.serving_app_insights == "on",
        )

    def ensure_endpoint(self, name: str) -> None:
        """Makes the endpoint where there is none: one that is there keeps its traffic, and its way to be called."""
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        try:
            self.client.online_endpoints.get(name)
        except ResourceNotFoundError:
            auth_mode = "key" if self._settings.endpoint_auth == "key" else "aad_token"
            endpoint = ManagedOnlineEndpoint(name=name, auth_mode=auth_mode, identity=self._identity())
            self.client.online_endpoints.begin_create_or_update(endpoint).result()

    def _identity(self) -> Any:
        """What the endpoint fetches image, code and model with. It cannot be changed, and its roles must be there."""
        from azure.ai.ml.entities import IdentityConfiguration, ManagedIdentityConfiguration

        if not self._settings.endpoint_identity:
            return None
        named = ManagedIdentityConfiguration(resource_id=self._settings.endpoint_identity)
        return IdentityConfiguration(type="user_assigned", user_assigned_identities=[named])

    def traffic_of(self, endpoint: str) -> dict[str, int]:
        with _answers(f"looking for the traffic of {endpoint}"):
            try:
                found = self.client.online_endpoints.get(endpoint).traffic
            except ResourceNotFoundError:
                return {}
            return {name: share for name, share in (found or {}).items() if share}

    def set_traffic(self, endpoint: str, traffic: dict[str, int]) -> None:
        with _answers(f"moving the traffic of {endpoint}"):
            found = self.client.online_endpoints.get(endpoint)
            if found.traffic == traffic:
                return
            found.traffic = traffic
            self.client.online_endpoints.begin_create_or_update(found).result()

    def deployments(self, endpoint: str) -> Sequence[str]:
        with _answers(f"listing the deployments of {endpoint}"):
            try:
                return [str(found.name) for found in self.client.online_deployments.list(endpoint)]
            except ResourceNotFoundError:  # nor is there an endpoint
                return []

    def request_metrics(self, endpoint: str, since: datetime, until: datetime) -> dict[str, RequestMetrics]:
        where = f"{self._settings.workspace_id}/onlineEndpoints/{endpoint}"
        with _answers(f"reading the metrics of endpoint {endpoint}"):
            return request_metrics(where, since, until, self._credential)

    def delete_deployment(self, endpoint: str, deployment: str) -> None:
        with _answers(f"removing deployment {deployment}"):
            try:
                self.client.online_deployments.begin_delete(name=deployment, endpoint_name=endpoint)
            except ResourceNotFoundError:
                return

    def online_address(self, endpoint: str) -> tuple[str, str]:
        """The scoring URL of an endpoint, and what opens it: a key, or a token of ours."""
        with _answers(f"looking up endpoint {endpoint}"):
            return scoring_address(self.client, self._credential, endpoint)

    def batch_address(self, endpoint: str) -> str:
        """Where the published pipeline takes its POST."""
        with _answers(f"looking up the published pipeline {endpoint}"):
            try:
                return str(self.client.batch_endpoints.get(endpoint).scoring_uri)
            except ResourceNotFoundError as cause:
                raise Refused(
                    f"there is no batch endpoint {endpoint} in the workspace: publish the pipelines"
                ) from cause


@contextmanager
def _answers(what: str) -> Iterator[None]:
    """Turns what the SDK raises into our errors, once, here."""
    try:
        yield
    except AzureError as cause:
        if getattr(cause, "error_category", "") == USER_ERROR:
            raise Refused(f"{what}: azure-ai-ml refused it; the app's log says why") from cause
        raise Transient(f"{what}: Azure Machine Learning {_said(cause)}") from cause
    except SDK_STUMBLES as cause:
        raise Transient(
            f"{what}: Azure Machine Learning answered what azure-ai-ml cannot read; the app's log says more"
        ) from cause


def _said(problem: AzureError) -> str:
    if isinstance(problem, HttpResponseError) and problem.status_code:
        return f"answered {problem.status_code} {problem.error.code if problem.error else ''}".rstrip()
    if isinstance(problem, ClientAuthenticationError):
        return "was not asked: the app's identity was given no token"
    return "gave no answer"


def _step(child: Any) -> StepView:
    """A step's child run; nothing changes in it after its end, so its last change is its end."""
    context, status = child.creation_context, _plain(child.status)
    ended = getattr(context, "last_modified_at", None) if status in ENDED else None
    return StepView(
        name=str(child.display_name or child.name),
        status=status,
        started_at=_moment(getattr(context, "created_at", None)),
        ended_at=_moment(ended),
    )


def _moment(moment: Any) -> str | None:
    return moment if moment is None or isinstance(moment, str) else str(moment.isoformat())


def _plain(state: Any) -> str:
    """The SDK's enums by their value: the str() of some is their own name."""
    return str(getattr(state, "value", state))
