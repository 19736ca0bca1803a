"""The host signs in by a managed identity: to an account that takes tokens only, with what its roles allow."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from localazure.access import tokens
from localazure.host.errors import BadSetting
from localazure.host.managed_identity import ManagedIdentity
from localazure.storage.client import StorageUnreachable
from running_azure import access
from running_azure.access import ACCOUNT, KEY
from running_azure.front import Front, running
from running_azure.host import Hosted
from running_azure.waiting import until

QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
ROLES = {
    "blob owner": {"actions": [f"{BLOBS}/containers/*"], "dataActions": [f"{BLOBS}/containers/blobs/*"]},
    "queue contributor": {"actions": [f"{QUEUES}/*"], "dataActions": [f"{QUEUES}/messages/*"]},
}
ASSIGNMENTS = (
    ("app", "blob owner", ACCOUNT),
    ("app", "queue contributor", ACCOUNT),
    ("test", "queue contributor", ACCOUNT),
)
APP = """
@app.queue_trigger(arg_name="msg", queue_name="work", connection="DATA")
def on_work(msg: func.QueueMessage) -> None:
    note("work", text=msg.get_body().decode())


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
def on_tick(timer: func.TimerRequest) -> None:
    note("tick")
"""


class Endpoint(ThreadingHTTPServer):
    """App Service's, for one identity; `seconds` is how long a token lasts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.given, self.seconds = 0, 3600
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def variables(self) -> dict[str, str]:
        return {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.server_port}/msi/token",
            "IDENTITY_HEADER": "secret-app",
        }


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        known = (
            self.headers.get("X-IDENTITY-HEADER") == "secret-app" and query.get("client_id") == "client-app"
        )
        self.server.given += known
        token, end = tokens.issue(KEY, query["resource"], "principal-app", seconds=self.server.seconds)
        body = json.dumps({"access_token": token, "expires_on": str(end)}).encode() if known else b"{}"
        self.send_response(200 if known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Front]:
    def write(file: Path, _: object) -> object:
        return access.write(file, roles=ROLES, assignments=ASSIGNMENTS)

    with running(tmp_path_factory.mktemp("identity"), free_port, write) as made:
        made.queues("test").create_queue("work")
        yield made


def by_identity(name: str, front: Front) -> dict[str, str]:
    address = {
        service: f"https://127.0.0.1:{front.ports[service]}/devstoreaccount1" for service in ("blob", "queue")
    }
    given = {f"{name}__{service}ServiceUri": value for service, value in address.items()}
    return {**given, f"{name}__credential": "managedidentity", f"{name}__clientId": "client-app"}


def test_triggers_work_without_any_key(
    front: Front, endpoint: Endpoint, hosted_app: Callable[..., Hosted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a role that is missing is said, waited for, and no reason to end."""
    host = hosted_app(APP)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(front.bundle))
    keyless = {
        "AzureWebJobsStorage": "", "DATA": "",
        **by_identity("AzureWebJobsStorage", front), **by_identity("DATA", front),
    }  # fmt: skip
    host.start(**keyless, **endpoint.variables)
    host.await_notes("tick")
    queue = front.queues("test").get_queue_client("work")
    queue.send_message("b25l")
    assert [one["text"] for one in host.await_notes("work")] == ["one"]
    with front.without("app", "queue contributor"):
        until(lambda: "The queue work cannot be read" in host.log.read_text(), "the refusal")
        queue.send_message("dHdv")
    assert [one["text"] for one in host.await_notes("work", 2)] == ["one", "two"]
    assert endpoint.given >= 1


def test_a_token_is_kept_until_it_is_about_to_end(endpoint: Endpoint) -> None:
    identity = ManagedIdentity(endpoint.variables, "client-app")
    first = identity.token()
    assert identity.token() == first
    assert endpoint.given == 1
    endpoint.seconds = 60
    short = ManagedIdentity(endpoint.variables, "client-app")
    short.token()
    short.token()
    assert endpoint.given == 3


def test_who_has_no_identity_is_told_so(endpoint: Endpoint) -> None:
    with pytest.raises(BadSetting, match="IDENTITY_ENDPOINT"):
        ManagedIdentity({}, "client-app")
    with pytest.raises(StorageUnreachable, match="401"):
        ManagedIdentity(endpoint.variables, "another").token()
