"""Real death: the host killed in the middle of its work, events that never come, messages nobody can read.

Everything comes to its end all the same, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from story.running import Running, bank, running, without_answer

from commands.stack import supervisor

pytestmark = pytest.mark.slow
SHARD_BYTES = 16_000
"""Small, so that a batch takes a few seconds and has many shards."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("sudden-death")
    with running(folder, SHARD_BYTES=str(SHARD_BYTES)) as made:
        yield made


@dataclass(frozen=True)
class Survivor:
    """A stack whose host was killed twice on the way from a file to a released model."""

    site: Running
    lineage: dict[str, Any]
    at_first_death: list[str]
    """The states of the run in Azure ML."""


@pytest.fixture(scope="module")
def survivor(site: Running) -> Survivor:
    header, rows = bank()
    site.drop("incoming", "first.csv", [header, *rows[:2500]])

    def started() -> bool:
        return site.get("lineage/incoming/first.csv").get("run", {}).get("state") in ("started", "running")

    def releasing() -> bool:
        state = site.get("lineage/incoming/first.csv").get("model", {}).get("state")
        return state in ("releasing", "released")

    site.until(started, "a run")
    site.kill("host")
    at_first_death = site.runs_in_azure_ml("bank-v1-a1")
    site.up()
    site.until(releasing, "a release", seconds=150)
    site.kill("host")
    site.up()
    return Survivor(site, site.model_of("first.csv"), at_first_death)


def test_a_host_killed_during_a_run_and_during_a_release_comes_to_one_of_each(survivor: Survivor) -> None:
    site = survivor.site
    (state,) = survivor.at_first_death
    assert state not in ("Completed", "Failed", "Canceled"), "killed too late to be a death in a run"
    assert site.runs_in_azure_ml("bank-v1-a1") == ["Completed"]
    assert [run["id"] for run in site.all("runs")] == ["bank-v1-a1"]
    assert [one["name"] for one in site.azure_ml("data/bank/versions")] == ["1"]
    assert [one["name"] for one in site.azure_ml("onlineEndpoints/campanha-bank/deployments")] == ["model-1"]
    (model,) = site.all("models")
    assert [entry["state"] for entry in model["history"]].count("released") == 1
    assert survivor.lineage["model"]["state"] == "released"
    assert survivor.lineage["upload"]["rows"] == 2500


def test_a_host_killed_during_a_batch_leaves_no_row_out_and_none_twice(survivor: Survivor) -> None:
    site = survivor.site
    header, rows = bank()
    rows = 4 * rows  # so many that the host dies in the middle
    clients = without_answer([header, *rows])
    site.drop("scoring", "clients.csv", clients)

    def in_the_middle() -> bool:
        return site.get("lineage/scoring/clients.csv").get("batch", {}).get("shardsScored", 0) >= 3

    site.until(in_the_middle, "the third shard")
    site.kill("host")
    assert not any(name.endswith("manifest.json") for name in site.blobs("scored")), "killed too late"
    site.up()
    batch = site.batch_of("clients.csv")
    assert (batch["state"], batch["rows"]) == ("scored", len(rows))
    assert batch["shards"] > len(b"\n".join(clients)) // SHARD_BYTES
    scored = site.blob(batch["output"]).splitlines()
    delimiter = b";" if b";" in header else b","
    added = scored[0].count(delimiter) - clients[0].count(delimiter)
    assert [line.rsplit(delimiter, added)[0] for line in scored] == clients
    version = scored[0].split(delimiter).index(b"model_version")
    assert {line.split(delimiter)[version] for line in scored[1:]} == {b"1"}
    manifest = json.loads(site.blob(batch["output"].replace("scored.csv", "manifest.json")))
    assert (manifest["rows"], manifest["rejected_rows"]) == (len(rows), 0)
    assert [record["id"] for record in site.all("batches")] == [batch["id"]]


def test_without_one_event_the_sweep_brings_a_file_to_a_model_by_the_older_pipeline(
    survivor: Survivor,
) -> None:
    """The run goes through the v1 contract, where it cannot have a name of ours."""
    site = survivor.site
    header, rows = bank()
    site.up(PIPELINE_KIND="published-pipeline")
    before = len(site.all("runs"))
    supervisor.stop_parts(site.stack, ["events"])
    site.drop("incoming", "second.csv", [header, *rows[2500:]])
    lineage = site.model_of("second.csv")
    assert (lineage["model"]["state"], lineage["upload"]["rows"]) == ("released", len(rows) - 2500)
    run = lineage["run"]
    assert run["id"] != "bank-v2-a1"
    assert [step["status"] for step in run["steps"]] == ["Completed"] * len(run["steps"])
    assert site.runs_in_azure_ml("bank-v2-a1") == ["Completed"]
    site.up()  # what the events' part missed it tells now, before what comes after
    site.drop("incoming", "first-again.csv", [header, *rows[:2500]])
    site.until(lambda: site.get("uploads/first-again.csv").get("state") == "duplicate", "the late events")
    assert len(site.all("runs")) == before + 1


def test_what_cannot_be_read_or_done_ends_as_a_failure_that_is_shown(site: Running) -> None:
    nobodys_shard = {"fact": "ShardDue", "batch": "nobody-planned-me", "number": 0}
    messages = {
        "steps": "rubbish",
        "blob-events": json.dumps(["no", "event"]),
        "run-events": json.dumps({"data": {}}),
        "shards": json.dumps(nobodys_shard),
    }
    before = {failure["id"] for failure in site.all("failures")}
    for queue, text in messages.items():
        site.send(queue, text)
    found: list[dict[str, Any]] = []

    def all_shown() -> bool:
        found[:] = [failure for failure in site.all("failures") if failure["id"] not in before]
        return len(found) >= len(messages)

    site.until(all_shown, "four failures", seconds=90, at=lambda: found)
    shown = {failure["queue"]: failure for failure in found}
    assert set(shown) == set(messages)
    assert shown["shards"]["about"] == "shard/nobody-planned-me/0"
    assert "could not be read" in shown["steps"]["reason"]
    assert "rubbish" not in json.dumps(found), "what a message says may be a client's data"
    told = site.says("status")
    assert "shard/nobody-planned-me/0" in told
    assert "the message could not be read" in told
    for queue in messages:
        site.until(lambda queue=queue: site.held(f"{queue}-poison") == 0, f"an empty {queue}-poison")
    (scoring,) = [rule for rule in site.get("status")["flow"] if rule["do"] == "score_shard"]
    assert scoring["open"] == 0, "what was given up is a person's, not the reconciler's"
