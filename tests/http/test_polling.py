"""Conditional requests, waiting for a change, and what an answer costs however long the history is."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi import FastAPI
from flow.recorded import put_on_record
from flow.world import World, bank_rows

from functions.http.middleware import long_poll
from functions.http.middleware.polling import TRUSTED_SECONDS, Polled
from functions.http.middleware.single_flight import SingleFlight
from functions.http.views import retry_after
from shared.domain.facts import UploadArrived, UploadRejected
from shared.domain.kinds.kind import Change
from shared.kinds import changes
from shared.ledger import Ledger, Record, outbox
from shared.ledger.append_log import SEGMENT
from shared.ports import Table
from tests.http.asking import VERSION, Answer, Client, app_over, client_of

RUN = "bank-v1-a1"


def _arrive(ledger: Ledger, name: str) -> None:
    """Something that can be seen happens, told as the flow tells it."""
    arrived = Change(
        kind="upload", id=f"upload/{name}/1", state="arrived", values={"name": name, "etag": "1"}
    )
    put_on_record(ledger, [arrived])


def _again(client: Client, path: str, answer: Answer, **params: Any) -> Answer:
    return client.get(path, params={**VERSION, **params}, headers=_held(answer))


def _held(answer: Answer) -> dict[str, str]:
    return {"if-none-match": answer.headers["etag"]}


def test_what_is_unchanged_is_not_sent_again(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    for path in (
        "/api/status",
        "/api/uploads",
        "/api/events",
        "/api/lineage/may.csv",
        "/api/uploads/may.csv",
    ):
        first = reader.get(path)
        assert first.status_code == 200
        again = _again(reader, path, first)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"
        assert int(again.headers["retry-after"]) >= 1


def test_a_change_gives_another_tag(world: World, reader: Client) -> None:
    first = reader.get("/api/uploads")
    _arrive(world.ledger, "a.csv")
    second = _again(reader, "/api/uploads", first)
    assert second.status_code == 200
    assert second.headers["etag"] != first.headers["etag"]


def test_the_answers_own_time_is_no_change(world: World) -> None:
    """Whoever reads it anew: another instance, or this one once it no longer trusts what it remembers."""
    told = []
    for _ in range(2):
        told.append(client_of(app_over(world)).get("/api/status"))
        world.pass_time(3600)
    first, second = told
    assert first.json()["asOf"] < second.json()["asOf"]
    assert first.headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize("held", ["W/{}", '"other", {}', "{} ,", "*"])
def test_a_tag_is_recognised_among_others(reader: Client, held: str) -> None:
    tag = reader.get("/api/uploads").headers["etag"]
    assert reader.get("/api/uploads", headers={"if-none-match": held.format(tag)}).status_code == 304


def test_two_instances_give_one_state_the_same_tag(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    for path in ("/api/status", "/api/uploads", "/api/lineage/may.csv"):
        tags = {client_of(app_over(world)).get(path).headers["etag"] for _ in range(2)}
        assert len(tags) == 1


def test_an_answer_is_zipped_for_those_who_take_it_and_has_a_tag_of_its_own(
    world: World, reader: Client
) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    plain = reader.get("/api/status")
    zipped = reader.get("/api/status", headers={"accept-encoding": "br, gzip;q=0.8"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert gzip.decompress(zipped.content)[50:] == plain.content[50:]
    assert _again(reader, "/api/status", zipped).headers["etag"] == zipped.headers["etag"]
    for refused in ("identity", "gzip;q=0", "gzip;q=0.0", ""):
        assert (
            "content-encoding" not in reader.get("/api/status", headers={"accept-encoding": refused}).headers
        )


def test_head_tells_what_get_would(reader: Client) -> None:
    got, told = reader.get("/api/uploads"), reader.request("HEAD", "/api/uploads")
    for name in ("etag", "content-length", "content-type", "cache-control"):
        assert told.headers[name] == got.headers[name]


def test_what_is_not_finished_says_when_to_ask_again(world: World, reader: Client) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    assert int(reader.get(f"/api/runs/{RUN}").headers["retry-after"]) == retry_after.UNKNOWN
    world.finish_run(RUN)
    assert "retry-after" not in reader.get(f"/api/runs/{RUN}").headers


def test_asking_again_is_put_off_as_long_as_such_things_usually_take(world: World) -> None:
    began = world.now()
    record = Record(
        kind="run", id="r", state="running", seq=1, round=0, created="", updated="",
        values={"history": [["running", began.isoformat()]]},
    )  # fmt: skip

    def after(seconds: float, **usual: float) -> int | None:
        averages = {name.replace("_", "/"): value for name, value in usual.items()}
        return retry_after.retry_after(record, averages, began + timedelta(seconds=seconds))

    assert after(0) == retry_after.UNKNOWN
    assert after(0, run_running=30.0) == 30
    assert after(29.5, run_running=30.0) == 1
    assert after(100, run_running=30.0) == 10  # overdue: rarer and rarer
    assert after(0, run_running=4000.0) == retry_after.LONGEST


# --- waiting ----------------------------------------------------------------------------------------------


def test_a_wait_ends_with_the_change(world: World, api: FastAPI) -> None:
    async def story() -> tuple[Answer, Answer]:
        client = client_of(api)
        first = await client.ask("GET", "/api/uploads")
        waiting = asyncio.ensure_future(
            client.ask("GET", "/api/uploads", params={**VERSION, "wait": 100}, headers=_held(first))
        )
        await _until(lambda: bool(_watch(api)._waiting))
        assert not waiting.done()
        await asyncio.to_thread(_arrive, api.state.services().ledger, "a.csv")
        return first, await asyncio.wait_for(waiting, 10)

    first, second = asyncio.run(story())
    assert second.status_code == 200
    assert [record["name"] for record in second.json()["value"]] == ["a.csv"]
    assert second.headers["etag"] != first.headers["etag"]


def test_a_wait_is_not_ended_by_a_change_elsewhere(world: World, api: FastAPI) -> None:
    """Runs are waited for; an upload arrives. The wait goes on to its end, and the answer is 304."""

    async def story() -> Answer:
        client = client_of(api)
        first = await client.ask("GET", "/api/runs")
        waiting = asyncio.ensure_future(
            client.ask("GET", "/api/runs", params={**VERSION, "wait": 1}, headers=_held(first))
        )
        await _until(lambda: bool(_watch(api)._waiting))
        await asyncio.to_thread(_arrive, api.state.services().ledger, "a.csv")
        return await asyncio.wait_for(waiting, 10)

    assert asyncio.run(story()).status_code == 304


def test_a_change_made_by_another_process_is_seen_too(
    world: World, api: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody rings here; the ledger's mark tells, and is read once for all who wait."""
    monkeypatch.setattr(long_poll, "POLL_SECONDS", 0.01)

    async def story() -> list[Answer]:
        client = client_of(api)
        first = await client.ask("GET", "/api/uploads")
        held = _held(first)
        waiting = [
            asyncio.ensure_future(
                client.ask("GET", "/api/uploads", params={**VERSION, "wait": 100}, headers=held)
            )
            for _ in range(20)
        ]
        await _until(lambda: len(_watch(api)._waiting) == 20)
        _arrive(world.ledger, "a.csv")  # another ledger over the same table, as another process has it
        return list(await asyncio.wait_for(asyncio.gather(*waiting), 10))

    assert {answer.status_code for answer in asyncio.run(story())} == {200}


def test_without_a_tag_nobody_waits(api: FastAPI) -> None:
    async def story() -> Answer:
        asked = client_of(api).ask("GET", "/api/uploads", params={**VERSION, "wait": 200})
        return await asyncio.wait_for(asked, 20)

    assert asyncio.run(story()).status_code == 200


@pytest.mark.parametrize("wait", ["201", "-1", "1.5", "x", "9" * 40, ""])
def test_a_wait_that_is_none_is_refused(reader: Client, wait: str) -> None:
    answer = reader.get("/api/uploads", params={**VERSION, "wait": wait})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


def _watch(api: FastAPI) -> long_poll.Watch:
    kept = next(layer for layer in api.user_middleware if layer.cls is Polled)
    found = kept.kwargs["watch"]
    assert isinstance(found, long_poll.Watch)
    return found


def test_who_asks_the_same_at_once_shares_one_reading_that_began_after_they_asked() -> None:
    began: list[int] = []

    async def story() -> list[int]:
        flights: SingleFlight[int] = SingleFlight()
        gate = asyncio.Event()

        async def read() -> int:
            began.append(len(began) + 1)
            mine = began[-1]
            await gate.wait()
            return mine

        first = asyncio.ensure_future(flights.fresh("k", read))
        await _until(lambda: began == [1])
        late = [asyncio.ensure_future(flights.fresh("k", read)) for _ in range(5)]
        await asyncio.sleep(0)
        gate.set()
        return [await first, *await asyncio.gather(*late)]

    assert asyncio.run(story()) == [1, 2, 2, 2, 2, 2]


def test_a_reading_that_fails_fails_for_those_who_shared_it_and_for_nobody_after() -> None:
    async def story() -> tuple[list[object], str]:
        flights: SingleFlight[str] = SingleFlight()

        async def fails() -> str:
            raise ValueError("no")

        async def works() -> str:
            return "fine"

        shared = [flights.fresh("k", fails) for _ in range(3)]
        return await asyncio.gather(*shared, return_exceptions=True), await flights.fresh("k", works)

    failed, after = asyncio.run(story())
    assert [type(one) for one in failed] == [ValueError] * 3
    assert after == "fine"


def test_what_changed_since_is_polled_like_any_list(world: World, api: FastAPI) -> None:
    """Another list's change neither ends the wait nor makes another tag, though the log of events has moved on."""

    async def story() -> tuple[Answer, Answer, Answer]:
        client = client_of(api)
        where = urlsplit((await client.ask("GET", "/api/uploads")).json()["deltaLink"])
        followed = dict(parse_qsl(where.query))
        nothing = await client.ask("GET", where.path, params=followed)
        assert nothing.json()["value"] == []
        held = _held(nothing)
        run = Change(kind="run", id="r", state="started", values={"dataset": "bank", "version": 1})
        put_on_record(world.ledger, [run])
        still = await client.ask("GET", where.path, params=followed, headers=held)
        waiting = asyncio.ensure_future(
            client.ask("GET", where.path, params={**followed, "wait": 100}, headers=held)
        )
        await _until(lambda: bool(_watch(api)._waiting))
        await asyncio.to_thread(_arrive, api.state.services().ledger, "a.csv")
        return nothing, still, await asyncio.wait_for(waiting, 10)

    nothing, still, changed = asyncio.run(story())
    assert (still.status_code, still.headers["etag"]) == (304, nothing.headers["etag"])
    assert changed.status_code == 200
    assert [record["name"] for record in changed.json()["value"]] == ["a.csv"]


# --- cost -------------------------------------------------------------------------------------------------


class Count:
    """Calls made to tables, and rows they gave."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = self.rows_read = 0

    def add(self, rows: int) -> None:
        with self._lock:
            self.calls += 1
            self.rows_read += rows

    def take(self) -> tuple[int, int]:
        """What was counted since the last time."""
        found, self.calls, self.rows_read = (self.calls, self.rows_read), 0, 0
        return found


class Counted:
    """A table whose reads are counted."""

    def __init__(self, table: Table, count: Count) -> None:
        self._table, self._count = table, count

    def get(self, partition: str, row: str) -> Any:
        self._count.add(1)
        return self._table.get(partition, row)

    def rows(self, partition: str, **more: Any) -> Any:
        found = list(self._table.rows(partition, **more))
        self._count.add(len(found))
        return iter(found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


def _history(length: int) -> World:
    """A world with that many uploads behind it, and one whole story at the end."""
    world = World()
    ledger = world.services.ledger
    for number in range(length):
        name = f"{number}.csv"
        arrived = UploadArrived(name=name, etag="1")
        gone = UploadRejected(upload=arrived.key, name=name, reason="of old")
        for fact in (arrived, gone):
            put_on_record(ledger, changes(fact))
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN)
    return world


def _cost_of_following(world: World, client: Client, path: str, count: Count) -> tuple[int, int]:
    """One file more came, since the newest upload was read."""
    last = client.get(path, params={**VERSION, "maxpagesize": 1, "since": "2999-01-01T00:00:00Z"})
    put_on_record(world.ledger, changes(UploadArrived(name="one more.csv", etag="1")))
    count.take()
    where = urlsplit(last.json()["deltaLink"])
    # what is no older than what was never there
    followed = client.get(where.path, params=dict(parse_qsl(where.query)))
    assert "nextLink" not in followed.json()
    return count.take()


def _costs(world: World) -> dict[str, tuple[int, int]]:
    """Calls and rows of each thing a poller asks, each asked of a process that has asked nothing before."""
    costs = {}
    for path in (
        "/api/status",
        "/api/uploads?maxpagesize=50",
        "/api/lineage/may.csv",
        "/api/events?maxpagesize=50",
    ):
        bare, query = path.split("?")[0], dict(p.split("=") for p in path.split("?")[1:])
        bare_tables, count = (world.table, world.present), Count()
        world.table, world.present = (Counted(one, count) for one in bare_tables)  # type: ignore[assignment]
        client = client_of(app_over(world))
        first = client.get(bare, params={**VERSION, **query})
        costs[path] = count.take()
        assert _again(client, bare, first, **query).status_code == 304
        costs[f"304 of {path}"] = count.take()
        if "maxpagesize" in query:
            costs[f"what changed since {path}"] = _cost_of_following(world, client, bare, count)
        world.table, world.present = bare_tables
    return costs


def test_an_answer_costs_the_same_however_long_the_history_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        outbox, "COUNTERS", 1
    )  # each process chooses one of several; a row more or less is no cost
    short, long = _costs(_history(5 * SEGMENT)), _costs(_history(90 * SEGMENT))
    assert short == long
    assert {cost for path, cost in short.items() if path.startswith("304")} == {(1, 1)}
    assert short["/api/status"][0] <= 12


def test_an_answer_is_not_trusted_for_ever(world: World) -> None:
    """A process died between a change and its token: others see the change after a while all the same."""
    clock = [0.0]
    app = app_over(world)
    polled = next(layer for layer in app.user_middleware if layer.cls is Polled)
    polled.kwargs["now"] = lambda: clock[0]
    client = client_of(app)
    first = client.get("/api/uploads")
    unmarked = [Change(kind="upload", id="upload/a/1", state="arrived", values={"name": "a", "etag": "1"})]
    world.services.ledger.records.apply(unmarked, cause="a process that died")
    assert _again(client, "/api/uploads", first).status_code == 304
    clock[0] += TRUSTED_SECONDS + 1
    assert _again(client, "/api/uploads", first).status_code == 200
