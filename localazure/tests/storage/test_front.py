"""Storage with roles: the unmodified SDKs sign in, and each call needs what Azure's documentation says it needs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from localazure.storage.account import KEY as ACCOUNT_KEY
from running_azure import access
from running_azure.access import ACCOUNT, Credential
from running_azure.front import Front, running

STORAGE = "Microsoft.Storage/storageAccounts"
BLOBS = f"{STORAGE}/blobServices/containers"
MESSAGES = f"{STORAGE}/queueServices/queues/messages"
TABLES = f"{STORAGE}/tableServices/tables"
ACCOUNTS_KEY = {"account_name": "devstoreaccount1", "account_key": ACCOUNT_KEY}
ROLES = {
    "owner": {"actions": [f"{STORAGE}/*"], "dataActions": [f"{STORAGE}/*"]},
    "blob reader": {"dataActions": [f"{BLOBS}/blobs/read"]},
    "blob writer": {"dataActions": [f"{BLOBS}/blobs/write"]},
    "sender": {"dataActions": [f"{MESSAGES}/add/action"]},
    "processor": {"dataActions": [f"{MESSAGES}/process/action"]},
    "entity reader": {"dataActions": [f"{TABLES}/entities/read"]},
}
ASSIGNMENTS = (
    ("owner", "owner", ACCOUNT),
    ("reader", "blob reader", f"{ACCOUNT}/blobServices/default/containers/mine"),
    ("writer", "blob writer", f"{ACCOUNT}/blobServices/default/containers/mine"),
    ("sender", "sender", f"{ACCOUNT}/queueServices/default/queues/work"),
    ("processor", "processor", f"{ACCOUNT}/queueServices/default/queues/work"),
    ("looker", "entity reader", f"{ACCOUNT}/tableServices/default/tables/ledger"),
)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Front]:
    def write(file: Path, _: object) -> object:
        return access.write(file, roles=ROLES, assignments=ASSIGNMENTS)

    with running(tmp_path_factory.mktemp("front"), free_port, write) as made:
        made.blobs("owner").create_container("mine")
        made.blobs("owner").create_container("other")
        made.blobs("owner").get_blob_client("mine", "there").upload_blob(b"1;2")
        made.queues("owner").create_queue("work")
        made.tables("owner").create_table("ledger")
        yield made


def refused(call: Callable[[], object]) -> Any:
    with pytest.raises(HttpResponseError) as caught:
        call()
    return caught.value


def test_what_a_role_allows_goes_through_to_azurite(front: Front) -> None:
    assert front.blobs("reader").get_blob_client("mine", "there").download_blob().readall() == b"1;2"
    assert [one.name for one in front.blobs("reader").get_container_client("mine").list_blobs()] == ["there"]
    big = os.urandom(9 * 1024 * 1024)
    front.blobs("owner").get_blob_client("mine", "big").upload_blob(big, max_concurrency=2, overwrite=True)
    assert front.blobs("reader").get_blob_client("mine", "big").download_blob().readall() == big


@pytest.mark.parametrize(
    ("who", "call"),
    [
        pytest.param("nobody", lambda f: f.blobs("nobody").get_blob_client("mine", "there").download_blob(), id="no role"),
        pytest.param("reader", lambda f: f.blobs("reader").get_blob_client("mine", "x").upload_blob(b"x" * 2_000_000),
                     id="read is not write"),
        pytest.param("reader", lambda f: f.blobs("reader").get_blob_client("other", "x").download_blob(),
                     id="another container"),
        pytest.param("reader", lambda f: f.blobs("reader").create_container("new"), id="a container is no blob"),
        pytest.param("reader", lambda f: list(f.blobs("reader").list_containers()), id="the account's list"),
        pytest.param("writer", lambda f: f.blobs("writer").get_blob_client("mine", "there").delete_blob(),
                     id="write is not delete"),
        pytest.param("sender", lambda f: f.queues("sender").get_queue_client("work").receive_message(),
                     id="sending is not receiving"),
        pytest.param("processor", lambda f: f.queues("processor").get_queue_client("work").peek_messages(),
                     id="processing is not peeking"),
        pytest.param("looker", lambda f: f.tables("looker").get_table_client("ledger").create_entity(
            {"PartitionKey": "a", "RowKey": "b"}), id="reading is not inserting"),
    ],
)  # fmt: skip
def test_what_it_does_not_allow_is_a_403_of_azures_own(
    front: Front, who: str, call: Callable[[Front], object]
) -> None:
    refusal = refused(lambda: call(front))
    assert refusal.status_code == 403
    code = refusal.response.headers["x-ms-error-code"]
    assert code == "AuthorizationPermissionMismatch"
    assert "This request is not authorized to perform this operation using this permission." in str(refusal)


def test_a_trigger_by_message_processor_alone_cannot_release_what_failed(front: Front) -> None:
    """The trap of the binding's own page: the lease of a failed message is given back by Update Message."""
    front.queues("sender").get_queue_client("work").send_message("one")
    queue = front.queues("processor").get_queue_client("work")
    got = queue.receive_message()
    assert got.content == "one"
    assert refused(lambda: queue.update_message(got, visibility_timeout=0)).status_code == 403
    queue.delete_message(got)


def test_a_transaction_needs_what_each_of_its_parts_needs(front: Front) -> None:
    entity = {"PartitionKey": "a", "RowKey": "b"}
    front.tables("owner").get_table_client("ledger").submit_transaction([("upsert", entity)])
    looker = front.tables("looker").get_table_client("ledger")
    assert looker.get_entity("a", "b")["RowKey"] == "b"
    assert refused(lambda: looker.submit_transaction([("upsert", entity)])).status_code == 403
    gone = [("delete", entity)]
    assert refused(lambda: looker.submit_transaction(gone)).status_code == 403
    front.tables("owner").get_table_client("ledger").submit_transaction(gone)


@pytest.mark.parametrize(
    ("credential", "status", "code", "said"),
    [
        (Credential("reader", audience="https://a.net"), 401, "InvalidAuthenticationInfo", "Audience did not match"),
        (Credential("reader", seconds=-1), 401, "InvalidAuthenticationInfo", "The token is expired"),
        (Credential("reader", key="another"), 401, "InvalidAuthenticationInfo", "Signature"),
        (Credential("stranger"), 401, "InvalidAuthenticationInfo", "stranger"),
        (ACCOUNTS_KEY, 403, "KeyBasedAuthenticationNotPermitted", "Key based"),
        (None, 401, "NoAuthenticationInformation", "www-authenticate"),
    ],
    ids=["another audience", "expired", "signed by another", "nobody we know", "the account's key", "nothing"],
)  # fmt: skip
def test_who_does_not_sign_in_as_azure_wants_it_is_told_so(
    front: Front, credential: Any, status: int, code: str, said: str
) -> None:
    refusal = refused(lambda: front.blobs(credential).get_blob_client("mine", "there").get_blob_tags())
    assert refusal.status_code == status
    assert refusal.response.headers["x-ms-error-code"] == code
    assert said in refusal.response.text()
    assert ("WWW-Authenticate" in refusal.response.headers) == (status == 401)


def test_an_assignment_that_is_taken_away_counts_at_the_next_call(front: Front) -> None:
    blob = front.blobs("reader").get_blob_client("mine", "there")
    assert blob.download_blob().readall() == b"1;2"
    with front.without("reader"):
        assert refused(blob.download_blob).status_code == 403
    assert blob.download_blob().readall() == b"1;2"


def test_each_call_is_noted_with_what_it_needs(front: Front) -> None:
    front.blobs("reader").get_blob_client("mine", "there").download_blob().readall()
    noted = [
        json.loads(line) for line in (front.file.with_name("asked-storage.jsonl")).read_text().splitlines()
    ]
    mine = f"{ACCOUNT}/blobServices/default/containers/mine"
    assert {
        "identity": "reader",
        "call": "Get Blob",
        "ways": [[[f"{BLOBS}/blobs/read", mine, True]]],
    } in noted
