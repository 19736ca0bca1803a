"""What the environment says of proxies and certificates counts, though it is asked only once."""

from __future__ import annotations

import pytest

from shared.adapters.transport import settled_transport

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
    from azure.core.exceptions import ServiceRequestError
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
