"""The borders: tokens, unknown routes, the blob front, health, speed."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import sys
import time

import pytest
import requests
from azure.storage.blob import BlobClient, BlobServiceClient

from localazure.workspace.wire.server import LARGEST_REQUEST
from running_azure.workspace import SECRET, WS, Server


def test_health_needs_no_token(server: Server) -> None:
    assert server.call("GET", "/metadata/health", token="").json()["status"] == "ok"


def test_an_unknown_route_is_refused_by_name(server: Server) -> None:
    reply = server.call("GET", f"{WS}/onlineEndpoints/x/skus")
    assert reply.status_code == 501
    assert reply.json()["error"]["code"] == "NotImplemented"
    assert "/onlineEndpoints/x/skus" in reply.json()["error"]["message"]


@pytest.mark.parametrize(("path", "allowed"), [("score", "POST"), ("swagger.json", "GET")])
def test_another_method_is_405_where_azure_has_no_other(server: Server, path: str, allowed: str) -> None:
    for method in {"GET", "POST", "PUT", "DELETE"} - {allowed}:
        told = server.call(method, f"/online/x/{path}", token="")
        assert (told.status_code, told.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("token", ["", "abc", "a.e30.b"])
def test_azure_wants_a_token(server: Server, token: str) -> None:
    assert server.call("GET", WS, token=token).status_code == 401


def test_another_workspace_is_not_here(server: Server) -> None:
    assert server.call("GET", WS.replace("workspaces/localazure", "workspaces/other")).status_code == 404


def test_identity_wants_its_secret(server: Server) -> None:
    url = f"http://127.0.0.1:{server.identity_port}/msi/token?resource=x"
    assert requests.get(url, headers={"X-IDENTITY-HEADER": "wrong"}, timeout=5).status_code == 401
    assert (
        requests.get(url, headers={"X-IDENTITY-HEADER": SECRET}, timeout=5).json()["token_type"] == "Bearer"
    )


def test_paths_match_in_any_case(server: Server) -> None:
    path = WS.replace("resourceGroups", "RESOURCEGROUPS").replace("workspaces", "Workspaces")
    assert server.call("GET", f"/mferp/managementfrontend/{path}").json()["name"] == "localazure"


def test_the_blob_front_passes_uploads_ranges_and_heads(server: Server, azurite: str, name: str) -> None:
    BlobServiceClient.from_connection_string(azurite).create_container(name)
    reply = server.call("POST", f"{WS}/datastores/workspaceblobstore/listSecrets", {"expirableSecret": True})
    url = f"{server.base}/devstoreaccount1/{name}/big.bin?{reply.json()['sasToken']}"
    blob = BlobClient.from_blob_url(url, max_block_size=1024 * 1024, max_single_put_size=1024 * 1024)
    content = bytes(range(256)) * 4096 * 5
    blob.upload_blob(content)
    assert blob.get_blob_properties().size == len(content)
    assert blob.download_blob(offset=1000, length=70_000).readall() == content[1000:71_000]
    assert blob.download_blob(max_concurrency=3).readall() == content


def test_a_call_takes_less_than_ten_milliseconds(server: Server) -> None:
    """Of the fastest, so that a busy machine does not matter: with Nagle's algorithm each would take forty."""
    session, token = requests.Session(), server.token()
    session.verify, session.headers["Authorization"] = server.bundle, f"Bearer {token}"
    session.trust_env = False
    times = []
    for _ in range(100):
        started = time.perf_counter()
        session.get(server.base + WS, timeout=5).raise_for_status()
        times.append(time.perf_counter() - started)
    print(f"\nworkspace: a call takes {1000 * statistics.median(times):.1f} ms (median of {len(times)})")
    assert min(times) < 0.010


@pytest.mark.parametrize("name", ["..", "a b", "-x", "x" * 300])
def test_names_that_would_leave_their_folder_are_refused(server: Server, name: str) -> None:
    job = {"properties": {"jobType": "Command", "command": "true"}}
    path = f"{server.base}{WS}/jobs/{name}".replace("..", "%2E%2E")
    assert server.call("PUT", path, job).status_code in (400, 404)


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        (gzip.compress(b"{}\n" * 3), 200),
        (gzip.compress(b"{}\n") + gzip.compress(b"{}\n{}\n"), 200),
        (gzip.compress(b"{}\n" * 9)[:-9], 400),
        (gzip.compress(b"{}\n" * 9)[:-8] + bytes(8), 400),
        (gzip.compress(b"{}")[:10] + b"\xff" * 20, 400),
        (b"{}", 400),
        (gzip.compress(b" " * (LARGEST_REQUEST + 1)), 413),
    ],
    ids=["whole", "in parts", "cut off", "of a wrong sum", "broken", "not packed", "too large"],
)
def test_packed_telemetry_is_taken_or_refused_whatever_it_is(
    server: Server, packed: bytes, status: int
) -> None:
    reply = requests.post(
        f"{server.base}/v2.1/track", packed, headers={"content-encoding": "gzip"}, timeout=60,
        verify=server.bundle,
    )  # fmt: skip
    assert reply.status_code == status, reply.text
    assert status != 200 or reply.json()["itemsAccepted"] == 3


def test_logs_are_only_for_signed_addresses(server: Server) -> None:
    assert server.call("GET", "/logs/%2E%2E/user_logs/std_log.txt", token="").status_code == 403


def test_the_server_loads_none_of_what_only_searches_need() -> None:
    heavy = "{'numpy', 'pyarrow', 'lightgbm', 'pandas', 'azure.ai.ml'}"
    script = f"import sys, localazure.workspace.__main__; print({heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
