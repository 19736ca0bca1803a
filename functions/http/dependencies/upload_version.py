"""Which version of a file is meant: the newest, unless the id of another upload says so."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from shared.domain.names import INCOMING
from shared.ledger import Ledger, Record

UploadId = Annotated[
    str | None,
    Query(
        alias="upload",
        min_length=1,
        max_length=2048,
        description="The id of the upload meant; the newest of this name, unless said.",
    ),
]


def newest_of(name: str, ledger: Ledger) -> str:
    """The id of the newest upload of that name, which is with its container or without; empty when there is none."""
    return str(ledger.records.led_to("file", f"{INCOMING}/{_bare(name)}").get("upload", ""))


def _bare(name: str) -> str:
    return name.removeprefix(f"{INCOMING}/")


def upload_of(name: str, upload: str | None, ledger: Ledger) -> Record | None:
    """The upload of that id, if it is one of a file of that name; without an id the newest of the name.

    name: with its container or without; where that could be either, as in a folder `incoming`, the id decides
    """
    id_ = upload or newest_of(name, ledger)
    found = ledger.find("upload", id_) if id_ else None
    meant = (name, _bare(name)) if upload else (_bare(name),)
    return found if found and found.values["name"] in meant else None
