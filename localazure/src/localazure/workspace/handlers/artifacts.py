"""Files of runs, as MLflow's clients list, fetch and log them: each by a signed address of its own.

A run's artifacts are the same seen from run history and from the artifact service (`artifact/v2.0`), which knows them
as the container `dcid.RUN` of the origin `ExperimentRun`.
"""

from __future__ import annotations

from localazure.workspace.store.blobs import Place
from localazure.workspace.store.uris import ARTIFACTS, artifacts_prefix
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, listing, not_found
from localazure.workspace.workspace import Workspace

ORIGIN, _CONTAINER = "ExperimentRun", "dcid."


def list_all(workspace: Workspace, call: Call) -> Reply:
    """All files of a run, however deep."""
    run = _run(workspace, call)
    folder = _place(workspace, run, "")
    names = workspace.blobs.names(folder)
    return listing([_told(run, name.removeprefix(folder.path)) for name in names])


def content_information(workspace: Workspace, call: Call) -> Reply:
    """Where a file can be read, for two hours."""
    run, path = _run(workspace, call), _checked(call.query.get("path"))
    place = _place(workspace, run, path)
    if not workspace.blobs.exists(place):
        raise not_found(f"artifact of the run {run}:", path)
    return Reply(body=_told(run, path) | {"contentUri": _address(workspace, place, write=False)})


def create_empty(workspace: Workspace, call: Call) -> Reply:
    """Where files can be written, once each: what is there already stays, and is told as an error."""
    run = _run(workspace, call)
    artifacts: dict[str, Json] = {}
    addresses: dict[str, Json] = {}
    errors: dict[str, Json] = {}
    for one in call.json().get("paths") or []:
        path = _checked(one.get("path"))
        place = _place(workspace, run, path)
        if workspace.blobs.exists(place):
            said = f"the run {run} has an artifact {path} already"
            errors[path] = {"error": {"code": "UserError", "message": said}}
            continue
        artifacts[path] = _told(run, path)
        addresses[path] = _told(run, path) | {"contentUri": _address(workspace, place, write=True)}
    return Reply(body={"artifacts": artifacts, "artifactContentInformation": addresses, "errors": errors})


def _run(workspace: Workspace, call: Call) -> str:
    """By the run's name, or by its container's; a run that is not there has no artifacts."""
    container = call.names.get("container", "")
    if container and (call.names["origin"].lower() != ORIGIN.lower() or not container.startswith(_CONTAINER)):
        raise not_found("container of artifacts", f"{call.names['origin']}/{container}")
    name: str = workspace.runs.get(call.names.get("run") or container.removeprefix(_CONTAINER))["runId"]
    return name


def _place(workspace: Workspace, run: str, path: str) -> Place:
    return Place(workspace.resolver.container_of(ARTIFACTS), artifacts_prefix(run) + path)


def _told(run: str, path: str) -> Json:
    container = f"{_CONTAINER}{run}"
    return {
        "artifactId": f"{ORIGIN}/{container}/{path}",
        "origin": ORIGIN,
        "container": container,
        "path": path,
    }


def _checked(path: object) -> str:
    if not isinstance(path, str) or not path or {".", "..", ""} & set(path.split("/")):
        raise Refusal(
            400, "UserError", f"{path!r} is not the path of an artifact, such as `outputs/model.txt`"
        )
    return path


def _address(workspace: Workspace, place: Place, *, write: bool) -> str:
    """Signed, by way of our blob front.

    `azureml-mlflow` fetches nothing, and says nothing, unless an address looks like one of `blob.core.windows.net`; the
    query that makes it look so is dropped by azure-storage-blob, like that in `datastores.account_name`.
    """
    blobs, path = workspace.blobs, workspace.blobs.path(place)
    signed = blobs.blob_access(place, write=write)
    return f"{workspace.settings.base}/{path}?{signed}&x=.blob.core.windows.net//?"
