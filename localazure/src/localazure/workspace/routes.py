"""The one table: every request this workspace understands, and who answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from localazure.workspace.handlers import (
    about,
    artifacts,
    assets,
    batch,
    codes,
    control,
    datastores,
    insights,
    jobs,
    metrics,
    mlflow,
    online,
    published,
    run_history,
    schedules,
    scoring,
    signin,
)
from localazure.workspace.identity import actions
from localazure.workspace.identity.bearer import MACHINE_LEARNING, MANAGEMENT
from localazure.workspace.wire.calls import Call, Refusal, Reply
from localazure.workspace.workspace import Workspace

Handle = Callable[[Workspace, Call], Reply]

_AZURE = (MANAGEMENT, "https://management.core.windows.net", MACHINE_LEARNING)
_WORKSPACE = (
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"/providers/microsoft\.machinelearningservices/workspaces/(?P<workspace>[^/]+)"
)
_BATCH = re.compile(r"/batchendpoints(/|$)", re.IGNORECASE)
_MLFLOW = rf"/mlflow/v[12]\.0{_WORKSPACE}/api/2\.0"


@dataclass(frozen=True)
class Route:
    """`open`: needs no Azure token (the handler may ask for one of its own).

    `slow`: a long-running operation in Azure, or the resource that one is about.
    `only`: Azure takes no other method there (405); elsewhere it may, and it is not emulated (501).
    """

    method: str
    path: str
    handle: Handle
    open: bool = False
    slow: bool = False
    only: bool = False
    form: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        form = re.escape(self.path).replace(r"\{WS\}", _WORKSPACE)
        form = re.sub(r"\\\{(\w+):kind\\\}", r"(?P<\1>data|models|environments|components)", form)
        form = form.replace(r"\{MLFLOW\}", _MLFLOW)
        form = re.sub(r"\\\{(\w+):rest\\\}", r"(?P<\1>.+)", form)
        form = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", form)
        object.__setattr__(self, "form", re.compile(form, re.IGNORECASE))


ROUTES = (
    Route("GET", "/metadata/health", about.health, open=True),
    Route("GET", "/discovery", about.discover, open=True),
    Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", signin.configuration, open=True),
    Route("POST", "/{tenant}/oauth2/v2.0/token", signin.token, open=True),
    Route("GET", "{WS}", about.get_workspace),
    Route("GET", "{WS}/computes", about.list_computes),
    Route("GET", "{WS}/computes/{name}", about.get_compute),
    # storage
    Route("GET", "{WS}/datastores", datastores.list_all),
    Route("GET", "{WS}/datastores/{name}", datastores.get),
    Route("PUT", "{WS}/datastores/{name}", datastores.put),
    Route("DELETE", "{WS}/datastores/{name}", datastores.delete),
    Route("POST", "{WS}/datastores/{name}/listSecrets", datastores.list_secrets),
    # assets
    Route("GET", "{WS}/codes/{name}/versions", codes.list_versions),
    Route("GET", "{WS}/codes/{name}/versions/{version}", codes.get_version),
    Route("PUT", "{WS}/codes/{name}/versions/{version}", codes.put_version),
    Route("POST", "{WS}/codes/{name}/versions/{version}/startPendingUpload", codes.start_upload),
    Route("GET", "{WS}/{kind:kind}", assets.list_containers),
    Route("GET", "{WS}/{kind:kind}/{name}", assets.get_container),
    Route("PUT", "{WS}/{kind:kind}/{name}", assets.put_container),
    Route("GET", "{WS}/{kind:kind}/{name}/versions", assets.list_versions),
    Route("GET", "{WS}/{kind:kind}/{name}/versions/{version}", assets.get_version),
    Route("PUT", "{WS}/{kind:kind}/{name}/versions/{version}", assets.put_version),
    Route("DELETE", "{WS}/{kind:kind}/{name}/versions/{version}", assets.delete_version),
    # jobs
    Route("GET", "{WS}/jobs", jobs.list_all),
    Route("GET", "{WS}/jobs/{name}", jobs.get),
    Route("PUT", "{WS}/jobs/{name}", jobs.put),
    Route("DELETE", "{WS}/jobs/{name}", jobs.delete),
    Route("POST", "{WS}/jobs/{name}/cancel", jobs.cancel),
    # run history and what goes with it
    Route("GET", "/history/v1.0{WS}/runs/{run}", run_history.get_run),
    Route("GET", "/history/v1.0{WS}/runs/{run}/children", run_history.children),
    Route("GET", "/history/v1.0{WS}/runs/{run}/details", run_history.details),
    Route("GET", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}", run_history.get_run),
    Route("GET", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}/children", run_history.children),
    Route("GET", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}/details", run_history.details),
    Route("PATCH", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}", run_history.patch_run),
    Route("POST", "/history/v1.0{WS}/experiments/{experiment}/runs:query", run_history.query_runs),
    Route("POST", "/history/v1.0{WS}/rundata", run_history.run_data),
    Route("POST", "/data/v1.0{WS}/dataversion/batchGetResolvedUris", run_history.resolve_uris),
    Route("GET", "/logs/{run}/{file:rest}", run_history.read_log, open=True),
    # files of runs
    Route("GET", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}/artifacts", artifacts.list_all),
    Route("GET", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}/artifacts/contentinfo", artifacts.content_information),  # noqa: E501
    Route("POST", "/history/v1.0{WS}/experiments/{experiment}/runs/{run}/artifacts/batch/metadata", artifacts.create_empty),
    Route("GET", "/artifact/v2.0{WS}/artifacts/{origin}/{container}", artifacts.list_all),
    Route("GET", "/artifact/v2.0{WS}/artifacts/{origin}/{container}/contentinfo", artifacts.content_information),
    Route("POST", "/artifact/v2.0{WS}/artifacts/{origin}/{container}/batch/metadata", artifacts.create_empty),
    # MLflow
    Route("GET", "{MLFLOW}/mlflow/experiments/get", mlflow.get_experiment),
    Route("GET", "{MLFLOW}/mlflow/experiments/get-by-name", mlflow.get_experiment_by_name),
    Route("POST", "{MLFLOW}/mlflow/experiments/create", mlflow.create_experiment),
    Route("POST", "{MLFLOW}/mlflow/experiments/search", mlflow.search_experiments),
    Route("POST", "{MLFLOW}/mlflow/runs/create", mlflow.create_run),
    Route("GET", "{MLFLOW}/mlflow/runs/get", mlflow.get_run),
    Route("POST", "{MLFLOW}/mlflow/runs/update", mlflow.update_run),
    Route("POST", "{MLFLOW}/mlflow/runs/log-metric", mlflow.log_metric),
    Route("POST", "{MLFLOW}/mlflow/runs/log-parameter", mlflow.log_parameter),
    Route("POST", "{MLFLOW}/mlflow/runs/set-tag", mlflow.set_tag),
    Route("POST", "{MLFLOW}/mlflow/runs/delete-tag", mlflow.delete_tag),
    Route("POST", "{MLFLOW}/mlflow/runs/log-batch", mlflow.log_batch),
    Route("POST", "{MLFLOW}/preview/mlflow/runs/log-batch-async", mlflow.log_batch_async),
    Route("GET", "{MLFLOW}/mlflow/metrics/get-history", mlflow.metric_history),
    Route("POST", "{MLFLOW}/mlflow/logged-models/search", mlflow.search_logged_models),
    # batch endpoints
    Route("GET", "{WS}/batchEndpoints", batch.list_endpoints),
    Route("GET", "{WS}/batchEndpoints/{endpoint}", batch.get_endpoint, slow=True),
    Route("PUT", "{WS}/batchEndpoints/{endpoint}", batch.put_endpoint, slow=True),
    Route("DELETE", "{WS}/batchEndpoints/{endpoint}", batch.delete_endpoint, slow=True),
    Route("GET", "{WS}/batchEndpoints/{endpoint}/deployments", batch.list_deployments),
    Route("GET", "{WS}/batchEndpoints/{endpoint}/deployments/{deployment}", batch.get_deployment, slow=True),
    Route("PUT", "{WS}/batchEndpoints/{endpoint}/deployments/{deployment}", batch.put_deployment, slow=True),
    Route("DELETE", "{WS}/batchEndpoints/{endpoint}/deployments/{deployment}", batch.delete_deployment, slow=True),
    Route("GET", "{WS}/batchEndpoints/{endpoint}/jobs", batch.list_jobs),
    Route("GET", "{WS}/batchEndpoints/{endpoint}/jobs/{name}", batch.get_job),
    Route("GET", "{WS}/batchEndpoints/{endpoint}/deployments/{deployment}/jobs", batch.list_jobs),
    Route("POST", "/batch/{endpoint}/jobs", batch.invoke, open=True),
    # online endpoints
    Route("GET", "{WS}/onlineEndpoints", online.list_endpoints),
    Route("GET", "{WS}/onlineEndpoints/{endpoint}", online.get_endpoint, slow=True),
    Route("PUT", "{WS}/onlineEndpoints/{endpoint}", online.put_endpoint, slow=True),
    Route("DELETE", "{WS}/onlineEndpoints/{endpoint}", online.delete_endpoint, slow=True),
    Route("POST", "{WS}/onlineEndpoints/{endpoint}/listKeys", online.list_keys),
    Route("POST", "{WS}/onlineEndpoints/{endpoint}/regenerateKeys", online.regenerate_keys, slow=True),
    Route("POST", "{WS}/onlineEndpoints/{endpoint}/token", online.get_token),
    Route("GET", "{WS}/onlineEndpoints/{endpoint}/providers/Microsoft.Insights/metrics", metrics.list_metrics),
    Route("GET", "{WS}/onlineEndpoints/{endpoint}/deployments", online.list_deployments),
    Route("GET", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}", online.get_deployment, slow=True),
    Route("PUT", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}", online.put_deployment, slow=True),
    Route("DELETE", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}", online.delete_deployment, slow=True),
    Route("POST", "{WS}/onlineEndpoints/{endpoint}/deployments/{deployment}/getLogs", online.get_logs),
    Route("POST", "/online/{endpoint}/score", scoring.score, open=True, only=True),
    Route("GET", "/online/{endpoint}/swagger.json", scoring.swagger, open=True, only=True),
    # schedules
    Route("GET", "{WS}/schedules", schedules.list_all),
    Route("GET", "{WS}/schedules/{name}", schedules.get, slow=True),
    Route("PUT", "{WS}/schedules/{name}", schedules.put, slow=True),
    Route("DELETE", "{WS}/schedules/{name}", schedules.delete, slow=True),
    Route("POST", "{WS}/schedules/{name}/trigger", schedules.trigger),
    # published pipelines, v1
    Route("GET", "/pipelines/v1.0{WS}/Pipelines", published.list_pipelines),
    Route("GET", "/pipelines/v1.0{WS}/Pipelines/{pipeline}", published.get_pipeline),
    Route("POST", "/pipelines/v1.0{WS}/PipelineRuns/PipelineSubmit/{pipeline}", published.submit_run),
    Route("POST", "/pipelines/v1.0{WS}/PipelineRuns/PipelineEndpointSubmit/Id/{pipeline}", published.submit_run),
    Route("GET", "/pipelines/v1.0{WS}/PipelineRuns/Pipeline/{pipeline}", published.list_runs),
    Route("GET", "/pipelines/v1.0{WS}/PipelineRuns/{run}", published.get_run),
    Route("GET", "/pipelines/v1.0{WS}/PipelineRuns/{run}/Steps", published.steps),
    Route("POST", "/pipelines/v1.0{WS}/PipelineRuns/{run}/Cancel", published.cancel),
    Route("DELETE", "/pipelines/v1.0{WS}/PipelineRuns/{run}/Execution", published.cancel),
    # Application Insights
    Route("POST", "/v2.1/track", insights.track, open=True),
    # control
    Route("GET", "/__localazure/telemetry", insights.seen, open=True),
    Route("GET", "/__localazure/faults", control.list_faults, open=True),
    Route("POST", "/__localazure/faults", control.add_fault, open=True),
    Route("DELETE", "/__localazure/faults", control.remove_faults, open=True),
    Route("DELETE", "/__localazure/faults/{fault}", control.remove_fault, open=True),
    Route("GET", "/__localazure/transitions", control.get_transitions, open=True),
    Route("PUT", "/__localazure/transitions", control.put_transitions, open=True),
    Route("GET", "/__localazure/strict", control.get_strict, open=True),
    Route("PUT", "/__localazure/strict", control.put_strict, open=True),
    Route("PUT", "/__localazure/applications/{client}", signin.put_application, open=True),
    Route("GET", "/__localazure/runs/{run}", control.get_run, open=True),
    Route("POST", "/__localazure/runs/{run}/move", control.move_run, open=True),
    Route("GET", "/__localazure/operations", control.get_operations, open=True),
    Route("PUT", "/__localazure/operations", control.put_operations, open=True),
    Route("GET", "/__localazure/clock", control.get_clock, open=True),
    Route("POST", "/__localazure/clock", control.move_clock, open=True),
    Route("GET", "/__localazure/schedules/{name}/history", control.schedule_history, open=True),
    Route("GET", "/__localazure/calls", control.calls, open=True),
    Route("POST", "/__localazure/reset", control.reset, open=True),
    # long operations
    Route("GET", "/subscriptions/{s}/providers/Microsoft.MachineLearningServices/locations/{l}/mfeOperationResults/{operation}", about.operation_result),  # noqa: E501
    Route("GET", "/subscriptions/{s}/providers/Microsoft.MachineLearningServices/locations/{l}/mfeOperationsStatus/{operation}", about.operation_status),  # noqa: E501
)  # fmt: skip


class Router:
    """Finds a call's route; routes of a method are tried in the table's order."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._by_method: dict[str, list[Route]] = {}
        for route in ROUTES:
            self._by_method.setdefault(route.method, []).append(route)

    def dispatch(self, call: Call) -> Reply:
        """401 without a token for Azure, 404 for another workspace, 405 or 501 for what is not in the table."""
        path = _plain(call.path)
        for route in self._by_method.get(call.method, []):
            found = route.form.fullmatch(path)
            if found:
                self._workspace.calls[f"{route.method} {route.path}"] += 1
                call.path = path
                call.names = {name: value for name, value in found.groupdict().items() if value is not None}
                return self._answer(route, call)
        allowed = [route.method for route in ROUTES if route.only and route.form.fullmatch(path)]
        if allowed:
            raise Refusal(
                405,
                "MethodNotAllowed",
                f"{call.method} is not for this path; {', '.join(allowed)} is",
                headers={"allow": ", ".join(allowed)},
            )
        raise Refusal(
            501, "NotImplemented", f"{call.method} {path} is not emulated; `--routes` lists what is"
        )

    def _answer(self, route: Route, call: Call) -> Reply:
        if not route.open:
            self._workspace.guard.admit(call, _AZURE)
        self._check_workspace(call.names)
        self._check_version(call)
        call.names["kind"] = call.names.get("kind", "").lower()
        action = None if route.open else actions.of_route(route.method, route.path, call.names)
        if action is not None:
            self._workspace.guard.check(call, f"{route.method} {route.path}", [action])
        if not route.slow:
            return route.handle(self._workspace, call)
        if call.method == "GET":
            return self._workspace.operations.seen(call, route.handle(self._workspace, call))
        return self._workspace.one_at_a_time.changed(call, partial(route.handle, self._workspace))

    def _check_version(self, call: Call) -> None:
        """Azure takes versions of its interfaces back, those of a preview before others."""
        version = call.query.get("api-version", "")
        if "preview-retired" in self._workspace.strict and _BATCH.search(call.path) and "preview" in version:
            raise Refusal(
                400,
                "NoRegisteredProviderFound",
                f"the API version {version!r} of batch endpoints is retired; one that is no preview is there",
            )

    def _check_workspace(self, names: dict[str, str]) -> None:
        of = self._workspace.settings
        wanted = {"subscription": of.subscription, "group": of.resource_group, "workspace": of.workspace}
        for name, value in wanted.items():
            if name in names and names[name].lower() != value.lower():
                raise Refusal(
                    404, "ResourceNotFound", f"there is no {name} {names[name]!r} here; there is {value!r}"
                )


def _plain(path: str) -> str:
    """Without the management front's prefix, doubled slashes and a slash at the end."""
    single = re.sub(r"/{2,}", "/", path)
    return re.sub(r"^/mferp/managementfrontend", "", single, flags=re.IGNORECASE).rstrip("/") or "/"


def described() -> Iterator[str]:
    """The table as people read it: method, path, what it does."""
    for route in ROUTES:
        meaning = (route.handle.__doc__ or "").strip().splitlines()
        says = meaning[0] if meaning else route.handle.__name__.replace("_", " ")
        yield f"{route.method:<6} {route.path}  # {says}"
