"""Azurite's process killed with -9: what it had answered is there when it serves again, and nothing is there by halves."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient, UpdateMode
from azure.storage.blob import BlobBlock, BlobServiceClient, ContentSettings
from azure.storage.queue import QueueServiceClient

from localazure.storage import supervisor
from localazure.storage.__main__ import MOST_STARTS
from localazure.storage.account import Ports
from localazure.storage.supervisor import Azurite

AT_ONCE: Mapping[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 20}
"""A lost answer is told, not asked for again."""
ROWS_OF_A_BATCH = 20
SNAPSHOT_SECONDS = 5
"""LokiJS looks so often whether the index is to be written whole."""


@pytest.fixture
def azurite(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Azurite]:
    ports = Ports(blob=free_port(), queue=free_port(), table=free_port())
    with Azurite(state=tmp_path, ports=ports) as made:
        yield made


def killed(azurite: Azurite) -> None:
    process = azurite._process
    assert process
    process.kill()
    assert process.wait(20) == -signal.SIGKILL
    assert azurite.ended()
    azurite.stop()


class Clients:
    """What a program has of the three services."""

    def __init__(self, azurite: Azurite) -> None:
        at = azurite.connection_string
        self.blobs = BlobServiceClient.from_connection_string(at, **AT_ONCE)
        self.queues = QueueServiceClient.from_connection_string(at, **AT_ONCE)
        self.tables = TableServiceClient.from_connection_string(at, **AT_ONCE)


class Writing:
    """Blobs, messages, rows and transactions, and which of them were acknowledged."""

    def __init__(self, azurite: Azurite) -> None:
        of = Clients(azurite)
        self._container = of.blobs.get_container_client("written")
        self._queue = of.queues.get_queue_client("written")
        self._rows, self._batches = of.tables.get_table_client("rows"), of.tables.get_table_client("batches")
        self._writers: dict[str, Callable[[str], object]] = {
            "blob": lambda name: self._container.upload_blob(name, name.encode()),
            "message": self._queue.send_message,
            "row": lambda name: self._rows.create_entity({"PartitionKey": "p", "RowKey": name}),
            "batch": self._batch,
        }
        self.acknowledged: dict[str, set[str]] = {what: set() for what in self._writers}
        self._received = set[str]()
        self._container.create_container()
        self._queue.create_queue()
        self._rows.create_table()
        self._batches.create_table()

    def counts(self) -> list[tuple[str, int]]:
        """How many of each were acknowledged."""
        return [(what, len(names)) for what, names in self.acknowledged.items()]

    def until_it_is_gone(self, number: Iterator[int]) -> None:
        """All four at once."""

        def write(what: str) -> None:
            with suppress(AzureError):
                while True:
                    self._write(what, f"{next(number):06}")

        with ThreadPoolExecutor() as pool:
            list(pool.map(write, self._writers))

    def until_refused(self, number: Iterator[int], times: int) -> list[str]:
        """One after the other, until each was refused so often; what was said."""
        refusals = []
        for what in self._writers:
            refused = 0
            while refused < times:
                try:
                    self._write(what, f"{next(number):06}")
                except AzureError as refusal:
                    refusals.append(str(refusal))
                    refused += 1
        return refusals

    def each(self, number: Iterator[int]) -> None:
        for what in self._writers:
            self._write(what, f"{next(number):06}")

    def missing(self) -> dict[str, set[str]]:
        """What was acknowledged and is not there, whole."""
        for message in self._queue.receive_messages(messages_per_page=32):
            self._received.add(str(message.content))
            self._queue.delete_message(message)
        there = {
            "blob": {
                blob.name
                for blob in self._container.list_blobs()
                if self._container.download_blob(blob.name).readall() == blob.name.encode()
            },
            "message": self._received,
            "row": set(self.rows()),
            "batch": {name for name, rows in self.batches().items() if rows == ROWS_OF_A_BATCH},
        }
        found = {what: names - there[what] for what, names in self.acknowledged.items()}
        return {what: names for what, names in found.items() if names}

    def rows(self) -> Iterator[str]:
        return (str(row["RowKey"]) for row in self._rows.list_entities())

    def batches(self) -> Counter[str]:
        """How many rows of each transaction there are."""
        return Counter(str(row["PartitionKey"]) for row in self._batches.list_entities())

    def _write(self, what: str, name: str) -> None:
        self._writers[what](name)
        self.acknowledged[what].add(name)

    def _batch(self, name: str) -> None:
        rows = [{"PartitionKey": name, "RowKey": str(row)} for row in range(ROWS_OF_A_BATCH)]
        self._batches.submit_transaction([("upsert", row) for row in rows])


@pytest.mark.slow
def test_all_that_was_acknowledged_outlives_a_kill(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time amid the writing that follows a writing of the whole index."""
    number, writing = itertools.count(), Writing(azurite)
    monkeypatch.setattr(supervisor, "JOURNAL_BYTES", 1000)
    index = azurite.folder / "__azurite_db_table__.json"
    for turn in range(3):
        written_whole = index.stat().st_mtime_ns

        def kill(written_whole: int = written_whole, awaited: bool = turn == 1) -> None:
            while awaited and index.stat().st_mtime_ns == written_whole:
                time.sleep(0.05)
            begin = dict(writing.counts())
            while any(count < begin[what] + 10 for what, count in writing.counts()):
                time.sleep(0.05)
            killed(azurite)

        with ThreadPoolExecutor() as pool:
            killing = pool.submit(kill)
            writing.until_it_is_gone(number)
            killing.result()
        assert list(azurite.folder.glob(f"{index.name}.journal.*"))
        azurite.start()
    assert writing.missing() == {}
    assert set(writing.batches().values()) == {ROWS_OF_A_BATCH}, "a transaction is there whole or not at all"


def everything(azurite: Azurite) -> dict[str, Any]:
    """All that the services show of what they hold."""
    of = Clients(azurite)
    found: dict[str, Any] = {}
    for container in of.blobs.list_containers(include_metadata=True):
        found[f"container {container.name}"] = (container.etag, container.metadata)
        client = of.blobs.get_container_client(container.name)
        for blob in client.list_blobs(include=["metadata", "uncommittedblobs"]):
            one = client.get_blob_client(blob.name)
            blocks = one.get_block_list("all") if blob.blob_type == "BlockBlob" else ([], [])
            staged = [block.id for block in blocks[1]]
            content = b"" if staged else one.download_blob().readall()
            settings = blob.content_settings
            lease = (blob.lease.state, blob.lease.status)
            found[f"blob {blob.name}"] = (
                blob.etag,
                blob.last_modified,
                blob.metadata,
                content,
                staged,
                lease,
            )
            found[f"settings {blob.name}"] = (settings.content_type, settings.content_md5)
    for queue in of.queues.list_queues(include_metadata=True):
        client_of_queue = of.queues.get_queue_client(queue.name)
        messages = client_of_queue.peek_messages(max_messages=32)
        found[f"queue {queue.name}"] = (
            queue.metadata,
            [(message.id, message.content, message.dequeue_count) for message in messages],
            client_of_queue.get_queue_properties().approximate_message_count,
        )
    for table in of.tables.list_tables():
        entities = of.tables.get_table_client(table.name).list_entities()
        found[f"table {table.name}"] = [(dict(row), row.metadata["etag"]) for row in entities]
    return found


def test_every_kind_of_change_outlives_a_kill(azurite: Azurite) -> None:
    """Made, changed, taken away, made again: twice, so that the second time meets what the first one left."""
    for turn in range(2):
        _change_all_kinds_of_things(Clients(azurite), turn)
        before = everything(azurite)
        killed(azurite)
        azurite.start()
        assert everything(azurite) == before
        index = (azurite.folder / "__azurite_db_table__.json").read_text()
        assert "$staying" in index
        assert "$going" not in index, "of a table that is gone nothing is kept"


def _change_all_kinds_of_things(of: Clients, turn: int) -> None:
    for name in ("going", "coming", f"staying{turn}"):
        container = of.blobs.create_container(name, metadata={"turn": str(turn)})
        container.upload_blob("first.csv", b"1")
        container.upload_blob("gone.csv", b"1")
        container.delete_blob("gone.csv")
        blob = container.get_blob_client("first.csv")
        blob.upload_blob(b"second", overwrite=True, content_settings=ContentSettings(content_type="text/csv"))
        blob.set_blob_metadata({"turn": str(turn)})
        blob.acquire_lease()
        staged = container.get_blob_client("blocks.csv")
        for number in range(4):
            staged.stage_block(f"{number}", b"x" * number)
        staged.commit_block_list([BlobBlock("1"), BlobBlock("3")])
        container.get_blob_client("staged.csv").stage_block("0", b"only staged")
        appended = container.get_blob_client("appended.log")
        appended.create_append_blob()
        appended.append_block(b"line\n")
        appended.append_block(b"line\n")
    of.blobs.delete_container("going")
    if turn:
        of.blobs.delete_container("staying0")
    of.blobs.delete_container("coming")
    for name in ("going", f"staying{turn}"):
        queue = of.queues.create_queue(name)
        queue.set_queue_metadata({"turn": str(turn)})
        for text in ("one", "two", "three", "four"):
            queue.send_message(text)
        queue.delete_message(queue.receive_message(visibility_timeout=60))  # type: ignore[arg-type]
        received = queue.receive_message(visibility_timeout=60)
        assert received
        queue.update_message(received, content="changed", visibility_timeout=0)
    of.queues.delete_queue("going")
    for name in ("going", "again", f"staying{turn}"):
        table = of.tables.create_table(name)
        for row in range(4):
            table.create_entity({"PartitionKey": "p", "RowKey": str(row), "value": turn})
        table.delete_entity("p", "0")
        table.upsert_entity({"PartitionKey": "p", "RowKey": "1", "other": "merged"}, mode=UpdateMode.MERGE)
        table.upsert_entity(
            {"PartitionKey": "p", "RowKey": "2", "other": "replaced"}, mode=UpdateMode.REPLACE
        )
        table.submit_transaction([("delete", {"PartitionKey": "p", "RowKey": "3"}),
                                  ("create", {"PartitionKey": "p", "RowKey": "5"})])  # fmt: skip
        with pytest.raises(AzureError):  # all of it is undone
            table.submit_transaction([("upsert", {"PartitionKey": "p", "RowKey": "1", "lost": 1}),
                                      ("create", {"PartitionKey": "p", "RowKey": "5"})])  # fmt: skip
    of.tables.delete_table("going")
    of.tables.delete_table("again")
    of.tables.create_table("again").create_entity({"PartitionKey": "q", "RowKey": str(turn)})
    of.tables.delete_table("again")


def test_what_a_killed_process_had_not_finished_writing_was_not_answered(azurite: Azurite) -> None:
    table = Clients(azurite).tables.create_table("torn")
    table.create_entity({"PartitionKey": "p", "RowKey": "1"})
    killed(azurite)
    (journal,) = azurite.folder.glob("__azurite_db_table__.json.journal.*")
    with journal.open("ab") as torn:
        torn.write(b'[["put","devstoreaccount1$torn",{"Partiti')
    azurite.start()
    assert [row["RowKey"] for row in table.list_entities()] == ["1"]
    table.create_entity({"PartitionKey": "p", "RowKey": "2"})
    killed(azurite)
    azurite.start()
    assert [row["RowKey"] for row in table.list_entities()] == ["1", "2"]


def test_a_journal_that_cannot_be_read_is_said_and_nothing_is_served_without_it(azurite: Azurite) -> None:
    table = Clients(azurite).tables.create_table("broken")
    table.create_entity({"PartitionKey": "p", "RowKey": "1"})
    killed(azurite)
    (journal,) = azurite.folder.glob("__azurite_db_table__.json.journal.*")
    journal.write_bytes(b"no journal\n" + journal.read_bytes())
    with pytest.raises(supervisor.StartFailed, match=rf"{journal.name}, line 1 cannot be read"):
        azurite.start()


def test_a_write_costs_the_same_however_much_there_is(azurite: Azurite) -> None:
    """The index is not written whole for a few changes."""
    table = Clients(azurite).tables.create_table("large")
    for number in range(20):
        table.create_entity({"PartitionKey": "p", "RowKey": str(number), "value": "x" * 10_000})
    index = azurite.folder / "__azurite_db_table__.json"
    before = index.stat().st_mtime_ns
    deadline = time.monotonic() + SNAPSHOT_SECONDS + 1
    while time.monotonic() < deadline:
        table.upsert_entity({"PartitionKey": "p", "RowKey": "0"})
        time.sleep(0.2)
    assert index.stat().st_mtime_ns == before


class Served:
    """`localazure storage` as a process of its own, on `state`."""

    def __init__(self, state: Path, ports: Ports, *, prefix: tuple[str, ...] = ()) -> None:
        self.azurite = Azurite(state=state, ports=ports)
        options = [f"--{name}-port={getattr(ports, name)}" for name in ("blob", "queue", "table")]
        command = [*prefix, sys.executable, "-m", "localazure", "storage", "--state", str(state), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready()

    def ready(self) -> None:
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said.startswith("ready: storage "), self.said()

    def said(self) -> str:
        """All of its errors; waits for its end."""
        return self.process.communicate(timeout=60)[1]

    def node(self) -> int:
        """Azurite's process."""
        listed = subprocess.run(["ps", "-ax", "-o", "ppid=,pid="], capture_output=True, text=True, check=True)
        pairs = [line.split() for line in listed.stdout.splitlines()]
        (child,) = [int(pid) for parent, pid in pairs if int(parent) == self.process.pid]
        return child


@pytest.fixture
def served(
    tmp_path: Path, free_port: Callable[[], int], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Served]]:
    """Starts one, which the test's end stops."""
    made: list[Served] = []

    def serve(**how: Any) -> Served:
        made.append(Served(tmp_path, Ports(blob=free_port(), queue=free_port(), table=free_port()), **how))
        return made[-1]

    yield serve
    for one in made:
        one.process.terminate()
        one.process.communicate(timeout=60)


def test_a_killed_azurite_is_started_again_with_all_that_was_acknowledged(
    served: Callable[..., Served],
) -> None:
    storage = served()
    table = Clients(storage.azurite).tables.create_table("kept")
    for row in ("1", "2"):
        table.create_entity({"PartitionKey": "p", "RowKey": row})
        os.kill(storage.node(), signal.SIGKILL)
        storage.ready()
    assert [row["RowKey"] for row in table.list_entities()] == ["1", "2"]
    storage.process.terminate()
    assert storage.said().count("Azurite ended by itself and is started again.") == 2
    assert storage.process.returncode == 0


def test_an_azurite_that_ends_again_and_again_is_given_up(served: Callable[..., Served]) -> None:
    storage = served()
    for start in range(MOST_STARTS):
        os.kill(storage.node(), signal.SIGKILL)
        if start < MOST_STARTS - 1:
            storage.ready()
    assert f"ended by itself {MOST_STARTS} times" in storage.said()
    assert storage.process.returncode == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[str, ...]:
    """What a command is begun with to see the folder of the test as a disk of 8 MiB."""
    mount = f"mount -t tmpfs -o size=8m tmpfs {tmp_path}"
    own = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    if (
        shutil.which("unshare") is None
        or subprocess.run([*own, mount], capture_output=True, check=False).returncode
    ):
        pytest.skip("no disk of its own can be had here")
    return (*own, f'{mount} && exec "$@"', "sh")


class Filler:
    """A file that takes all the room of the disk that the process sees at `folder`."""

    def __init__(self, process: int, folder: Path) -> None:
        self._file = Path(f"/proc/{process}/root{folder}/filler")

    def __enter__(self) -> None:
        with suppress(OSError), self._file.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def __exit__(self, *_: object) -> None:
        self._file.unlink()


@pytest.mark.filterwarnings(
    "ignore:Testing an element's truth value"
)  # azure-data-tables, on Python from 3.12 on
def test_on_a_full_disk_nothing_is_acknowledged_and_with_room_again_it_goes_on(
    served: Callable[..., Served], small_disk: tuple[str, ...], tmp_path: Path
) -> None:
    storage = served(prefix=small_disk)
    node = storage.node()
    writing = Writing(storage.azurite)
    number = itertools.count()
    for turn in range(2):
        with Filler(storage.process.pid, tmp_path):
            refusals = writing.until_refused(number, times=3)
            assert any("The disk under the storage takes no more" in refusal for refusal in refusals)
        writing.each(number)
        begun = sum(1 for _ in writing.rows()) - len(writing.acknowledged["row"])
        assert begun <= turn + 1, "of the refused ones the first was done, none after it was begun"
        assert set(writing.batches()) == writing.acknowledged["batch"]
        assert storage.node() == node, "it was the disk that failed, not Azurite"
        assert writing.missing() == {}
        if turn:
            os.kill(node, signal.SIGKILL)
            storage.ready()
            assert writing.missing() == {}
