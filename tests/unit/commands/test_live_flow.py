"""The flow as a policy of the replay: what it drops and when, what it waits for, and how it goes on after a kill."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser.fake_app import FakeApp
from unit.commands.made_history import made_months

from commands.backtest import live_flow, results
from commands.backtest.history import DATASET
from commands.backtest.live_flow import INCOMING, SCORING, LiveFlow
from commands.backtest.walk import walk
from commands.client import status_api
from commands.stack.errors import StackError

Json = dict[str, Any]
REST: Json = {"stateCounts": {"upload": {"registered": 1}}, "flow": [{"openCount": 0}]}
BUSY: Json = {"stateCounts": {"run": {"running": 1}}, "flow": [{"openCount": 0}]}
DUE: Json = {"stateCounts": {}, "flow": [{"openCount": 0}, {"openCount": 1}]}


class Bank:
    """An app that scores by the share of deposits in all it was told; what it does takes a few looks."""

    def __init__(self, refuses: tuple[int, ...] = ()) -> None:
        self.refuses = refuses
        self.dropped: list[tuple[str, str]] = []
        self.texts: dict[tuple[str, str], list[Json]] = {}
        self.blobs: dict[str, str] = {}
        self.answers: list[float] = []
        self.live: tuple[int, float] | None = None
        self.looks: dict[tuple[str, str], int] = {}
        self.resting = itertools.count()

    def drop(self, container: str, name: str, data: bytes) -> None:
        assert (container, name) not in self.texts, "dropped twice"
        rows = list(csv.DictReader(io.StringIO(data.decode()), delimiter=";"))
        self.dropped.append((container, name))
        self.texts[container, name] = rows
        if container == INCOMING:
            self.answers += [float(row["y"] == "yes") for row in rows]
            number = sum(where == INCOMING for where, _ in self.dropped)
            if number not in self.refuses:
                self.live = (number, float(np.mean(self.answers)))

    def score_now(self) -> None:
        container, name = self.dropped[-1]
        assert container == SCORING
        assert self.live is not None
        rows = self.texts[SCORING, name]
        lines = [f"{row['client']};{self.live[1]}" for row in reversed(rows)]
        self.blobs[f"scored/{name}"] = "\n".join(["client;probability", *lines])

    def lineage(self, container: str, name: str) -> Json:
        if (container, name) not in self.texts:
            return {}
        looks = self.looks[container, name] = self.looks.get((container, name), 0) + 1
        if container == SCORING:
            state = "scored" if looks > 2 else "scoring"
            batch = {"kind": "batch", "state": state, "output": f"scored/{name}"}
            batch |= {"modelVersion": self.live[0]} if self.live else {}
            return {"batch": batch, "model": {"kind": "model", "state": "released", "recipe": "blend"}}
        number = 1 + [file for where, file in self.dropped if where == INCOMING].index(name)
        upload = {"kind": "upload", "state": "registered" if looks > 1 else "arrived"}
        refused = number in self.refuses
        model = {
            "kind": "model",
            "state": "refused" if refused else "released",
            "reason": "so be it",
            "version": 1,
        }
        return {"upload": upload, "run": {"kind": "run", "state": "accepted"}, "model": model}

    def lineages(self, container: str, name: str) -> Iterator[Json]:
        while True:
            yield self.lineage(container, name)

    def statuses(self) -> Iterator[Json]:
        while True:
            yield self.status()

    def status(self) -> Json:
        serving = {"serving": {"version": self.live[0]}} if self.live else {}
        return {"datasets": [{"dataset": DATASET, **serving}], **(BUSY, DUE, REST)[next(self.resting) % 3]}

    def read(self, blob: str) -> str:
        return self.blobs[blob]


def flow(bank: Bank) -> LiveFlow:
    return LiveFlow(bank, results.FLOW)


def test_each_month_is_scored_by_what_is_live_and_then_dropped_with_its_answers() -> None:
    bank, months = Bank(), made_months((60, 50, 7))
    walked = list(walk(months, [flow(bank)]))
    assert bank.dropped == [
        (INCOMING, "month-01-may.csv"),
        (SCORING, "month-02-jun.csv"),
        (INCOMING, "month-02-jun.csv"),
        (SCORING, "month-03-jul.csv"),
        (INCOMING, "month-03-jul.csv"),
    ]
    said = [month.scores[results.FLOW] for month in walked]
    assert said[0].probabilities is None
    assert said[0].notes == {"batch": "no model yet"}
    assert said[1].probabilities is not None
    assert said[1].probabilities.tolist() == pytest.approx([months[0].answers.mean()] * 50)
    assert (said[1].notes["modelVersion"], said[1].notes["recipe"]) == (1, "blend")
    learned = walked[1].learned[results.FLOW]
    assert {name: learned[name] for name in ("what", "state", "reason")} == {
        "what": "model", "state": "released", "reason": "so be it",
    }  # fmt: skip


def test_what_is_dropped_to_be_scored_says_nothing_of_the_answer() -> None:
    bank = Bank()
    list(walk(made_months(), [flow(bank)]))
    columns = {tuple(rows[0]) for (container, _), rows in bank.texts.items() if container == SCORING}
    assert all(not {"y", "duration"} & set(names) for names in columns)
    assert len(columns) == 1


@pytest.mark.parametrize("known", [1, 2, 3, 4])
def test_a_shuffled_future_changes_nothing_of_what_the_flow_said(known: int) -> None:
    past = made_months()
    future = [dataclasses.replace(month, answers=1 - month.answers) for month in past[:known:-1]]
    lists = []
    for months in (past, [*past[:known], *future]):
        walked = list(walk(months, [flow(Bank())]))[:known]
        said = [month.scores[results.FLOW].probabilities for month in walked]
        lists.append([None if one is None else one.tolist() for one in said])
    assert lists[0] == lists[1]


def test_a_score_finds_its_client_by_the_key_whatever_the_order() -> None:
    month = made_months((3,))[0].clients
    text = "client;probability\n2;0.3\n0;0.1\n1;0.2\n"
    assert live_flow._in_order(text, month).tolist() == [0.1, 0.2, 0.3]
    with pytest.raises(StackError, match="month-01-may: 1 of 3 clients came back without a score"):
        live_flow._in_order("client;probability\n2;0.3\n0;\n1;0.2\n", month)


@pytest.mark.parametrize("drops", range(6))
def test_after_a_kill_it_goes_on_and_drops_nothing_twice(drops: int) -> None:
    """Whatever was dropped last when it was killed; the whole says the same as one that ran through."""

    class Killed(Bank):
        left = drops

        def drop(self, container: str, name: str, data: bytes) -> None:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            super().drop(container, name, data)

    whole = results.of(list(walk(made_months(), [flow(Bank(refuses=(1, 3)))])))
    bank, months = Killed(refuses=(1, 3)), made_months()
    with pytest.raises(KeyboardInterrupt):
        list(walk(months, [flow(bank)]))
    bank.left = 100
    again = results.of(list(walk(months, [flow(bank)])))
    assert [month["policies"] for month in again["months"]] == [
        month["policies"] for month in whole["months"]
    ]


def test_a_list_that_was_not_scored_is_one_without_calls() -> None:
    class Refusing(Bank):
        def lineage(self, container: str, name: str) -> Json:
            found = super().lineage(container, name)
            if "batch" in found:
                found["batch"] = {"kind": "batch", "state": "refused", "reason": "the endpoint is down"}
            return found

    walked = list(walk(made_months((30, 20)), [flow(Refusing())]))
    said = walked[1].scores[results.FLOW]
    assert said.probabilities is None
    assert (said.notes["batch"], said.notes["reason"]) == ("refused", "the endpoint is down")


def test_a_month_that_does_not_come_to_its_end_stops_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(Bank):
        def status(self) -> Json:
            return {"datasets": [], **BUSY}

    monkeypatch.setattr(live_flow, "PATIENCE", 0.01)
    with pytest.raises(StackError, match=r"month-01-may\.csv did not come to its end within"):
        list(walk(made_months((5,)), [flow(Stuck())]))


def test_a_deadline_is_looked_at_though_nothing_changes(
    app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_api, "WAIT_SECONDS", 0.05)
    looks = status_api.Client(app.url, key="an-operator").changes("status", heartbeat=True)
    assert next(looks) == next(looks)


@pytest.mark.parametrize(
    ("lineage", "expected"),
    [
        ({"upload": {"state": "rejected", "reason": "no row fits"}},
         {"what": "upload", "state": "rejected", "reason": "no row fits"}),
        ({"upload": {"state": "registered"}, "dataset": {"state": "x"}, "run": {"state": "failed", "reason": "broke"}},
         {"what": "run", "state": "failed", "reason": "broke"}),
        ({"upload": {"state": "registered"}, "run": {"state": "refused"},
          "model": {"state": "refused", "reason": "worse", "version": 3, "recipe": "b3"}},
         {"what": "model", "state": "refused", "reason": "worse", "version": 3, "recipe": "b3"}),
    ],
)  # fmt: skip
def test_what_became_of_a_month_is_the_last_thing_it_led_to(lineage: Json, expected: Json) -> None:
    assert live_flow.became(lineage) == expected
