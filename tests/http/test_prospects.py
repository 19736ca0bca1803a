"""What a poller needs in one call: what a thing waits for, since when, and links to what it became."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from flow.recorded import put_on_record
from flow.world import World, bank_rows, evaluation_of, golden

from shared.domain.facts import Fact, RunMoved
from shared.domain.kinds.kind import Change, Kind
from shared.kinds import KINDS
from shared.ports import RunView
from tests.http.asking import VERSION, Client

UPLOAD = "/api/uploads/may.csv"
RUN = "bank-v1-a1"


def _waits(client: Client, path: str) -> str | None:
    """What it waits for; with it comes since when, and when to ask again."""
    answer = client.get(path)
    body = answer.json()
    assert answer.status_code == 200, body
    waits = "waitingFor" in body
    assert (waits, waits) == ("waitingStartedAt" in body, "retry-after" in answer.headers)
    return str(body["waitingFor"]) if waits else None


def _links(client: Client, path: str) -> dict[str, str]:
    """The links, each of which leads somewhere."""
    links: dict[str, str] = client.get(path).json()["links"]
    for name, link in links.items():
        where, _, query = link.partition("?")
        assert client.get(where, params={**VERSION, **dict(parse_qsl(query))}).status_code == 200, name
    return links


def _on_the_way(world: World, client: Client, path: str, *facts: Fact, until: str = "") -> list[str | None]:
    """What it waited for after each thing that happened, until nothing is due, or until it waits for that."""
    world.due += [(world.time, fact) for fact in facts]
    found = []
    while world.due and until not in found:
        world.due.sort(key=lambda item: item[0])
        when, fact = world.due.pop(0)
        world.time = max(world.time, when)
        world.deliver(fact)
        found.append(_waits(client, path))
    return [waits for waits, _ in groupby(found)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_not_final_waits_for_something(kind: Kind[Any]) -> None:
    for state in kind.states:
        assert (state.waits_for is None) == state.final, state.name


def test_an_upload_tells_what_its_rows_wait_for_until_their_model_answers(
    world: World, reader: Client
) -> None:
    arrived = world.drop("may.csv", bank_rows(30))
    assert _on_the_way(world, reader, UPLOAD, arrived) == ["gather-window", "run-slot", "workspace"]
    assert _links(reader, UPLOAD).keys() == {"self", "lineage", "dataset", "run", "models"}
    world.workspace.state_of_new_deployments = "Creating"
    world.workspace.runs[RUN] = RunView(name=RUN, status="Completed")
    found = {"evaluation": evaluation_of(1, None), "golden": golden(1)}
    world.workspace.documents["bank", 1] = found
    assert _on_the_way(world, reader, UPLOAD, RunMoved(run=RUN), until="deployment") == [
        "workspace",
        "release",
        "deployment",
    ]
    ((place, _),) = world.workspace.states.items()
    world.workspace.states[place] = "Succeeded"
    world.tell()
    assert _waits(reader, UPLOAD) is None
    assert _links(reader, UPLOAD) == {
        "self": UPLOAD,
        "lineage": "/api/lineage/incoming/may.csv",
        "dataset": "/api/datasets/bank/1",
        "run": f"/api/runs/{RUN}",
        "model": "/api/models/bank/1",
        "models": f"/api/models?upload={quote(arrived.key, safe='')}",
        "batches": "/api/batches?model=bank:1",
    }


def test_a_run_that_ended_waits_to_be_judged(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    put_on_record(world.ledger, [Change(kind="run", id=RUN, state="completed")])
    for path in (UPLOAD, "/api/datasets/bank/1", f"/api/runs/{RUN}"):
        assert _waits(reader, path) == "outcome"


def test_what_is_waited_for_is_told_with_since_when(world: World, reader: Client) -> None:
    began = world.now()
    world.deliver(world.drop("may.csv", bank_rows(30)))
    world.pass_time(7)
    assert datetime.fromisoformat(reader.get(UPLOAD).json()["waitingStartedAt"]) == began


def test_a_version_that_is_put_off_waits_for_the_run_slot(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.tell(world.drop("june.csv", bank_rows(40, start=50)))
    since = world.ledger.find("dataset", "bank:2").updated
    for path in ("/api/uploads/june.csv", "/api/datasets/bank/2"):
        body = reader.get(path).json()
        assert (body["waitingFor"], body["waitingStartedAt"]) == ("run-slot", since)
    assert (
        reader.get("/api/datasets/bank/2").json()["postponedBecause"]
        == f"run {RUN} of the dataset is under way"
    )


def test_what_begins_something_new_waits_for_the_resumption_while_work_is_paused(
    world: World, reader: Client, operator: Client
) -> None:
    assert operator.post("/api/pause").status_code == 202
    world.tell(*world.bus.take())
    paused = world.now()
    world.pass_time(60)
    arrived = world.drop("may.csv", bank_rows(30))
    assert _on_the_way(world, reader, UPLOAD, arrived) == ["gather-window", "resumption"]
    registered = datetime.fromisoformat(world.ledger.find("dataset", "bank:1").created)
    for path in (UPLOAD, "/api/datasets/bank/1"):
        body = reader.get(path).json()
        assert body["waitingFor"] == "resumption"
        assert datetime.fromisoformat(body["waitingStartedAt"]) == max(registered, paused) == registered
    assert operator.post("/api/resume").status_code == 202
    world.tell(*world.bus.take())
    assert _waits(reader, UPLOAD) == "workspace"


def test_a_pause_counts_from_its_own_beginning(world: World, reader: Client, operator: Client) -> None:
    world.deliver(world.drop("may.csv", bank_rows(30)))
    put_on_record(
        world.ledger,
        [
            Change(kind="dataset", id="bank:1", state="registered", values={"dataset": "bank", "version": 1}),
            Change(
                kind="upload", id=_upload(world), state="registered", values={"dataset_version": "bank:1"}
            ),
        ],
    )
    assert _waits(reader, UPLOAD) == "run-slot"
    world.pass_time(60)
    assert operator.post("/api/pause").status_code == 202
    for fact in world.bus.take():
        world.deliver(fact)
    assert datetime.fromisoformat(reader.get(UPLOAD).json()["waitingStartedAt"]) == world.now()


def test_rows_that_come_again_lead_to_what_the_same_rows_became(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.tell(world.drop("again.csv", bank_rows(30)))
    assert reader.get("/api/uploads/again.csv").json()["state"] == "duplicate"
    assert _waits(reader, "/api/uploads/again.csv") == "workspace"
    world.finish_run(RUN)
    assert _waits(reader, "/api/uploads/again.csv") is None
    assert _links(reader, "/api/uploads/again.csv")["model"] == "/api/models/bank/1"


def test_rows_that_come_again_wait_for_the_first_that_brought_them(world: World, reader: Client) -> None:
    """Whoever polls the second file would else be told that all is over before there is a model."""
    world.deliver(world.drop("may.csv", bank_rows(30)))
    world.deliver(world.drop("again.csv", bank_rows(30)))
    assert reader.get("/api/uploads/again.csv").json()["state"] == "duplicate"
    assert _waits(reader, "/api/uploads/again.csv") == "gather-window"
    assert _links(reader, "/api/uploads/again.csv")["upload"] == UPLOAD


def test_what_failed_waits_for_nothing(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)), world.drop("wrong.csv", "a;b\n1;2\n"))
    world.finish_run(RUN, status="Failed")
    for path in (UPLOAD, "/api/uploads/wrong.csv", "/api/datasets/bank/1", f"/api/runs/{RUN}"):
        assert _waits(reader, path) is None


def test_a_batch_waits_for_its_plan_then_for_its_shards_or_its_run(world: World, reader: Client) -> None:
    due = {"name": "c.csv", "etag": "1"}
    put_on_record(world.ledger, [Change(kind="batch", id="c", state="due", values=due)])
    assert _waits(reader, "/api/batches/c") == "plan"
    scoring = {"dataset": "bank", "model_version": 1, "deployment": "model-1"}
    put_on_record(world.ledger, [Change(kind="batch", id="c", state="scoring", values=scoring)])
    assert _waits(reader, "/api/batches/c") == "shards"
    run = Change(kind="run", id="score-c", state="started", values={"batch": "c"})
    put_on_record(world.ledger, [run, Change(kind="batch", id="c", values={"run": "score-c"})])
    assert _waits(reader, "/api/batches/c") == "workspace"
    assert reader.get("/api/batches/c").json()["links"]["run"] == "/api/runs/score-c"
    put_on_record(world.ledger, [Change(kind="batch", id="c", state="scored")])
    put_on_record(world.ledger, [Change(kind="run", id="score-c", state="accepted")])
    assert _waits(reader, "/api/batches/c") is None


def test_a_models_batches_are_listed_by_it(world: World, reader: Client) -> None:
    for number, version in enumerate([1, 2, 1, None]):
        values = {"name": f"{number}.csv", "dataset": "bank", "model_version": version}
        put_on_record(world.ledger, [Change(kind="batch", id=str(number), state="due", values=values)])

    def batches(**params: Any) -> list[str]:
        return [
            batch["id"] for batch in reader.get("/api/batches", params={**VERSION, **params}).json()["value"]
        ]

    assert batches(model="bank:1") == ["2", "0"]
    assert batches(model="bank:1", state="scored") == batches(model="bank:3") == []
    assert batches() == ["3", "2", "1", "0"]


def test_lists_read_no_more_for_each_thing_than_the_thing(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    for path in ("/api/uploads", "/api/datasets", "/api/runs"):
        assert "waitingFor" not in reader.get(path).json()["value"][0]


def _upload(world: World) -> str:
    (upload,) = world.ledger.newest("upload")
    return upload.id
