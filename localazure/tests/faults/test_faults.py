"""Faults by command, of every part: what the unmodified SDKs meet, with retries and without."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient, LinearRetry
from azure.storage.queue import QueueClient

from localazure import faults
from localazure.faults.control import file_of
from localazure.faults.kinds import KINDS
from running_azure.waiting import until

ONCE: dict[str, Any] = {"retry_total": 0}
LOST = (ServiceRequestError, ServiceResponseError)
PATIENT: dict[str, Any] = {"retry_total": 5, "retry_backoff_factor": 0.05}


@dataclass(frozen=True)
class Faulty:
    """`localazure up --faults`, running."""

    state: Path
    told: dict[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        variables: dict[str, str] = self.told["environment"]
        return variables

    @property
    def storage(self) -> str:
        return self.variables["AZURE_STORAGE_CONNECTION_STRING"]

    def blobs(self, **options: Any) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(self.storage, **options)

    def table(self, name: str, **options: Any) -> Any:
        return TableServiceClient.from_connection_string(self.storage, **options).create_table_if_not_exists(
            name
        )

    def publish(self, subject: str) -> int:
        event = [{"id": subject, "subject": subject, "eventType": "Placed", "eventTime": "2026-01-01T00:00:00Z",
                  "data": {}, "dataVersion": "1"}]  # fmt: skip
        key = {"aeg-sas-key": self.variables["EVENTGRID_TOPIC_KEY"]}
        return requests.post(
            self.variables["EVENTGRID_TOPIC_ENDPOINT"], json=event, headers=key, timeout=10
        ).status_code

    def came(self) -> list[str]:
        """Subjects of the events that have come since this was last asked."""
        queue = QueueClient.from_connection_string(self.storage, "example-events")
        found = []
        for message in queue.receive_messages():
            found.append(json.loads(base64.b64decode(message.content))["subject"])
            queue.delete_message(message)
        return found

    def token(self) -> requests.Response:
        return requests.get(
            f"{self.variables['IDENTITY_ENDPOINT']}?resource=https://management.azure.com",
            headers={"X-IDENTITY-HEADER": self.variables["IDENTITY_HEADER"]},
            timeout=10,
        )

    def workspace(self, path: str) -> requests.Response:
        return requests.get(
            f"{self.told['workspace']}{path}", verify=self.variables["REQUESTS_CA_BUNDLE"], timeout=10
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "localazure", "faults", *arguments, "--state", str(self.state)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Faulty]:
    state = tmp_path_factory.mktemp("faults")
    names = ("blob", "queue", "table", "events", "workspace", "identity")
    command = [sys.executable, "-m", "localazure", "up", "--faults", "--json", "--state", str(state)]
    command += [f"--{name}-port={free_port()}" for name in names]
    with (state / "err").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (state / "err").read_text()
    yield Faulty(state, json.loads(line))
    process.terminate()
    assert process.wait(40) == 0
    process.stdout.close()


@pytest.fixture(autouse=True)
def _found(azure: Faulty, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As an app's tests find it: by the variable that `up` prints. No fault outlasts its test."""
    monkeypatch.setenv(faults.VARIABLE, azure.variables[faults.VARIABLE])
    yield
    faults.clear()


@pytest.mark.parametrize("part", ["blob", "queue", "table"])
def test_a_throttled_call_is_tried_again_by_the_sdk_and_refused_without_retries(
    azure: Faulty, part: str
) -> None:
    def call(**options: Any) -> Any:
        if part == "blob":
            return list(azure.blobs(**options).list_containers())
        if part == "queue":
            queue = QueueClient.from_connection_string(azure.storage, "example-events", **options)
            return queue.get_queue_properties()
        return list(TableServiceClient.from_connection_string(azure.storage, **options).list_tables())

    with faults.injected(part=part, kind="throttle", count=2, seconds=0) as fault:
        with pytest.raises(HttpResponseError) as refused:
            call(**ONCE)
        call(
            **(
                PATIENT
                if part == "table"
                else {"retry_policy": LinearRetry(backoff=0, random_jitter_range=0)}
            )
        )
    assert refused.value.status_code == 503
    assert refused.value.response is not None
    assert refused.value.response.headers["Retry-After"] == "0"
    assert "ServerBusy" in (refused.value.message + refused.value.response.text())
    assert (fault.hit, fault.fitting) == (2, 3)


def test_an_error_is_said_as_the_service_says_it(azure: Faulty) -> None:
    for status in (500, 502, 503, 504):
        with (
            faults.injected(part="blob", kind="error", status=status),
            pytest.raises(HttpResponseError) as refused,
        ):
            list(azure.blobs(**ONCE).list_containers())
        assert refused.value.status_code == status
    with faults.injected(part="workspace", kind="error", status=500):
        assert azure.workspace("/subscriptions/0").json()["error"]["code"] == "InternalError"
    with faults.injected(part="workspace", kind="throttle"):
        reply = azure.workspace("/subscriptions/0")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "1")


def test_no_answer_comes_within_a_clients_patience(azure: Faulty) -> None:
    began = time.monotonic()
    with faults.injected(part="blob", kind="timeout", seconds=5), pytest.raises(AzureError):
        list(azure.blobs(**ONCE, read_timeout=0.5).list_containers())
    assert 0.4 < time.monotonic() - began < 4


def test_a_lost_reply_was_carried_out_and_a_lost_request_was_not(azure: Faulty) -> None:
    table = azure.table("lost", **ONCE)
    entity = {"PartitionKey": "p", "RowKey": "reply"}
    with faults.injected(part="table", kind="reply-lost", method="POST", count=1), pytest.raises(LOST):
        table.create_entity(entity)
    assert table.get_entity("p", "reply")
    with pytest.raises(ResourceExistsError):
        table.create_entity(entity)
    with faults.injected(part="table", kind="request-lost", method="POST", count=1), pytest.raises(LOST):
        table.create_entity({"PartitionKey": "p", "RowKey": "request"})
    assert [row["RowKey"] for row in table.list_entities()] == ["reply"]


def test_a_retry_after_a_lost_reply_says_that_it_is_there_already(azure: Faulty) -> None:
    """What apps get wrong: the SDK's own second attempt is refused for what the first one did."""
    blob = azure.blobs(retry_policy=LinearRetry(backoff=0)).get_blob_client("data", "once.txt")
    with faults.injected(part="blob", kind="reply-lost", method="PUT", count=1) as fault:
        with pytest.raises(ResourceExistsError):
            blob.upload_blob(b"once", overwrite=False)
        assert blob.download_blob().readall() == b"once"
    assert (fault.hit, fault.fitting) == (1, 2)


def test_half_a_download_is_never_taken_for_the_whole(azure: Faulty) -> None:
    content = os.urandom(300_000)
    blob = azure.blobs(**ONCE).get_blob_client("data", "half.bin")
    blob.upload_blob(content, overwrite=True)
    half = {"part": "blob", "kind": "half-reply", "method": "GET", "path": "*/half.bin"}
    with faults.injected(**half), pytest.raises((IncompleteReadError, HttpResponseError)):
        blob.download_blob().readall()
    with faults.injected(**half, count=1) as fault:  # the SDK asks again for the rest
        assert blob.download_blob().readall() == content
    assert fault.hit == 1


def test_a_delayed_call_comes_late(azure: Faulty) -> None:
    blob = azure.blobs(**ONCE).get_blob_client("data", "late.txt")
    with faults.injected(part="blob", kind="delay", seconds=0.7, path="*/data/late.txt"):
        began = time.monotonic()
        blob.upload_blob(b"x" * 100_000, overwrite=True)
        assert time.monotonic() - began > 0.7
    assert len(blob.download_blob().readall()) == 100_000


def test_an_event_that_is_swallowed_never_comes(azure: Faulty) -> None:
    azure.came()
    with faults.injected(part="deliveries", kind="swallow", count=1) as fault:
        assert azure.publish("swallowed") == 200
        until(lambda: faults.listed()[0]["hit"], "the delivery")
        assert azure.publish("kept") == 200
        assert until(azure.came, "the other event") == ["kept"]
    assert (fault.hit, fault.fitting) == (1, 2)


def test_an_event_whose_receipt_is_lost_comes_twice(azure: Faulty) -> None:
    azure.came()
    came: list[str] = []
    with faults.injected(part="deliveries", kind="reply-lost", count=1):
        azure.publish("twice")
        until(lambda: len(came.__iadd__(azure.came())) == 2, "it, twice")
    assert came == ["twice", "twice"]


def test_publishing_and_tokens_fail_too(azure: Faulty) -> None:
    with faults.injected(part="events", kind="error", status=503, count=1):
        assert [azure.publish("a"), azure.publish("b")] == [503, 200]
    with faults.injected(part="identity", kind="throttle", count=1):
        assert [azure.token().status_code, azure.token().status_code] == [429, 200]


def test_an_order_of_every_part_spares_what_azure_does_of_itself(azure: Faulty) -> None:
    """The event of a blob is delivered through the same queue service, and the workspace reads the same account."""
    with faults.injected(kind="error", method="POST") as fault:
        azure.blobs(**ONCE).get_blob_client("data", "spared.txt").upload_blob(b"x", overwrite=True)
        queue = QueueClient.from_connection_string(azure.storage, "storage-events")
        until(queue.receive_message, "the event of the blob")
    assert fault.hit == 0


def test_the_same_seed_draws_the_same_against_a_real_service(azure: Faulty) -> None:
    drawn = []
    for seed in (3, 3, 4):
        with faults.injected(part="table", kind="error", rate=0.4, seed=seed, method="GET") as fault:
            for _ in range(30):
                try:
                    list(TableServiceClient.from_connection_string(azure.storage, **ONCE).list_tables())
                except HttpResponseError as refusal:
                    assert refusal.status_code == 500  # noqa: PT017
        drawn.append(fault.hits)
        assert fault.fitting == 30
    assert drawn[0] == drawn[1] != drawn[2]
    assert 4 < len(drawn[0]) < 22


def test_by_command(azure: Faulty) -> None:
    added = azure.command(
        "add", "throttle", "--part", "queue", "--count", "2", "--for", "5m", "--seed", "9", "--json"
    )
    (told,) = json.loads(added.stdout)
    assert (told["kind"], told["part"], told["count"], told["lasts"], told["seed"]) == (
        "throttle",
        "queue",
        2,
        300,
        9,
    )
    listed = azure.command("list").stdout
    assert "throttle  queue * *  (each, 2 at most, for 300 s, seed 9): 0 hit of 0 that fitted" in listed
    assert azure.command("clear", str(told["id"])).returncode == 0
    assert "No fault stands." in azure.command("list").stdout
    wrong = azure.command("add", "throttle", "--rate", "7")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "localazure faults: rate is 7.0; it is a number from 0 to 1\n",
    )
    assert "Traceback" not in azure.command("clear", "12345").stderr
    described = azure.command("--help").stdout
    assert [kind for kind in KINDS if kind not in described] == []


def test_nobody_without_the_secret_makes_anything_fail(azure: Faulty) -> None:
    there = json.loads(file_of(azure.state).read_text())
    for secret in ({}, {"x-localazure-secret": "guess"}):
        for method in ("GET", "POST", "DELETE"):
            reply = requests.request(
                method, f"{there['address']}/faults", headers=secret, json={"kind": "error"}, timeout=5
            )
            assert reply.status_code == 401
    assert faults.listed() == []
    assert file_of(azure.state).stat().st_mode & 0o077 == 0


def test_where_no_front_runs_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(faults.NotThere, match="start the embedded Azure with --faults"):
        faults.add(kind="error", state=tmp_path)
