"""Commands that stay and tell what happens: each change once, in order, until its end or Ctrl-C."""

from __future__ import annotations

import json
import threading
import webbrowser
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import bank
from browser.fake_app import FakeApp

from commands.client import status_api

Run = Callable[..., tuple[int, str, str]]
RUN = f"{bank.DATASET}-v{bank.TRAINING}-a1"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app holds answers back; the pause is for those that do not."""
    monkeypatch.setattr(status_api, "_pause", lambda answer: 0.0)


Later = Callable[[str, Callable[[FakeApp], object]], None]


@pytest.fixture
def later(app: FakeApp) -> Iterator[Later]:
    """Call it for a change of the data that comes once somebody waits for the path."""
    threads: list[threading.Thread] = []

    def later_(path: str, doing: Callable[[FakeApp], object]) -> None:
        def change() -> None:
            with app.changed:
                while not any(asked.startswith(path) and "wait=" in asked for _, asked in app.asked):
                    app.changed.wait(0.01)
            app.change(doing)

        threads.append(threading.Thread(target=change, daemon=True))
        threads[-1].start()

    yield later_
    for thread in threads:
        thread.join(10)


def event(number: int) -> dict[str, Any]:
    return {
        "id": f"e{number}", "type": "Campanha.UploadArrived.v1", "time": f"2026-11-24T09:00:0{number}Z",
        "data": {"kind": "upload", "id": f"upload/may-{number}.csv/0x1", "state": "arrived", "seq": 1},
    }  # fmt: skip


def interrupted(*before: Any) -> Callable[..., Iterator[Any]]:
    """Changes, and then Ctrl-C."""

    def changes(self: object, path: str) -> Iterator[Any]:
        yield from before
        raise KeyboardInterrupt

    return changes


def coming(monkeypatch: pytest.MonkeyPatch, app: FakeApp, *later: list[dict[str, Any]]) -> None:
    """Each time somebody waits for news, what of events comes next, newest first; at last Ctrl-C."""
    left = [*later]
    answers = status_api.Client._answer

    def answer(self: Any, method: str, path: str, *, query: Any = None, **more: Any) -> Any:
        if query and query.get("wait"):
            if not left:
                raise KeyboardInterrupt
            app.collections["events"][:0] = left.pop(0)
        return answers(self, method, path, query=query, **more)

    monkeypatch.setattr(status_api.Client, "_answer", answer)


@pytest.mark.parametrize("as_json", [True, False])
def test_events_are_followed_each_once_and_oldest_first(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    app.collections["events"] = [event(2), event(1)]
    coming(monkeypatch, app, [event(3)], [event(6), event(5), event(4)])
    code, out, err = run("events", "--follow", *(["--json"] if as_json else []))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    if as_json:
        assert [json.loads(line)["id"] for line in lines] == ["e1", "e2", "e3", "e4", "e5", "e6"]
    else:
        assert [line.split() for line in lines] == [
            [f"2026-11-24T09:00:0{n}", "UploadArrived", f"may-{n}.csv"] for n in range(1, 7)
        ]


def followed(run: Run, *arguments: str) -> list[str]:
    code, out, err = run("events", "--follow", "--json", *arguments)
    assert (code, err) == (0, "")
    return [json.loads(line)["id"] for line in out.splitlines()]


@pytest.mark.parametrize("most", ["0", "2"])
def test_what_is_older_than_the_first_of_them_is_not_told_later(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    app.collections["events"] = [event(n) for n in (5, 4, 3, 2, 1)]
    coming(monkeypatch, app, [event(6)])
    assert followed(run, "--most", most) == [*{"0": [], "2": ["e4", "e5"]}[most], "e6"]


def test_of_what_comes_only_the_wanted_is_told(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where so many others come at once that the first page has none of them."""

    def of(dataset: str, number: int) -> dict[str, Any]:
        one = event(number)
        return {**one, "data": {**one["data"], "dataset": dataset}}

    app.collections["events"] = [of("bank", 3), of("loans", 2), of("bank", 1)]
    later = [of("bank", 9), of("loans", 8), of("loans", 7), of("loans", 6)], [of("loans", 5)], [of("bank", 1)]
    coming(monkeypatch, app, *later)
    assert followed(run, "--dataset", "bank", "--since", "2026-11-24T09:00:02Z") == ["e3", "e9"]


def test_a_program_watches_one_document_a_change(run: Run, app: FakeApp, later: Later) -> None:
    def finish(it: FakeApp) -> None:
        over = {"uploads": "registered", "datasets": "trained", "runs": "accepted", "batches": "scored"}
        for name, state in over.items():
            for record in it.collections[name]:
                record["state"] = state

    later("/api/status", finish)
    code, out, err = run("watch", "--json", "--until-quiet")
    assert (code, err) == (1, "")  # five things wait for a person
    before, after = documents(out)
    assert before["stateCounts"]["run"]["running"] == 1
    assert after["stateCounts"]["run"] == {"accepted": 10}


def documents(text: str) -> list[Any]:
    """JSON one after the other."""
    found, at = [], 0
    while at < len(text.rstrip()):
        document, at = json.JSONDecoder().raw_decode(text, at)
        found.append(document)
        at += 1
    return found


def test_a_person_stops_watching_with_ctrl_c(run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.paused = True
    monkeypatch.setattr(status_api.Client, "changes", interrupted(app.status()))
    code, out, err = run("watch")
    assert (code, err) == (0, "")
    assert "model 7 answers for bank-additional   PAUSED   6 waiting for a person" in out


def test_a_run_waited_for_is_one_document_at_its_end(run: Run, later: Later) -> None:
    later(f"/api/runs/{RUN}", lambda app: app.record("runs", RUN).update(state="accepted"))
    code, out, err = run("runs", RUN, "--wait", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["state"] == "accepted"


def test_one_batch_is_watched_to_its_end(run: Run, later: Later) -> None:
    batch = "to-call-november-csv-6f2c0a51"
    later(
        "/api/status",
        lambda app: app.record("batches", batch).update(state="refused", reason="no column of a contract"),
    )
    code, out, _ = run("batches", batch, "--watch")
    assert code == 1
    assert "no column of a contract" in out


def test_without_a_batch_the_way_to_one_is_said(run: Run, app: FakeApp) -> None:
    app.collections["batches"] = []
    code, out, _ = run("batches", "--watch")
    assert code == 0
    assert "Nothing is being scored. Drop a file of clients: ./dev drop --scoring FILE" in out


@pytest.mark.parametrize("there", [True, False])
def test_the_dashboard_is_opened_where_there_is_a_browser(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or there)  # type: ignore[func-returns-value]
    code, out, _ = run("docs", "--open")
    assert code == 0
    assert opened == [f"{app.url}/dashboard/"]
    assert ("There is no browser here" in out) is not there
