"""A model's endpoint is made keyless, or with keys, as the settings say, and called in its own way."""

from __future__ import annotations

import json
import uuid
from base64 import urlsafe_b64decode
from typing import Any

import pytest
import requests
from contract.conftest import Embedded

from shared.adapters.azureml import AzureWorkspace
from shared.errors import Transient

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # the SDK warns about its own internals


def made(embedded: Embedded, **chosen: Any) -> tuple[AzureWorkspace, str]:
    """A new endpoint, and the workspace's adapter that made it."""
    name = f"a{uuid.uuid4().hex[:10]}"
    workspace = AzureWorkspace(embedded.settings.model_copy(update=chosen), embedded.credential)
    workspace.ensure_endpoint(name)
    return workspace, name


def answer(url: str, opens: str) -> int:
    """404 from behind the door: no deployment has traffic."""
    headers = {"Authorization": f"Bearer {opens}", "Content-Type": "application/json"}
    return requests.post(url, data="{}", headers=headers, timeout=10).status_code


def test_by_itself_an_endpoint_takes_a_token_for_azure_machine_learning_and_has_no_key(
    embedded: Embedded,
) -> None:
    workspace, name = made(embedded)
    url, token = workspace.online_address(name)
    claims = token.split(".")[1]
    assert json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["aud"] == "https://ml.azure.com"
    assert answer(url, token) == 404
    assert answer(url, "no token") == 401
    wrong = embedded.credential.get_token("https://management.azure.com/.default").token
    assert answer(url, wrong) == 401


def test_with_a_setting_an_endpoint_has_keys(embedded: Embedded) -> None:
    workspace, name = made(embedded, endpoint_auth="key")
    url, key = workspace.online_address(name)
    assert key == workspace.client.online_endpoints.get_keys(name).primary_key
    assert answer(url, key) == 404
    assert answer(url, "another") == 401


def test_an_endpoint_that_is_there_is_called_in_its_own_way_whatever_the_settings_say(
    embedded: Embedded,
) -> None:
    workspace, name = made(embedded, endpoint_auth="key")
    now = AzureWorkspace(embedded.settings, embedded.credential)
    now.ensure_endpoint(name)
    assert now.online_address(name) == workspace.online_address(name)


def test_who_is_given_no_token_is_told_so(embedded: Embedded) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    class NoTokenToScore:
        """Signs in to the workspace, and is refused a token for its endpoints."""

        def get_token(self, *scopes: str, **given: Any) -> Any:
            if "ml.azure.com" in scopes[0]:
                raise ClientAuthenticationError("no")
            return embedded.credential.get_token(*scopes, **given)

    _, name = made(embedded)
    with pytest.raises(Transient, match="was given no token"):
        AzureWorkspace(embedded.settings, NoTokenToScore()).online_address(name)


def test_an_endpoint_is_made_with_the_identity_that_the_settings_name(embedded: Embedded) -> None:
    """The embedded workspace has no identities, so what would be sent is looked at."""
    id_ = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/endpoint"
    chosen = embedded.settings.model_copy(update={"endpoint_identity": id_})
    identity = AzureWorkspace(chosen, embedded.credential)._identity()
    assert identity.type == "user_assigned"
    assert [each.resource_id for each in identity.user_assigned_identities] == [id_]
    assert embedded.workspace._identity() is None
