"""The account is lost in the middle of the work, with all that ran: from the backups of another day it goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from commands.stack import supervisor
from commands.stack.parts import PARTS
from tests.story.running import Running, bank, running, without_answer

pytestmark = pytest.mark.slow
ROUNDS = 30
SETTINGS = {"SHARD_BYTES": "16000"}


def test_everything_goes_on_in_an_empty_account(tmp_path: Path) -> None:
    """Ledger first, then blobs, while a training file and a batch are under way; then storage is emptied."""
    header, rows = bank()
    clients = without_answer([header, *rows * ROUNDS])
    with running(tmp_path / "state", **SETTINGS) as site:
        site.drop("incoming", "first.csv", [header, *rows[:2500]])
        assert site.model_of("first.csv")["model"]["state"] == "released"
        site.drop("scoring", "before.csv", clients[:200])
        done = site.batch_of("before.csv")
        site.drop("scoring", "clients.csv", clients)
        site.drop("incoming", "second.csv", [header, *rows[2500:]])
        site.until(lambda: _shards(site) >= 2, "the second shard")
        _says(site, "backup", str(tmp_path / "ledger.gz"))
        _copied(site, tmp_path / "blobs")
        assert _batch(site).get("state") != "scored", "it was over before the backup"
        time.sleep(3)  # the work goes on, and nobody will know

        supervisor.stop_parts(site.stack, PARTS)
        shutil.rmtree(tmp_path / "state" / "storage")
        _storage_alone(site)
        _put_back(site, tmp_path / "blobs")
        _says(site, "restore", str(tmp_path / "ledger.gz"))
        site.up()

        assert site.model_of("second.csv")["upload"]["rows"] == len(rows) - 2500
        batch = site.batch_of("clients.csv")
        assert (batch["state"], batch["rows"]) == ("scored", len(clients) - 1), batch
        scored = site.blob(batch["output"]).splitlines()
        added = scored[0].count(b",") - clients[0].count(b",")
        assert [line.rsplit(b",", added)[0] for line in scored] == clients
        assert site.get(f"batches/{done['id']}")["state"] == "scored"
        trained = {run["id"]: site.runs_in_azure_ml(run["id"]) for run in site.all("runs")}
        assert trained == {"bank-v1-a1": ["Completed"], "bank-v2-a1": ["Completed"]}
        sizes = [dataset["rows"] for dataset in site.all("datasets")]
        assert sorted(sizes) == [2500, len(rows)], "no row is lost, and none is there twice"


def _batch(site: Running) -> dict[str, object]:
    return dict(site.get("lineage/scoring/clients.csv").get("batch", {}))


def _shards(site: Running) -> int:
    return int(str(_batch(site).get("shardsScored", 0)))


def _says(site: Running, *command: str) -> str:
    told = subprocess.run(
        [sys.executable, "-m", "commands", *command, "--state", str(site.stack.state)],
        cwd=site.stack.root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def _copied(site: Running, target: Path) -> None:
    """As azcopy does: each blob as it is when its turn comes."""
    service = BlobServiceClient.from_connection_string(site.stack.connection_string)
    for container in service.list_containers():
        (target / container.name).mkdir(parents=True)
        client = service.get_container_client(container.name)
        for name in client.list_blob_names():
            file = target / container.name / name.replace("/", "%2F")
            file.write_bytes(client.download_blob(name).readall())


def _put_back(site: Running, source: Path) -> None:
    """Each blob has another ETag now, as in any other account."""
    service = BlobServiceClient.from_connection_string(site.stack.connection_string)
    there = {each.name for each in service.list_containers()}
    for folder in source.iterdir():
        if folder.name not in there:
            service.create_container(folder.name)
        for file in folder.iterdir():
            client = service.get_blob_client(folder.name, file.name.replace("%2F", "/"))
            client.upload_blob(file.read_bytes(), overwrite=True)


def _storage_alone(site: Running) -> None:
    """What Bicep makes: an account with containers, queues and tables, and nothing in them."""
    supervisor.up_storage(site.stack)
