"""The workspace as a process of its own, and what the tests ask of it."""

from __future__ import annotations

import http.server
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient

from running_azure import DISTRIBUTION

SUBSCRIPTION, GROUP, NAME = "00000000-0000-0000-0000-000000000000", "localazure", "localazure"
WS = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{NAME}"
)
SECRET = "only-for-tests"
ROUTES_CALLED: set[str] = set()
"""By any test so far, of the servers that were stopped."""


@dataclass(kw_only=True)
class Server:
    """`localazure workspace`, started and killed by tests."""

    state: Path
    port: int
    identity_port: int
    storage: str
    events: str | None = None
    access: Path | None = None
    environments: Path = DISTRIBUTION / ".environments"
    strict: str = ""
    """Names of unkindnesses, with commas."""
    process: subprocess.Popen[str] | None = field(default=None, init=False)
    _session: requests.Session = field(default_factory=requests.Session, init=False)
    _tokens: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def bundle(self) -> str:
        return str(self.state / "tls" / "bundle.pem")

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AZUREML_DEV_URL_MFE": self.base,
            "REQUESTS_CA_BUNDLE": self.bundle,
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.identity_port}/msi/token",
            "IDENTITY_HEADER": SECRET,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def printed_variables(self, *credential: str) -> dict[str, str]:
        """What the program itself tells clients to set, to sign in so, or as most do."""
        command = [*self._command, "--print-environment", *credential]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return dict(line.split("=", 1) for line in told.split())

    @property
    def _command(self) -> list[str]:
        return [
            sys.executable, "-m", "localazure", "workspace", "--state", str(self.state),
            "--port", str(self.port), "--identity-port", str(self.identity_port),
            "--storage", self.storage, "--identity-header", SECRET,
            "--environments", str(self.environments),
            *(["--access", str(self.access)] if self.access else []),
        ]  # fmt: skip

    def start(self) -> None:
        command = self._command
        if self.events:
            command += ["--events", self.events, "--events-key", "topic-key"]
        if self.strict:
            command.append(f"--strict={self.strict}")
        with (self.state / "workspace.err").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready: workspace "), (self.state / "workspace.err").read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        ROUTES_CALLED.update(self.call("GET", "/__localazure/calls", token="").json())
        self.process.send_signal(number)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def token(self, resource: str = "https://management.azure.com") -> str:
        """Asked for once: it is good for a day."""
        if resource not in self._tokens:
            reply = requests.get(
                f"http://127.0.0.1:{self.identity_port}/msi/token",
                params={"api-version": "2019-08-01", "resource": resource},
                headers={"X-IDENTITY-HEADER": SECRET},
                timeout=10,
            )
            self._tokens[resource] = str(reply.json()["access_token"])
        return self._tokens[resource]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] = {},
    ) -> requests.Response:
        """Plain REST; `path` may be a whole URL. Connections are kept, and only our own authority is read."""
        given = {"Authorization": f"Bearer {self.token() if token is None else token}", **headers}
        url = path if path.startswith("https://") else self.base + path
        self._session.trust_env = False
        authority = str(self.state / "tls" / "ca.pem")
        return self._session.request(method, url, json=body, headers=given, timeout=30, verify=authority)

    def put_blob(self, path: str, content: bytes = b"x") -> None:
        """A blob in the datastore workspaceblobstore."""
        store = self.call("GET", f"{WS}/datastores/workspaceblobstore").json()["properties"]["containerName"]
        service = BlobServiceClient.from_connection_string(self.storage)
        service.get_blob_client(store, path).upload_blob(content, overwrite=True)


class Topic(http.server.ThreadingHTTPServer):
    """Takes run events and keeps them; answers 503 as often as it is told first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TopicHandler)
        self.events: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.refusals: queue.Queue[int] = queue.Queue()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/topics/workspace/api/events"

    def statuses(self, run: str) -> list[str]:
        """In the order they came; RunCompleted as itself."""
        about = [event for event in self.events if event["data"].get("runId") == run]
        return [event["data"].get("runStatus", "RunCompleted") for event in about]


class _TopicHandler(http.server.BaseHTTPRequestHandler):
    server: Topic
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            status = self.server.refusals.get_nowait()
        except queue.Empty:
            status = 200
            self.server.keys.add(self.headers["aeg-sas-key"])
            self.server.events.extend(json.loads(body))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


def alive(process: int) -> bool:
    """Zombies do not count."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
