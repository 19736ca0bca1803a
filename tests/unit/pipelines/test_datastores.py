"""The datastore of scored files: made once, without a credential, on the account that the app writes to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError

from pipelines import datastores
from pipelines.tally import Tally

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # the SDK warns about its own internals


@pytest.mark.parametrize(
    ("storage", "account", "endpoint", "protocol"),
    [
        ("https://bank.blob.core.windows.net/", "bank", "core.windows.net", "https"),
        ("https://bank.blob.core.chinacloudapi.cn", "bank", "core.chinacloudapi.cn", "https"),
        (
            "DefaultEndpointsProtocol=https;AccountName=bank;AccountKey=a==",
            "bank",
            "core.windows.net",
            "https",
        ),
        ("AccountName=a;AccountKey=b;BlobEndpoint=http://127.0.0.1:10/a;", "a", "127.0.0.1:10", "http"),
    ],
)
def test_a_datastore_names_the_account(storage: str, account: str, endpoint: str, protocol: str) -> None:
    found = {"account_name": account, "endpoint": endpoint, "protocol": protocol}
    assert datastores.place_of(storage) == found


def test_an_account_on_plain_http_and_with_another_suffix_is_named_too() -> None:
    given = (
        "DefaultEndpointsProtocol=http;AccountName=bank;AccountKey=a;EndpointSuffix=core.usgovcloudapi.net"
    )
    found = datastores.place_of(given)
    assert found == {"account_name": "bank", "endpoint": "core.usgovcloudapi.net", "protocol": "http"}


def test_a_connection_string_without_an_account_says_what_to_give() -> None:
    with pytest.raises(ValueError, match="names no account; give the address of its blobs"):
        datastores.place_of("UseDevelopmentStorage=true;")


class Datastores:
    """Those of a workspace, as far as publishing uses them."""

    def __init__(self, *names: str) -> None:
        self.kept: dict[str, Any] = dict.fromkeys(names)

    def get(self, name: str) -> Any:
        if name not in self.kept:
            raise ResourceNotFoundError(name)
        return self.kept[name]

    def create_or_update(self, store: Any) -> None:
        self.kept[store.name] = store


def test_it_is_made_once_and_without_a_credential() -> None:
    said: list[str] = []
    client, tally = SimpleNamespace(datastores=Datastores()), Tally(said.append)
    datastores.publish_stores(client, "https://bank.blob.core.windows.net", tally)
    made = client.datastores.kept["campanha_scored"]
    assert (made.container_name, made.account_name, made.protocol) == ("scored", "bank", "https")
    assert type(made.credentials).__name__ == "NoneCredentialConfiguration"
    datastores.publish_stores(client, "https://bank.blob.core.windows.net", tally)
    assert client.datastores.kept["campanha_scored"] is made
    names = ["datastore campanha_scored", "datastore campanha_recipes"]
    assert said == [*(f"{name} made" for name in names), *(f"{name} is there" for name in names)]
    assert tally.new == names
    assert client.datastores.kept["campanha_recipes"].container_name == "recipes"


def test_a_workspace_that_does_not_answer_makes_nothing() -> None:
    class Silent(Datastores):
        def get(self, name: str) -> Any:
            raise ServiceRequestError("no route")

    client, tally = SimpleNamespace(datastores=Silent()), Tally(str)
    with pytest.raises(ServiceRequestError):
        datastores.publish_stores(client, "https://bank.blob.core.windows.net", tally)
    assert (client.datastores.kept, tally.new) == ({}, [])
