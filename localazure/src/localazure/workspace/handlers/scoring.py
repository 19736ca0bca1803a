"""The scoring URI: an endpoint's key is checked, a deployment chosen by its traffic, Azure's errors for what goes wrong."""

from __future__ import annotations

import contextlib
import hmac
import http.client
import random
import re
import threading
import time

from localazure.workspace.handlers.insights import tell_of_request
from localazure.workspace.handlers.online import auth_mode, find_deployment, find_endpoint
from localazure.workspace.hosting.server import Hosted
from localazure.workspace.identity.actions import SCORE
from localazure.workspace.identity.bearer import MACHINE_LEARNING, denied_by_policy
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply
from localazure.workspace.workspace import Workspace

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", re.I)
_DEFAULT_TIMEOUT_SECONDS = 5.0
_LARGEST_PAYLOAD = 10 * 1024 * 1024  # [U] Azure's documented limit for managed endpoints
_NOT_PASSED_ON = {
    "host",
    "authorization",
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "accept-encoding",
}
_NOT_PASSED_BACK = {"connection", "content-length", "transfer-encoding", "keep-alive", "server", "date"}


def score(workspace: Workspace, call: Call) -> Reply:
    """What the deployment answers; 424 when it answers anything but 200."""
    endpoint = find_endpoint(workspace, call.names["endpoint"])
    _check_caller(workspace, endpoint, call)
    if len(call.body) > _LARGEST_PAYLOAD:
        raise Refusal(413, "RequestEntityTooLarge", f"a request may have {_LARGEST_PAYLOAD} bytes")
    deployment = find_deployment(workspace, endpoint["name"], _chosen(endpoint, call))
    _mirror(workspace, endpoint, call)
    reply = _counted(workspace, deployment, call)
    reply.headers["azureml-model-deployment"] = deployment["name"]
    return reply


def _counted(workspace: Workspace, deployment: Json, call: Call) -> Reply:
    """What came, as its caller gets it, in the endpoint's metrics, whatever it is."""
    began, status = time.monotonic(), 500
    try:
        reply = _asked(workspace, deployment, call, "/score")
        if reply.status != 200:
            reply.headers["ms-azureml-model-error-statuscode"] = str(reply.status)
            reply.headers["ms-azureml-model-error-reason"] = "model_error"
            reply.status = 424
        status = reply.status
    except Refusal as refusal:
        status = refusal.status
        raise
    finally:
        took = (time.monotonic() - began) * 1000
        workspace.hosting.requests.count(deployment["endpoint"], deployment["name"], status, took)
        tell_of_request(workspace, deployment, call, status, took)
    return reply


def swagger(workspace: Workspace, call: Call) -> Reply:
    endpoint = find_endpoint(workspace, call.names["endpoint"])
    _check_caller(workspace, endpoint, call)
    deployment = find_deployment(workspace, endpoint["name"], _chosen(endpoint, call))
    version = call.query.get("version", "3")
    return _asked(workspace, deployment, call, f"/swagger.json?version={version}")


def _check_caller(workspace: Workspace, endpoint: Json, call: Call) -> None:
    if auth_mode(endpoint) != "key":
        workspace.guard.admit(call, (MACHINE_LEARNING,))
        resource = f"/onlineEndpoints/{endpoint['name']}"
        workspace.guard.check_calling(call, "score", [SCORE], resource)
        if workspace.strict.is_too_new(f"onlineEndpoints/{endpoint['name']}"):
            raise denied_by_policy()
        return
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    fits = [hmac.compare_digest(given.encode(), key.encode()) for key in endpoint["keys"].values()]
    if scheme.lower() != "bearer" or not any(fits):
        raise Refusal(
            401, "key_auth_access_denied", "the header `Authorization: Bearer <key>` is missing or wrong"
        )


def _chosen(endpoint: Json, call: Call) -> str:
    """By the header, else by lot, as the traffic is split."""
    if "azureml-model-deployment" in call.headers:
        return call.headers["azureml-model-deployment"]
    shares: dict[str, int] = {
        name: int(share)
        for name, share in (endpoint["properties"].get("traffic") or {}).items()
        if int(share)
    }
    if not shares:
        raise Refusal(404, "NotFound", f"no deployment of {endpoint['name']} takes traffic")
    return random.choices(list(shares), weights=list(shares.values()))[0]  # noqa: S311 - no secret


def _asked(workspace: Workspace, deployment: Json, call: Call, path: str) -> Reply:
    settings = deployment["properties"].get("requestSettings") or {}
    seconds = _seconds(settings.get("requestTimeout")) or _DEFAULT_TIMEOUT_SECONDS
    at_once = int(settings.get("maxConcurrentRequestsPerInstance") or 1) * int(
        deployment["sku"]["capacity"] or 1
    )
    endpoint, name = deployment["endpoint"], deployment["name"]
    deadline = time.monotonic() + seconds
    with workspace.hosting.asking(endpoint, name, most=2 * at_once) as hosted:
        if hosted is None or not hosted.ready.wait(seconds):
            raise Refusal(
                503,
                "ServiceUnavailable",
                f"the deployment {endpoint}/{name} does not serve ({deployment['state']})",
            )
        return _forwarded(hosted, call, path, max(0.05, deadline - time.monotonic()))


def _forwarded(hosted: Hosted, call: Call, path: str, seconds: float) -> Reply:
    """A connection for each request: the server's only worker must not be held by an idle one."""
    connection = http.client.HTTPConnection("127.0.0.1", hosted.port, timeout=seconds)
    headers = {name: value for name, value in call.headers.items() if name not in _NOT_PASSED_ON}
    try:
        connection.request(call.method, path, body=call.body or None, headers=headers)
        response = connection.getresponse()
        body = response.read()
    except TimeoutError as cause:
        raise Refusal(
            408, "RequestTimeout", f"no answer within the request timeout of {seconds:.1f} s"
        ) from cause
    except (OSError, http.client.HTTPException) as cause:
        raise Refusal(502, "BadGateway", f"the deployment's server ended while answering: {cause}") from cause
    finally:
        connection.close()
    passed = {name: value for name, value in response.getheaders() if name.lower() not in _NOT_PASSED_BACK}
    return Reply(status=response.status, body=body, headers=passed)


def _mirror(workspace: Workspace, endpoint: Json, call: Call) -> None:
    """A share of the requests goes to one more deployment, whose answers nobody sees."""
    for name, share in (endpoint["properties"].get("mirrorTraffic") or {}).items():
        deployment = workspace.store.get("onlineDeployments", f"{endpoint['name']}/{name}")
        if deployment and random.random() * 100 < int(share):  # noqa: S311 - no secret
            threading.Thread(target=_ask_unseen, args=(workspace, deployment, call), daemon=True).start()


def _ask_unseen(workspace: Workspace, deployment: Json, call: Call) -> None:
    with contextlib.suppress(Refusal):
        _asked(workspace, deployment, call, "/score")


def _seconds(duration: str | None) -> float:
    found = _DURATION.fullmatch(duration or "")
    if not found:
        return 0.0
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
