"""Files that went wrong once come out right: through the flow over ports in memory, over Azurite, and simulated."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from flow import cases
from flow.cases import CASES, Came, Case
from flow.world import CONTRACTS, World

from functions.http.views.scored_rows import first_rows
from shared.domain import names
from shared.domain.facts import ReadmissionRequested, ScoringDue
from shared.ledger.records import Record
from shared.services import Services
from simulation import determinism
from simulation.scenarios import ticks
from simulation.world import Happens
from simulation.world import World as Simulated

LONGEST_CELL = 2000
"""Characters of a cell that a page shows."""
FIRST = "good.csv"
BY_NAME = {case.name: case for case in CASES}


def file_of(case: Case) -> str:
    return f"{case.name}.csv"


def made() -> list[tuple[str, str, bytes]]:
    """Container, name and bytes of each case's file."""
    return [(case.container, file_of(case), case.make(100 * at)) for at, case in enumerate(CASES)]


# --- the whole table, through a world -------------------------------------------------------------------------------


def in_memory() -> Services:
    return through(World())


def over_azurite(account: str) -> Services:
    """Its own tables and containers; workspace and endpoint stay in memory."""
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.blobs import AzureFiles
    from shared.adapters.tables import AzureTable
    from shared.adapters.transport import settled

    tables = settled(partial(TableServiceClient.from_connection_string, account))
    blobs = settled(partial(BlobServiceClient.from_connection_string, account))
    world = World(time=datetime.now(UTC))
    world.table, world.present = (AzureTable(tables.create_table(f"t{uuid.uuid4().hex}")) for _ in range(2))  # type: ignore[assignment]
    world.files = AzureFiles(_Apart(blobs))  # type: ignore[arg-type, assignment]
    return through(world)


class _Apart:
    """Azurite's blob service, its containers under names of this test's own: other tests use the same account."""

    def __init__(self, service: Any) -> None:
        self._service, self._names, self.url = service, dict[str, str](), service.url

    def _own(self, container: str) -> str:
        if container not in self._names:
            self._names[container] = f"{container}-{uuid.uuid4().hex}"
            self._service.create_container(self._names[container])
        return self._names[container]

    def get_blob_client(self, container: str, name: str) -> Any:
        return self._service.get_blob_client(self._own(container), name)

    def get_container_client(self, container: str) -> Any:
        return self._service.get_container_client(self._own(container))


def through(world: World) -> Services:
    """A model is trained and released; then all files are dropped, and what is put aside is read again."""
    world.tell(world.drop(FIRST, cases.good_file()))
    world.finish_run("bank-additional-v1-a1")
    for container, name, data in made():
        if container == names.SCORING:
            world.files.write(container, name, data)
        else:
            world.tell(world.drop(name, data))
    world.tell(ScoringDue(tick="1"))
    for number, upload in enumerate(_to_readmit(world.services)):
        world.tell(ReadmissionRequested(upload=upload, operation=f"o{number}"))
    return world.services


def simulated() -> Services:
    """The app's own handlers and bus, by the simulation's host: the plain order, where nothing goes wrong."""
    world = Simulated({}, contracts=CONTRACTS)
    world.later(0, Happens(lambda world: world.drop(names.INCOMING, FIRST, cases.good_file())))

    def drops(world: Simulated) -> None:
        for file in made():
            world.drop(*file)

    def readmits(world: Simulated) -> None:
        for number, upload in enumerate(_to_readmit(world.process(0).services)):
            world.ask(f"o{number}", ReadmissionRequested(upload=upload, operation=f"o{number}"))

    for at, act in ((300, drops), (301, ticks(ScoringDue(tick="1"))), (900, readmits)):
        world.later(at, Happens(act))
    with determinism.installed():
        world.run()
        return world.services_of(world.process(0))


def _to_readmit(services: Services) -> list[str]:
    wanted = {file_of(case) for case in CASES if case.readmitted}
    return [one.id for one in services.ledger.newest("upload", limit=100) if one.values["name"] in wanted]


PORTS: dict[str, Callable[[pytest.FixtureRequest], Services]] = {
    "memory": lambda request: in_memory(),
    "azurite": lambda request: over_azurite(request.getfixturevalue("azurite")),
    "simulated": lambda request: simulated(),
}


@pytest.fixture(scope="module", params=PORTS)
def services(request: pytest.FixtureRequest) -> Services:
    return PORTS[request.param](request)


# --- what came of one -----------------------------------------------------------------------------------------------


def came_of(case: Case, services: Services) -> tuple[Came, str]:
    """And all that is said of it."""
    record = _record("batch" if case.container == names.SCORING else "upload", case, services)
    values = record.values
    said = [str(values.get("reason") or ""), json.dumps(values.get("mended") or [])]
    refused = record.state in ("rejected", "refused")
    if record.kind == "batch":
        assert record.state == "scored", record
        rows = first_rows(record.id, 100, services)["rows"]
        said += [cell for row in rows for cell in row["cells"]]
        assert max(len(cell) for cell in said) < LONGEST_CELL
        unscored = values["rejected_rows"]
        return Came(taken=values["rows"] - unscored, unscored=unscored, refused=refused), " ".join(said)
    folder = names.quarantine_folder(file_of(case), values["etag"])
    listed = services.files.content(names.QUARANTINE, folder + names.REJECTS) or b""
    aside = [json.loads(line) for line in listed.splitlines()]
    said += [f"{fault['column']} {fault['rule']}" for line in aside for fault in line["faults"]]
    if refused:
        return Came(taken=0, refused=True), " ".join(said)
    lines = tuple(sorted(line["line"] for line in aside))
    return Came(dataset=values["dataset"], taken=values["rows"], aside=lines), " ".join(said)


def _record(kind: str, case: Case, services: Services) -> Record:
    of_file = [one for one in services.ledger.newest(kind, limit=100) if one.values["name"] == file_of(case)]
    assert len(of_file) == 1
    return of_file[0]


@pytest.mark.parametrize("case", CASES, ids=BY_NAME)
def test_it_comes_out_right(case: Case, services: Services) -> None:
    came, said = came_of(case, services)
    assert came == case.came
    assert [words for words in case.says if words not in said] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.readmitted], ids=lambda case: case.name)
def test_what_cannot_be_read_is_not_readmitted(case: Case, services: Services) -> None:
    upload = _record("upload", case, services)
    aside = services.ledger.find("quarantine", upload.id)
    assert aside is not None
    assert aside.state == case.readmitted
    assert upload.values["rows"] == case.came.taken
