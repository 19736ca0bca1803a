"""What the environment says of proxies and certificates counts, though it is asked only once; nothing else is lost."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest
from stub_server import Answer, Request, stub_server

from shared.adapters.transport import StraightSession, settled_transport

SERVER = "https://bank.table.core.windows.net"
PROXY = "http://proxy.bank.test:3128"
VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*VARIABLES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_proxy_of_the_environment_is_used(environment: pytest.MonkeyPatch) -> None:
    assert not settled_transport(SERVER)["proxies"]
    environment.setenv("HTTPS_PROXY", PROXY)
    assert settled_transport(SERVER)["proxies"]["https"] == PROXY


def test_a_server_the_proxy_is_not_for_is_reached_directly(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", PROXY)
    environment.setenv("NO_PROXY", "core.windows.net")
    assert not settled_transport(SERVER)["proxies"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_certificates_are_trusted(environment: pytest.MonkeyPatch, variable: str) -> None:
    assert settled_transport(SERVER)["transport"].connection_config.verify is True
    environment.setenv(variable, "/etc/ssl/bank.pem")
    assert settled_transport(SERVER)["transport"].connection_config.verify == "/etc/ssl/bank.pem"


def test_requests_go_by_what_was_settled(environment: pytest.MonkeyPatch) -> None:
    """Through the client's own pipeline, to a proxy where nobody listens."""
    from azure.data.tables import TableServiceClient

    environment.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    settled = settled_transport(SERVER)
    environment.delenv("HTTPS_PROXY")
    account = (
        "DefaultEndpointsProtocol=https;AccountName=bank;AccountKey=YQ==;EndpointSuffix=core.windows.net"
    )
    client = TableServiceClient.from_connection_string(account, retry_total=0, **settled)
    with pytest.raises(ServiceRequestError, match=r"127\.0\.0\.1|proxy"):
        next(iter(client.list_tables()))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Answers with the request it was sent, whole."""

    def echo(request: Request) -> Answer:
        told = f"{request.method} {request.path}\n{request.headers}".encode() + request.body
        return Answer(body=told, headers={"Set-Cookie": "instance=7"})

    with stub_server(echo) as address:
        yield address


@pytest.mark.parametrize("body", [None, b"", b"\xff\x00", "b\xf6rse", io.BytesIO(b"a stream")])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_request_is_sent_as_requests_would_send_it(
    server: str, environment: pytest.MonkeyPatch, method: str, body: Any
) -> None:
    told = []
    for session in (requests.Session(), StraightSession()):
        if isinstance(body, io.BytesIO):
            body.seek(0)
        answer = session.request(
            method,
            f"{server}/campanha(PartitionKey='a%20b',RowKey='%25')?$filter=x%20eq%20'1'",
            headers={"X-Ms-Date": "today", "user-agent": "azsdk", "Content-Type": "application/json"},
            data=body,
            files=None,
            timeout=(5, 5),
            verify=True,
            cert=None,
            allow_redirects=False,
            proxies={},
        )
        told.append(sorted(answer.content.splitlines()))
    assert told[0] == told[1]


def test_an_answer_may_be_read_piece_by_piece(server: str) -> None:
    """As a blob is, of which no more is held than is asked for."""
    transport = settled_transport(server)["transport"]
    answer = transport.send(HttpRequest("PUT", server, content=b"x" * 10_000), stream=True)
    pieces = answer.iter_bytes()
    assert 0 < len(next(pieces)) < 10_000
    assert sum(map(len, pieces))


def test_a_server_that_is_gone_is_told_as_the_sdks_tell_it() -> None:
    transport = settled_transport("http://127.0.0.1:1")["transport"]
    with pytest.raises(ServiceRequestError):
        transport.send(HttpRequest("GET", "http://127.0.0.1:1/"))
