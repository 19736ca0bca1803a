"""An upgrade while work is under way: hosts of the last release and of this one share storage, queues and ledger.

The released code comes out of git's history; where a checkout has none of it, nothing is tried.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from commands import ROOT
from commands.stack.ports import choose
from tests.story.running import Running, bank, running, without_answer

pytestmark = pytest.mark.slow
STATES = sorted((ROOT / "tests" / "released_states").glob("*.json.gz"))
SETTINGS = {"SHARD_BYTES": "16000"}
ROUNDS = 10
NEWER = "names no fact this version knows"
"""What the old host says of a message in a form that came after it, when it was handed it five times in a row: the fact
itself is in the outbox, and was done."""


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the last release."""
    commit = json.loads(gzip.decompress(STATES[-1].read_bytes()))["commit"]
    done = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the released commit {commit} is not in this checkout's history")
    folder = tmp_path_factory.mktemp("released")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


@contextmanager
def beside(site: Running, app: Path, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A host of that code, with the settings of the one that runs; what it says goes to a log in its state folder."""
    (port,) = choose(["host"]).values()
    state.mkdir(parents=True)
    command = [
        sys.executable, "-m", "localazure", "host", "--app", str(app), "--port", str(port),
        "--settings", str(site.stack.settings_file), "--state", str(state),
    ]  # fmt: skip
    values = json.loads(site.stack.settings_file.read_text(encoding="utf-8"))["Values"]
    # What the environment says of certificates, say, went before the settings then.
    env = {name: value for name, value in os.environ.items() if name not in values}
    env |= {"PYTHONPATH": str(app / "localazure" / "src"), "PYTHONUNBUFFERED": "1"}
    with (
        (state / "log").open("wb") as log,
        subprocess.Popen(command, cwd=app, env=env, stdout=log, stderr=log) as host,
    ):
        try:
            site.until(lambda: b"ready: " in (state / "log").read_bytes(), "the host of the last release")
            yield host
        finally:
            host.kill()


def test_old_and_new_hosts_do_each_thing_once(released: Path, tmp_path: Path) -> None:
    header, rows = bank()
    clients = without_answer([header, *rows * ROUNDS])
    with running(tmp_path / "state", **SETTINGS) as site:
        with beside(site, released, tmp_path / "old") as old:
            site.drop("incoming", "first.csv", [header, *rows[:2500]])
            assert site.model_of("first.csv")["model"]["state"] == "released"
            site.drop("scoring", "clients.csv", clients)
            site.drop("incoming", "second.csv", [header, *rows[2500:]])
            site.until(lambda: _shards(site) >= 5, "the fifth shard")
            assert old.poll() is None
        # The old host is gone, in the middle: the new one takes over what it was at.
        assert site.model_of("second.csv")["upload"]["rows"] == len(rows) - 2500
        batch = site.batch_of("clients.csv")
        assert (batch["state"], batch["rows"]) == ("scored", len(clients) - 1)
        scored = site.blob(batch["output"]).splitlines()
        added = scored[0].count(b",") - clients[0].count(b",")
        assert [line.rsplit(b",", added)[0] for line in scored] == clients
        assert {run["id"]: site.runs_in_azure_ml(run["id"]) for run in site.all("runs")} == {
            "bank-v1-a1": ["Completed"], "bank-v2-a1": ["Completed"],
        }  # fmt: skip
        others = [each for each in site.all("failures") if NEWER not in each["reason"]]
        assert others == []
        worked = (tmp_path / "old" / "log").read_text(errors="replace")
        assert re.search(r"step_due \w+ done|step_due done|\[step_due \w+\]", worked), (
            "the old host did nothing"
        )


def _shards(site: Running) -> int:
    return int(site.get("lineage/scoring/clients.csv").get("batch", {}).get("shardsScored", 0))
