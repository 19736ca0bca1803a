"""Which of Event Grid's events are uploads: those after which a blob lies complete under a name we take in."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from flow.world import World, bank_rows

from functions import uploads
from shared import wiring
from shared.domain.facts import UploadArrived

SUBJECT = "/blobServices/default/containers/incoming/blobs/"


def _arrived(world: World, **event: Any) -> UploadArrived | None:
    body = {"eventType": "Microsoft.Storage.BlobCreated", "subject": f"{SUBJECT}may.csv"} | event
    with mock.patch.object(wiring, "services", return_value=world.services):
        return uploads.upload_in(json.dumps(body).encode())


@pytest.mark.parametrize("api", ["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose", "SftpCommit"])
def test_a_blob_that_is_complete_is_an_upload(api: str) -> None:
    found = _arrived(World(), data={"api": api, "eTag": '"0x1"'})
    assert found == UploadArrived(name="may.csv", etag="0x1")


@pytest.mark.parametrize("api", ["CreateFile", "SftpCreate"])
def test_one_that_is_still_written_is_none(api: str) -> None:
    assert _arrived(World(), data={"api": api, "eTag": '"0x1"'}) is None


@pytest.mark.parametrize("api", ["RenameFile", "SftpRename"])
def test_a_renamed_blob_is_an_upload_of_the_version_that_lies_there(api: str) -> None:
    world = World()
    dropped = world.drop("may.csv", bank_rows(3))
    event = {
        "eventType": "Microsoft.Storage.BlobRenamed",
        "data": {"api": api, "destinationUrl": "https://elsewhere"},
    }
    assert _arrived(world, **event) == dropped


def test_one_that_is_gone_by_then_is_none() -> None:
    assert _arrived(World(), eventType="Microsoft.Storage.BlobRenamed", data={"api": "RenameFile"}) is None


def test_files_that_the_settings_leave_out_and_other_containers_are_none() -> None:
    data = {"api": "PutBlob", "eTag": "0x1"}
    assert _arrived(World(), subject=f"{SUBJECT}may.csv.filepart", data=data) is None
    assert (
        _arrived(World(), subject="/blobServices/default/containers/scored/blobs/may.csv", data=data) is None
    )
    assert _arrived(World(), eventType="Microsoft.Storage.BlobDeleted", data=data) is None
