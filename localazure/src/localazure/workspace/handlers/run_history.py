"""Run history and the other data-plane services the SDK asks about jobs."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

from localazure.workspace.engine.execution import log_names
from localazure.workspace.history.runs import TERMINAL
from localazure.workspace.store.blobs import NothingThere, Place
from localazure.workspace.store.uris import ARTIFACTS, UnknownPath, artifacts_prefix
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, listing
from localazure.workspace.workspace import Workspace


def get_run(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=workspace.runs.told(workspace.runs.get(call.names["run"])))


def children(workspace: Workspace, call: Call) -> Reply:
    run = workspace.runs.get(call.names["run"])
    return listing([workspace.runs.told(child) for child in workspace.runs.children(run["runId"])])


def details(workspace: Workspace, call: Call) -> Reply:
    """With the logs' addresses: whoever has the address may read the log."""
    run = workspace.runs.get(call.names["run"])
    told: Json = {
        "runId": run["runId"],
        "target": "serverless",
        "status": run["status"],
        "startTimeUtc": run["startTimeUtc"],
        "endTimeUtc": run["endTimeUtc"],
        "services": {},
        "properties": run["properties"],
        "inputDatasets": [],
        "outputDatasets": [],
        "logFiles": _logs(workspace, run["runId"]),
    }
    if run["error"]:
        told["error"] = run["error"]
    return Reply(body=told)


def patch_run(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=workspace.runs.told(workspace.runs.patch(call.names["run"], call.json())))


def run_data(workspace: Workspace, call: Call) -> Reply:
    run = workspace.runs.get(str(call.json().get("runId")))
    return Reply(body={"runMetadata": workspace.runs.told(run)})


def query_runs(workspace: Workspace, call: Call) -> Reply:
    """Runs of one experiment, newest first."""
    asked = {name: value for name, value in call.json().items() if value not in (None, "", [], False)}
    if unknown := set(asked) - {"top", "continuationToken"}:
        raise Refusal(501, "NotImplemented", f"{sorted(unknown)[0]!r} of a runs:query is not emulated")
    runs = workspace.store.all("runs", newest_first=True)
    return listing(
        [workspace.runs.told(run) for run in runs if run["experiment"] == call.names["experiment"]][
            : asked.get("top")
        ]
    )


def resolve_uris(workspace: Workspace, call: Call) -> Reply:
    """Where the bytes of output assets are."""
    values = {}
    for asset in call.json().get("values") or []:
        place = _followed(workspace, asset)
        kind = "uri_file" if place and not place.endswith("/") else "uri_folder"
        values[asset] = {"uri": place, "type": kind}
    return Reply(body={"values": values})


def read_log(workspace: Workspace, call: Call) -> Reply:
    """For whoever has the signed address: from the run's folder, else from its artifacts."""
    run, name = call.names["run"], call.names["file"]
    if not hmac.compare_digest(call.query.get("sig", ""), _signature(workspace, run, name)):
        raise Refusal(403, "AuthenticationFailed", "the log's address is not signed by this workspace")
    if "logs-late" in workspace.strict and workspace.runs.get(run)["status"] not in TERMINAL:
        return _text(f"The log {name} can be read when the run {run} has ended.".encode())
    folder = workspace.engine.folder(run)
    if name in log_names(folder):
        return _text((folder / name).read_bytes())
    kept = Place(workspace.resolver.container_of(ARTIFACTS), artifacts_prefix(run) + name)
    try:
        return _text(workspace.blobs.read(kept))
    except NothingThere as cause:
        raise Refusal(404, "NotFound", f"the run {run} has no log {name}") from cause


def _signature(workspace: Workspace, run: str, name: str) -> str:
    return hmac.new(workspace.issuer.secret.encode(), f"{run}/{name}".encode(), hashlib.sha256).hexdigest()


def _text(content: bytes) -> Reply:
    return Reply(body=content, headers={"Content-Type": "text/plain; charset=utf-8"})


def _followed(workspace: Workspace, asset: str) -> str | None:
    output = asset.partition("/data/azureml_")[2].partition("/versions/")[0]
    run, _, name = output.partition("_output_")
    try:
        found = workspace.resolver.long_form(f"azureml://jobs/{run}/outputs/{name}") if name else asset
    except UnknownPath:
        return None
    return found


def _logs(workspace: Workspace, run: str) -> dict[str, str]:
    names = log_names(workspace.engine.folder(run))
    if not names:
        prefix = artifacts_prefix(run)
        found = workspace.blobs.names(Place(workspace.resolver.container_of(ARTIFACTS), prefix))
        names = [name.removeprefix(prefix) for name in found if name.endswith(".txt")]
    base = f"{workspace.settings.base}/logs/{quote(run)}"
    return {name: f"{base}/{quote(name)}?sig={_signature(workspace, run, name)}" for name in names}
