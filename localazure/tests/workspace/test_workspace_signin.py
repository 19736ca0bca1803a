"""A service principal signs in with its secret, by the unmodified azure-identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DefaultAzureCredential

from localazure.workspace.settings import APPLICATION, TENANT
from running_azure.workspace import GROUP, NAME, SECRET, SUBSCRIPTION, Server

SCOPE = "https://management.azure.com/.default"


@pytest.fixture
def principal(server: Server) -> Callable[..., ClientSecretCredential]:
    """Call it for a credential; what is told of it may be wrong."""

    def made(tenant: str = TENANT, client: str = APPLICATION, secret: str = SECRET) -> ClientSecretCredential:
        return ClientSecretCredential(
            tenant, client, secret, authority=server.base, disable_instance_discovery=True
        )

    return made


def test_a_service_principal_signs_in_with_its_secret(
    principal: Callable[..., ClientSecretCredential], name: str
) -> None:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Data

    client = MLClient(principal(), SUBSCRIPTION, GROUP, NAME)
    made = client.data.create_or_update(
        Data(name=name, path="https://x.blob.core.windows.net/c/a", type="uri_file")
    )
    assert client.data.get(name, label="latest").version == made.version == "1"


def test_its_variables_are_enough_for_the_usual_credential(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as azure-identity lets a variable name another authority: it still has to be told not to ask Microsoft."""
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    for variable, value in server.printed_variables("service-principal").items():
        monkeypatch.setenv(variable, value)
    assert DefaultAzureCredential(disable_instance_discovery=True).get_token(SCOPE).token.count(".") == 2


@pytest.mark.parametrize(
    ("wrong", "number"),
    [({"secret": "guessed"}, 7000215), ({"client": TENANT}, 700016)],
    ids=["secret", "application"],
)
def test_who_is_not_known_is_told_why(
    principal: Callable[..., ClientSecretCredential], wrong: dict[str, str], number: int
) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}"):
        principal(**wrong).get_token(SCOPE)


def test_another_tenant_is_not_here(principal: Callable[..., ClientSecretCredential]) -> None:
    with pytest.raises((ClientAuthenticationError, ValueError), match="tenant"):
        principal(tenant=APPLICATION).get_token(SCOPE)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "https://management.azure.com"}, "invalid_scope"),
        ({"scope": f"{SCOPE} {SCOPE}"}, "invalid_scope"),
    ],
)
def test_other_ways_in_are_refused_by_name(server: Server, changed: dict[str, Any], error: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": APPLICATION,
        "client_secret": SECRET,
        "scope": SCOPE,
    }
    answer = requests.post(
        f"{server.base}/{TENANT}/oauth2/v2.0/token", data=form | changed, verify=server.bundle, timeout=30
    )
    assert (answer.status_code, answer.json()["error"]) == (400, error)
