"""Lists: filtered, in pages that stay as they are while new things come, at a bounded cost."""

from __future__ import annotations

import base64
import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi import FastAPI
from flow.recorded import put_on_record
from flow.world import World, bank_rows
from unit.ledger.interrupted import Interrupted

from functions.http.auth.scopes import Scope
from functions.http.views import pagination
from functions.http.views.delta_token import pack, unpack
from shared.domain.facts import Fact, UploadAdmitted, UploadArrived, UploadRejected
from shared.domain.kinds.kind import Change
from shared.kinds import BY_PLURAL, changes
from shared.ledger import Cursor, Ledger
from shared.ledger.change_feed import MOST_SEEN
from tests.http.asking import HOST, VERSION, Answer, Client, app_over, client_of


def _said(world: World, *facts: Fact) -> None:
    """A minute later it is on record."""
    world.pass_time(60)
    for fact in facts:
        put_on_record(world.ledger, changes(fact))


def _admitted(upload: UploadArrived, dataset: str) -> UploadAdmitted:
    return UploadAdmitted(
        upload=upload.key, name=upload.name, dataset=dataset, rows=3, rejected=0, content_hash=f"c-{upload.name}",
        source_sha256=f"s-{upload.name}", part_sha256=f"p-{upload.name}",
    )  # fmt: skip


@pytest.fixture
def uploads(world: World) -> World:
    """Seven files, of two datasets and of none, a minute apart."""
    for number in range(7):
        upload = UploadArrived(name=f"{number}.csv", etag="1")
        _said(world, upload)
        if number % 3 == 0:
            _said(world, _admitted(upload, "bank"))
        elif number % 3 == 1:
            _said(world, _admitted(upload, "loans"))
        else:
            _said(world, UploadRejected(upload=upload.key, name=upload.name, reason="no"))
    return world


def _names(answer: Answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["name"].removesuffix(".csv") for item in answer.json()["value"]]


def _asked(client: Client, path: str = "/api/uploads", **params: Any) -> Answer:
    return client.get(path, params={**VERSION, **params})


def _next(client: Client, answer: Answer) -> Answer:
    """The page its nextLink leads to."""
    where = urlsplit(answer.json()["nextLink"])
    assert (where.scheme, where.netloc) == ("http", HOST)
    return client.get(where.path, params=dict(parse_qsl(where.query)))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"state": "admitted"}, "6 4 3 1 0"),
        ({"state": "rejected"}, "5 2"),
        ({"dataset": "bank"}, "6 3 0"),
        ({"dataset": "bank", "state": "rejected"}, ""),
        ({"dataset": "nothing"}, ""),
    ],
)
def test_lists_are_filtered(uploads: World, reader: Client, wanted: dict[str, str], found: str) -> None:
    answer = _asked(reader, **wanted)
    assert _names(answer) == found.split()
    assert "nextLink" not in answer.json()


def test_lists_are_filtered_by_when_things_began_and_when_they_changed(
    uploads: World, reader: Client
) -> None:
    fourth = reader.get("/api/uploads/4.csv").json()
    assert _names(_asked(reader, since=fourth["createdAt"])) == ["6", "5", "4"]
    assert _names(_asked(reader, updatedSince=fourth["createdAt"])) == ["6", "5", "4"]
    assert _names(_asked(reader, updatedSince=fourth["lastModifiedAt"])) == ["6", "5", "4"]
    _said(uploads, _admitted(UploadArrived(name="2.csv", etag="1"), "bank"))  # late news of an old one
    assert _names(_asked(reader, updatedSince=fourth["lastModifiedAt"])) == ["6", "5", "4", "2"]
    assert _names(_asked(reader, since="2999-01-01T00:00:00Z")) == []


def test_a_list_may_begin_before_anything_did(uploads: World, reader: Client) -> None:
    assert _names(_asked(reader, since="0001-01-01T00:00:00Z", state="rejected")) == ["5", "2"]


def test_an_event_that_is_logged_late_ends_no_list(world: World, reader: Client) -> None:
    """A step's events bear the time at which it began, and are logged when it ends."""
    ledger = world.ledger
    slow = ledger.records.apply(changes(UploadArrived(name="slow.csv", etag="1")), cause="slow")
    since = world.now() + timedelta(seconds=60)
    world.pass_time(120)
    put_on_record(ledger, changes(UploadArrived(name="quick.csv", etag="1")))
    ledger.outbox.append(slow)
    found = _asked(reader, "/api/events", since=since.isoformat()).json()["value"]
    assert [event["subject"] for event in found] == ["upload/upload/quick.csv/1"]


def test_a_time_without_a_zone_is_utc(uploads: World, reader: Client) -> None:
    moment = reader.get("/api/uploads/4.csv").json()["createdAt"]
    assert moment.endswith("+00:00")
    assert _names(_asked(reader, since=moment.removesuffix("+00:00"))) == ["6", "5", "4"]


@pytest.mark.parametrize(
    "path", [f"/api/{plural}" for plural in BY_PLURAL if plural not in ("operations", "work")]
)
def test_a_state_a_kind_never_has_is_refused(reader: Client, path: str) -> None:
    answer = _asked(reader, path, state="lost")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert answer.json()["errors"][0]["location"] == "query.state"


@pytest.mark.parametrize(
    "wrong", [{"maxpagesize": 0}, {"maxpagesize": 201}, {"after": -1}, {"after": "x"}, {"since": "yesterday"}]
)
def test_a_filter_that_is_none_is_refused(reader: Client, wrong: dict[str, Any]) -> None:
    assert _asked(reader, **wrong).status_code == 400


def test_pages_follow_each_other_though_new_things_come(uploads: World, reader: Client) -> None:
    first = _asked(reader, maxpagesize=3)
    assert _names(first) == ["6", "5", "4"]
    _said(uploads, UploadArrived(name="7.csv", etag="1"))
    second = _next(reader, first)
    assert _names(second) == ["3", "2", "1"]
    third = _next(reader, second)
    assert _names(third) == ["0"]
    assert "nextLink" not in third.json()


def test_a_filter_goes_on_to_the_next_page(uploads: World, reader: Client) -> None:
    first = _asked(reader, dataset="bank", maxpagesize=2)
    assert _names(first) == ["6", "3"]
    assert _names(_next(reader, first)) == ["0"]


def test_a_page_looks_at_so_many_and_no_more(
    uploads: World, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is wanted, and lies further back than a page looks: an empty page says where to go on."""
    monkeypatch.setattr(pagination, "SCANNED", 4)
    wanted = {"updatedSince": "2000-01-01T00:00:00Z", "state": "admitted", "dataset": "loans"}
    first = _asked(reader, **wanted)
    assert _names(first) == ["4"]
    second = _next(reader, first)
    assert _names(second) == ["1"]
    for _ in range(2):
        if "nextLink" not in second.json():
            return
        second = _next(reader, second)
        assert _names(second) == []
    raise AssertionError("the pages never end")


# --- what changed since -----------------------------------------------------------------------------------


def _followed(client: Client, answer: Answer, link: str = "deltaLink", **headers: str) -> Answer:
    """What the answer's link leads to."""
    where = urlsplit(answer.json()[link])
    return client.get(where.path, params=dict(parse_qsl(where.query)), headers=headers)


def _walked(client: Client, path: str = "/api/uploads", **params: Any) -> Answer:
    """The last page of the list."""
    answer = _asked(client, path, **params)
    while "nextLink" in answer.json():
        assert "deltaLink" not in answer.json()
        answer = _next(client, answer)
    return answer


class Following:
    """A client that walks a list, and follows it from there by its links alone."""

    def __init__(self, client: Client, path: str, **params: Any) -> None:
        self._client, self.states = client, dict[str, str]()
        self.told: list[tuple[str, str]] = []
        self._take(_asked(client, path, **params))
        self._to_the_end()

    def go_on(self) -> None:
        self._take(_followed(self._client, self._last))
        self._to_the_end()

    def repeated(self) -> set[tuple[str, str]]:
        """What was told more often than once: the newest move of a thing, by its time."""
        return {move for move, times in Counter(self.told).items() if times > 1}

    def _to_the_end(self) -> None:
        while "deltaLink" not in self._last.json():
            self._take(_followed(self._client, self._last, "nextLink"))

    def _take(self, answer: Answer) -> None:
        assert answer.status_code == 200, answer.content
        self._last = answer
        for item in answer.json()["value"]:
            self.states[item["id"]] = item["state"]
            self.told.append((item["id"], str(item["history"])))


def _states(client: Client, path: str) -> dict[str, str]:
    return Following(client, path, maxpagesize=200).states


def test_the_last_page_of_a_list_leads_to_what_changed_since_its_first(
    uploads: World, reader: Client
) -> None:
    first = _asked(reader, maxpagesize=4)
    _said(uploads, UploadArrived(name="7.csv", etag="1"))
    last = _next(reader, first)
    assert _names(last) == ["2", "1", "0"]
    put_on_record(uploads.ledger, [Change(kind="upload", id="upload/0.csv/1", state="registered")])
    changed = _followed(reader, last)
    assert _names(changed) == ["7", "0"]
    assert [item["state"] for item in changed.json()["value"]] == ["arrived", "registered"]
    again = _followed(reader, changed)
    assert again.json() == {"value": [], "deltaLink": again.json()["deltaLink"]}


def test_who_has_read_enough_of_a_list_follows_it_from_there(uploads: World, reader: Client) -> None:
    """As `./dev events --follow` does: not every event that there ever was is read for those to come."""
    first = _asked(reader, "/api/events", maxpagesize=2).json()
    token = dict(parse_qsl(urlsplit(first["nextLink"]).query))["deltatoken"]
    assert _asked(reader, "/api/events", deltatoken=token).json()["value"] == []
    _said(uploads, UploadArrived(name="7.csv", etag="1"))
    since = _asked(reader, "/api/events", deltatoken=token).json()
    assert [event["data"]["id"] for event in since["value"]] == ["upload/7.csv/1"]
    assert "deltaLink" in since


@pytest.mark.parametrize("path", [f"/api/{p}" for p in BY_PLURAL if p not in ("operations", "work")])
def test_who_follows_a_list_has_what_is_in_it(scored: World, reader: Client, path: str) -> None:
    """More rows make another model, which takes the place of the first; one file more is rejected."""
    known = Following(reader, path, maxpagesize=2)
    scored.tell(scored.drop("june.csv", bank_rows(60)))
    scored.finish_run("bank-v2-a1")
    scored.tell(scored.drop("wrong.csv", "a;b\n1;2\n"))
    known.go_on()
    assert known.states == _states(reader, path)
    assert not known.repeated()


def test_what_comes_while_the_first_page_is_read_is_told(uploads: World) -> None:
    """Between the reading of its rows and the answer."""
    present, come = uploads.present, iter([UploadArrived(name="7.csv", etag="1")])

    def comes(verb: str, given: tuple[Any, ...]) -> None:
        if (verb, given[0]) == ("rows", "upload"):
            for upload in come:
                ledger = Ledger(uploads.table, present=present, now=uploads.now, lease_seconds=60)
                put_on_record(ledger, changes(upload))

    uploads.present = Interrupted(present, after=comes)  # type: ignore[assignment]
    known = Following(client_of(app_over(uploads)), "/api/uploads")
    assert "upload/7.csv/1" not in known.states
    known.go_on()
    assert known.states["upload/7.csv/1"] == "arrived"


def test_who_follows_a_list_sees_each_change_once_under_eight_writers(world: World, reader: Client) -> None:
    def write(writer: int) -> None:
        chance = random.Random(writer)
        ledger = Ledger(world.table, present=world.present, now=world.now, lease_seconds=60)
        for number in range(40):
            name = f"{chance.randrange(30)}.csv" if number % 4 else f"{writer}-{number}.csv"
            upload = UploadArrived(name=name, etag="1")
            state = chance.choice(["arrived", "admitted", "registered"])
            change = Change(kind="upload", id=upload.key, state=state, values={"name": name})
            ledger.outbox.append(ledger.records.apply([change], cause=f"{writer}/{number}"))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for number in range(30):
        _said(world, UploadArrived(name=f"{number}.csv", etag="1"))
    for writer in writers:
        writer.start()
    known = Following(reader, "/api/uploads", maxpagesize=7)
    while any(writer.is_alive() for writer in writers):
        known.go_on()
    known.go_on()
    assert known.states == _states(reader, "/api/uploads")
    assert not known.repeated()


def test_events_and_the_audit_trail_are_followed_in_the_order_in_which_they_happened(
    api: FastAPI, uploads: World, operator: Client
) -> None:
    admin = client_of(api, scope=Scope.ADMIN)
    assert operator.post("/api/pause").status_code == 202
    for path, number in (("/api/events", "sequence"), ("/api/audit", "sequence")):
        last = _walked(admin, path, maxpagesize=200)
        newest = int(_asked(admin, path, maxpagesize=1).json()["value"][0][number])
        for action in ("resume", "pause", "resume"):
            assert operator.post(f"/api/{action}").status_code == 202
        uploads.tell(*uploads.bus.take())
        changed = _followed(admin, last)
        found = [int(entry[number]) for entry in changed.json()["value"]]
        assert found == list(range(newest + 1, newest + 1 + len(found)))
        assert len(found) >= 3
        assert _followed(admin, changed).json()["value"] == []


def test_what_changed_comes_in_pages_that_scan_so_many_events_and_no_more(
    uploads: World, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = _walked(reader)
    for number in range(10, 15):
        _said(uploads, UploadArrived(name=f"{number}.csv", etag="1"))
    monkeypatch.setattr(pagination, "SCANNED", 3)
    first = _followed(reader, last)
    assert (_names(first), "deltaLink" in first.json()) == (["10", "11", "12"], False)
    second = _followed(reader, first, "nextLink")
    assert (_names(second), "nextLink" in second.json()) == (["13", "14"], False)


def test_pages_of_changes_hold_as_many_as_were_asked_for(uploads: World, reader: Client) -> None:
    last = _walked(reader, maxpagesize=2)
    for number in range(10, 15):
        _said(uploads, UploadArrived(name=f"{number}.csv", etag="1"))
    answer, found = _followed(reader, last), []
    while True:
        found.append(_names(answer))
        if "deltaLink" in answer.json():
            break
        answer = _followed(reader, answer, "nextLink")
    assert found == [["10", "11"], ["12", "13"], ["14"]]


def test_a_filter_holds_for_what_changed_and_what_left_its_state_is_named(
    uploads: World, reader: Client
) -> None:
    last = _walked(reader, state="arrived", dataset="bank")
    for number, dataset in ((10, "bank"), (11, "loans")):
        upload = UploadArrived(name=f"{number}.csv", etag="1")
        _said(uploads, upload)
        _said(uploads, _admitted(upload, dataset))
    changed = _followed(reader, last)
    assert changed.json()["value"] == []
    assert changed.json()["removed"] == ["upload/10.csv/1"]
    admitted = _followed(reader, _walked(reader, state="admitted", dataset="bank"))
    assert "removed" not in admitted.json()
    _said(uploads, UploadArrived(name="12.csv", etag="1"))
    _said(uploads, _admitted(UploadArrived(name="12.csv", etag="1"), "bank"))
    assert _names(_followed(reader, admitted)) == ["12"]


def test_a_time_holds_for_what_changed(uploads: World, reader: Client) -> None:
    uploads.pass_time(60)
    now = uploads.now().isoformat()
    since, updated = _walked(reader, since=now), _walked(reader, updatedSince=now)
    assert _names(since) == _names(updated) == []
    old = UploadArrived(name="8.csv", etag="1")
    put_on_record(uploads.ledger, changes(old))
    late = _walked(reader, since=(uploads.now() + timedelta(seconds=1)).isoformat())
    _said(uploads, _admitted(old, "bank"))
    assert (_names(_followed(reader, since)), _names(_followed(reader, updated))) == (["8"], ["8"])
    assert "removed" not in _followed(reader, late).json()
    assert _names(_followed(reader, late)) == []


def test_a_number_of_ones_own_begins_no_walk(uploads: World, reader: Client) -> None:
    answer = _asked(reader, after=3)
    assert _names(answer) == ["2", "1", "0"]
    assert "deltaLink" not in answer.json()


def _token(last: Answer) -> str:
    return dict(parse_qsl(urlsplit(last.json()["deltaLink"]).query))["deltatoken"]


def _packed(body: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(body)).decode()


def _padded(good: str) -> str:
    """Small, and ten megabytes when it is unpacked."""
    body = zlib.decompress(base64.urlsafe_b64decode(good + "=="))
    return _packed(body[:-1] + b" " * 10_000_000 + b"]")


BAD_TOKENS: dict[str, Callable[[str], str]] = {
    "none": lambda good: "",
    "no base64": lambda good: "!?",
    "not packed": lambda good: base64.urlsafe_b64encode(b"something else").decode(),
    "changed": lambda good: good[:20] + ("A" if good[20] != "A" else "B") + good[21:],
    "cut": lambda good: good[:-6],
    "longer": lambda good: good + "AAAA",
    "padded": _padded,
    "nested": lambda good: _packed(b"[" * 60_000),
    "another form": lambda good: _packed(b'[2,"x",0,0,0,[]]'),
    "too long": lambda good: "A" * 16_001,
}


@pytest.mark.parametrize("what", BAD_TOKENS)
def test_a_token_that_is_none_is_refused(uploads: World, reader: Client, what: str) -> None:
    token = BAD_TOKENS[what](_token(_walked(reader)))
    for where in ({}, {"after": 3}):
        answer = _asked(reader, deltatoken=token, **where)
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
        assert answer.json()["errors"][0]["location"] == "query.deltatoken"


def test_a_token_is_of_its_list_and_filter_and_of_this_log(uploads: World, reader: Client) -> None:
    token = _token(_walked(reader, dataset="bank"))
    good = {"dataset": "bank", "deltatoken": token}
    assert _asked(reader, **good).status_code == 200
    assert _asked(reader, **good, maxpagesize=7).status_code == 200
    for path, params in (
        ("/api/uploads", {"deltatoken": token}),
        ("/api/uploads", {**good, "state": "admitted"}),
        ("/api/runs", good),
        ("/api/events", good),
    ):
        assert _asked(reader, path, **params).status_code == 400
    assert client_of(app_over(World())).get("/api/uploads", params={**VERSION, **good}).status_code == 400


def test_the_largest_place_fits_a_url() -> None:
    chance = random.Random(1)
    numbers = chance.sample(range(10**6), MOST_SEEN)
    cursor = Cursor(
        next=10**9,
        settled=datetime(2026, 11, 24, tzinfo=UTC),
        seen={n: chance.randrange(1, 9) for n in numbers},
    )
    token = pack(cursor, "00000000")
    assert len(token) < 8_000
    assert unpack(token, "00000000").seen == cursor.seen


# --- what became of a file --------------------------------------------------------------------------------


@pytest.fixture
def told(world: World) -> World:
    """May's calls became model 1, which scored clients; the same rows came again under another name."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("may again.csv", bank_rows(30)))
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    return world


@pytest.fixture
def scored(told: World, api: FastAPI) -> World:
    operator = client_of(api, scope=Scope.OPERATOR)
    assert operator.post("/api/batches", body={"name": "clients.csv"}).status_code == 202
    told.tell(*told.bus.take())
    return told


def test_a_file_is_traced_by_its_name_its_hash_and_its_contents(scored: World, reader: Client) -> None:
    upload = reader.get("/api/uploads/may.csv").json()
    for asked in (
        "may.csv",
        "incoming/may.csv",
        upload["sha256"],
        upload["sha256"].upper(),
        upload["contentHash"],
    ):
        way = _asked(reader, f"/api/lineage/{asked}").json()
        first = way.get("firstUpload", way["upload"])
        assert first["name"] == "may.csv"
        assert (way["dataset"]["id"], way["run"]["id"], way["model"]["id"]) == (
            "bank:1",
            "bank-v1-a1",
            "bank:1",
        )
        assert way["deployment"]["id"] == "campanha-bank/model-1"
        assert [batch["name"] for batch in way["batches"]] == ["clients.csv"]


def test_a_copy_is_traced_to_what_it_is_a_copy_of(scored: World, reader: Client) -> None:
    way = _asked(reader, "/api/lineage/may again.csv").json()
    assert way["upload"]["state"] == "duplicate"
    assert way["firstUpload"]["name"] == "may.csv"
    assert way["model"]["id"] == "bank:1"


def test_a_scored_file_is_traced_back_to_what_its_model_was_trained_on(scored: World, reader: Client) -> None:
    for asked in ("clients.csv", "scoring/clients.csv"):
        way = _asked(reader, f"/api/lineage/{asked}").json()
        assert way["batch"]["name"] == "clients.csv"
        assert (way["model"]["id"], way["run"]["id"]) == ("bank:1", "bank-v1-a1")
        assert [upload["name"] for upload in way["uploads"]] == ["may.csv"]
        assert "upload" not in way


def test_what_calls_brought_is_traced_back_to_who_was_called_and_by_which_model(
    scored: World, reader: Client
) -> None:
    batch = reader.get("/api/batches").json()["value"][0]["id"]
    name = f"{batch}/called.csv"
    scored.tell(scored.drop_outcomes(name, "row,y\n1,yes\n2,no\n"))
    for asked in (name, f"outcomes/{name}"):
        way = _asked(reader, f"/api/lineage/{asked}").json()
        assert (way["outcome"]["name"], way["outcome"]["state"]) == (name, "joined")
        assert (way["batch"]["name"], way["model"]["id"]) == ("clients.csv", "bank:1")
        assert [upload["name"] for upload in way["uploads"]] == ["may.csv"]
        assert "outcomes" not in way
    assert (
        reader.get(f"/api/outcomes/{way['outcome']['id']}").json()["links"]["lineage"].endswith("called.csv")
    )
    forward = _asked(reader, "/api/lineage/scoring/clients.csv").json()
    assert [outcome["name"] for outcome in forward["outcomes"]] == [name]


def test_outcomes_of_no_batch_are_traced_to_why(scored: World, reader: Client) -> None:
    scored.tell(scored.drop_outcomes("nowhere-csv-00000000/called.csv", "row,y\n1,yes\n"))
    way = _asked(reader, "/api/lineage/outcomes/nowhere-csv-00000000/called.csv").json()
    assert way["outcome"]["state"] == "refused"
    assert "there is no batch" in way["outcome"]["reason"]
    assert set(way) == {"key", "outcome"}


@pytest.mark.parametrize("asked", ["nothing.csv", "0" * 64, "incoming/", "scoring/may.csv"])
def test_what_was_never_seen_has_no_way(scored: World, reader: Client, asked: str) -> None:
    assert _asked(reader, f"/api/lineage/{asked}").status_code == 404
