"""What was mended is told of the upload and of the batch, and of the batch's manifest."""

from __future__ import annotations

import json

from flow.world import CONTRACTS, World, bank_rows

from shared.domain import names
from shared.domain.facts import BatchDue, BatchScored
from shared.domain.tables.contract import MENDS, Contract

LENIENT = tuple(
    Contract.from_json({**contract.to_json(), "mend": ["names", "whole-numbers", "case"]})
    for contract in CONTRACTS
)
SPELT = "sep=;\n" + bank_rows(30).replace("age;", "AGE;", 1).replace(";technician;", ".0;Technician;")
TOLD = {
    ("", "the line above the header that names the delimiter (sep=), skipped", 1),
    ("age", MENDS["names"], 1),
    ("age", MENDS["whole-numbers"], 30),
    ("job", MENDS["case"], 30),
}


def _told(mended: list[dict[str, object]]) -> set[tuple[object, ...]]:
    return {(each["column"], each["how"], each["values"]) for each in mended}


def test_an_upload_and_a_batch_say_what_was_mended_in_them() -> None:
    world = World(contracts=LENIENT)
    dropped = world.drop("may.csv", SPELT)
    world.tell(dropped)
    upload = world.ledger.find("upload", dropped.key)
    assert upload is not None
    assert (upload.state, upload.values["rows"], _told(upload.values["mended"])) == ("registered", 30, TOLD)
    world.finish_run("bank-v1-a1")
    world.files.write(names.SCORING, "clients.csv", SPELT.encode())
    blob = world.files.stat(names.SCORING, "clients.csv")
    assert blob is not None
    world.tell(BatchDue(name="clients.csv", etag=blob.etag))
    [scored] = world.told(BatchScored)
    batch = world.ledger.find("batch", scored.batch)
    assert batch is not None
    assert (batch.values["rows"], batch.values["rejected_rows"], _told(batch.values["mended"])) == (
        30,
        0,
        TOLD,
    )
    manifest = json.loads(world.files.content(names.SCORED, names.batch_manifest_blob(scored.batch)) or b"")
    assert _told(manifest["mended"]) == TOLD


def test_where_nothing_was_mended_nothing_is_said() -> None:
    world = World(contracts=LENIENT)
    dropped = world.drop("may.csv", bank_rows(30))
    world.tell(dropped)
    upload = world.ledger.find("upload", dropped.key)
    assert upload is not None
    assert "mended" not in upload.values
