"""Keys of clients: columns that the contract does not know come out as they came in, and nobody reads them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flow import engine
from flow.engine import output, release
from flow.world import CONTRACTS, POLICY, World, bank_rows

from shared.adapters.memory import MemoryEndpoint
from shared.domain.batches.shard_plan import ADDED
from shared.domain.facts import BatchDue, BatchRefused, BatchScored, ScoringDue
from shared.domain.tables.contract import Contract
from shared.ports import Scores

BANK = next(contract for contract in CONTRACTS if contract.dataset == "bank")
TABLE = [line.rsplit(";", 1)[0] for line in bank_rows(30).splitlines()]
SECRET = "DE89-3704"
"""What each key begins with."""


def with_keys(header: str, *, also: str = "") -> bytes:
    """The table with a key before each row and a note behind it, as extracts have them."""
    lines = [f'{SECRET}-{at};{line};"=note; {at}"{also}' for at, line in enumerate(TABLE[1:])]
    return "\r\n".join([header, *lines, ""]).encode()


@dataclass
class Listening(MemoryEndpoint):
    """Remembers what it was sent."""

    columns: set[str] = field(default_factory=set)

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        self.columns |= set(rows.schema.names)
        assert SECRET not in str(rows.to_pylist())
        return super().score(endpoint, deployment, rows)


@pytest.fixture
def world(world: World) -> Iterator[World]:
    world.endpoint = Listening()
    world.policy = replace(POLICY, shard_bytes=700)
    release(world, 1)
    return world


def scored(world: World, data: bytes) -> dict[str, bytes]:
    world.files.write("scoring", "clients.csv", data)
    world.tell(ScoringDue(tick="1"))
    for submission in world.scoring_pipeline.submissions:
        engine.end(world, submission.name)
    return output(world)


@pytest.mark.parametrize("key", ["client_id", "", "IBAN", "Unnamed: 0", "id"])
def test_a_key_comes_through_and_nobody_reads_it(
    world: World, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = with_keys(f"{key};{TABLE[0]};note")
    with caplog.at_level(logging.DEBUG):
        found = scored(world, data.replace(b";technician;", b";astronaut;", 1))
    lines = found["scored.csv"].decode().splitlines()
    assert lines[0] == f"{key};{TABLE[0]};note;{';'.join(ADDED)}"
    given = data.replace(b";technician;", b";astronaut;", 1).decode().splitlines()
    assert [line.rsplit(";", 5)[0] for line in lines[1:] if "astronaut" not in line] == given[2:]
    assert lines[1].startswith(given[1])
    table = pa.concat_tables(
        pq.read_table(pa.BufferReader(body)) for name, body in sorted(found.items()) if "parquet" in name
    )
    assert table.column(0).to_pylist() == [f"{SECRET}-{at}" for at in range(30)]
    assert isinstance(world.endpoint, Listening)
    assert world.endpoint.columns == {column.name for column in BANK.features}
    assert SECRET not in caplog.text
    assert all(SECRET not in str(record.values) for record in world.ledger.newest("batch"))
    (fact,) = world.told(BatchScored)
    assert (fact.rows, fact.rejected) == (30, 1)


def test_a_run_on_a_cluster_puts_out_the_same(world: World) -> None:
    data = with_keys(f"client_id;{TABLE[0]};note")
    through_the_endpoint = scored(world, data)
    by_a_run = World(policy=replace(world.policy, engine_bytes=1))
    release(by_a_run, 1)
    assert scored(by_a_run, data) == through_the_endpoint
    assert by_a_run.scoring_pipeline.submissions


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (f"Age;{TABLE[0]};note", "unexpected 'Age'"),  # which of the two is the age?
        (f"pout_come;{TABLE[0]};note", "unexpected 'pout_come'"),
        (f"client_id;{TABLE[0].replace('age', 'AGE')};note", "(columns write 'age' for 'AGE')"),
        (f"age;{TABLE[0]};note", "more than once 'age'"),
        (f"note;{TABLE[0]};note", "more than once 'note'"),
        (f"Decile;{TABLE[0]};problem", "columns of its own called 'Decile', 'problem'"),
    ],
)
def test_a_name_that_could_be_meant_otherwise_is_asked_about(world: World, header: str, says: str) -> None:
    assert scored(world, with_keys(header)).keys() == set()
    (refused,) = world.told(BatchRefused)
    assert says in refused.reason


def test_a_file_to_learn_from_has_no_column_that_the_contract_does_not_know(world: World) -> None:
    lines = [f"{at or 'client_id'};{line}" for at, line in enumerate(bank_rows(9).splitlines())]
    upload = world.drop("may.csv", "\n".join(lines))
    world.tell(upload)
    assert world.state("upload", upload.key) == "rejected"


@pytest.mark.parametrize(
    "header",
    [TABLE[0], TABLE[0].replace("balance", "Saldo"), TABLE[0].upper()],
    ids=["as named", "aliased", "mended"],
)
def test_of_contracts_that_fit_the_one_that_knows_most_columns_is_meant(world: World, header: str) -> None:
    columns = [
        column | {"aliases": ["Saldo"]} if column["name"] == "balance" else column
        for column in BANK.to_json()["columns"]
    ]
    bank = Contract.from_json({**BANK.to_json(), "columns": columns, "mend": ["names"]})
    fewer = {"columns": [column for column in columns if column["name"] != "balance"]}
    younger = Contract.from_json({**bank.to_json(), **fewer, "dataset": "younger"})
    world.contracts = (younger, bank)
    scored(world, with_keys(f"client_id;{header};note"))
    assert world.told(BatchScored)
    assert [record.values["dataset"] for record in world.ledger.newest("batch")] == ["bank"]


def test_a_file_that_fits_two_contracts_alike_keeps_no_other_from_being_scored(world: World) -> None:
    names = TABLE[0].split(";")
    parts = {"first": names[:8], "second": names[8:]}
    bank = {name: value for name, value in BANK.to_json().items() if name not in ("contacts", "list_columns")}
    world.contracts = tuple(
        Contract.from_json(
            {
                **bank,
                "dataset": dataset,
                "list_columns": [],
                "columns": [column for column in bank["columns"] if column["name"] in columns],
            }
        )
        for dataset, columns in parts.items()
    )
    only = [";".join(line.split(";")[:8]) for line in TABLE]
    for name, lines in (("a-both.csv", TABLE), ("b-first.csv", only)):
        world.files.write("scoring", name, "\n".join(lines).encode())
    release(world, 1, dataset="first")
    world.deliver(ScoringDue(tick="1"))
    assert [fact.name for _, fact in world.due if isinstance(fact, BatchDue)] == ["a-both.csv", "b-first.csv"]
    world.due.clear()
