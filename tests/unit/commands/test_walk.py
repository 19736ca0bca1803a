"""The replay's walk through the months: nobody knows of a month what is known only after it, and the tests would see it."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import random
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit.commands.made_history import HEADER, made, made_months

from commands.backtest import history, lightgbm_policies, results, source
from commands.backtest.history import Called, Clients, contract
from commands.backtest.lightgbm_policies import Retrained
from commands.backtest.walk import Policy, Scores, Walked, walk
from commands.stack.errors import StackError


@pytest.fixture(autouse=True)
def _small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightgbm_policies, "TREES", 5)


def policies() -> list[Policy]:
    features = contract().features
    return [Retrained("retrained", features), Retrained("once", features, months=2)]


def said(walked: Sequence[Walked]) -> list[dict[str, list[float] | None]]:
    return [
        {name: None if scores.probabilities is None else scores.probabilities.tolist()
         for name, scores in month.scores.items()}
        for month in walked
    ]  # fmt: skip


class Witness:
    """Notes what reaches it, in order."""

    def __init__(self, name: str = "witness") -> None:
        self.name = name
        self.seen: list[tuple[str, int, Any]] = []

    def score(self, clients: Clients) -> Scores:
        self.seen.append(("score", clients.number, clients))
        return Scores(probabilities=np.full(len(clients), 0.5))

    def learn(self, called: Called) -> Mapping[str, Any]:
        self.seen.append(("learn", called.clients.number, called))
        return {}


def test_each_month_is_scored_by_all_before_any_learns_from_it() -> None:
    one, other = Witness("one"), Witness("other")
    order: list[tuple[str, int]] = []
    for witness in (one, other):
        witness.seen = order  # type: ignore[assignment]  # one list for both
    list(walk(made_months((5, 5, 5)), [one, other]))
    steps = [(what, number) for what, number, *_ in order]
    expected = [(what, number) for number in (1, 2, 3) for what in ("score", "score", "learn", "learn")]
    assert steps == expected


def test_the_next_month_is_not_even_read_before_this_one_was_learned_from() -> None:
    witness, read = Witness(), []

    def reading() -> Any:
        for called in made_months((5, 5, 5)):
            read.append((called.clients.number, [what for what, *_ in witness.seen]))
            yield called

    list(walk(reading(), [witness]))
    assert read == [(1, []), (2, ["score", "learn"]), (3, ["score", "learn"] * 2)]


def test_a_list_holds_no_answer_and_nothing_that_only_a_call_tells() -> None:
    witness = Witness()
    list(walk(made_months(), [witness]))
    after = {column.name for column in contract().columns if column.known_only_after_call}
    for what, _, handed in witness.seen:
        if what == "score":
            assert type(handed) is Clients
            assert set(handed.columns) == {column.name for column in contract().features}
            assert not {"y", "duration", *after} & set(handed.columns)
            assert set(map(len, handed.rows)) == {len(handed.columns)}
            assert {field.name for field in dataclasses.fields(handed)} == {
                "number",
                "month",
                "columns",
                "rows",
            }


@pytest.mark.parametrize("known", [1, 2, 3, 4])
def test_a_shuffled_future_changes_nothing(known: int) -> None:
    """Months after the first `known` in another order, their rows and answers too: what was said until then stays."""
    past, chance = made_months(), random.Random(known)
    future = [_shuffled(month, chance) for month in past[known:]]
    chance.shuffle(future)
    as_it_was = list(walk(past, policies()))
    with_another_future = list(walk([*past[:known], *future], policies()))
    assert said(with_another_future[:known]) == said(as_it_was[:known])
    figures = [results.of(walked)["months"][:known] for walked in (with_another_future, as_it_was)]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("known", [1, 2, 3, 4])
def test_answers_of_a_month_change_nothing_of_what_is_said_to_it(known: int) -> None:
    as_it_was = made_months()
    month = as_it_was[known]
    inverted = dataclasses.replace(month, answers=1 - month.answers)
    otherwise = [*as_it_was[:known], inverted, *as_it_was[known + 1 :]]
    first, second = said(list(walk(as_it_was, policies()))), said(list(walk(otherwise, policies())))
    assert first[: known + 1] == second[: known + 1]
    if known + 1 < len(first):
        assert first[known + 1]["retrained"] != second[known + 1]["retrained"], "it never learned from them"


def _shuffled(month: Called, chance: random.Random) -> Called:
    """The same month as if its clients had given other answers."""
    answers = month.answers.tolist()
    chance.shuffle(answers)
    rows = list(month.clients.rows)
    chance.shuffle(rows)
    clients = dataclasses.replace(month.clients, rows=tuple(rows))
    return dataclasses.replace(month, clients=clients, answers=np.array(answers))


def test_a_policy_that_answers_for_another_number_of_clients_stops_the_walk() -> None:
    class Short(Witness):
        def score(self, clients: Clients) -> Scores:
            return Scores(probabilities=np.full(len(clients) - 1, 0.5))

    with pytest.raises(StackError, match="month-01-may: 60 clients, but not a probability for each"):
        list(walk(made_months(), [Short()]))


def test_trained_once_learns_from_the_first_months_and_never_again() -> None:
    walked = said(list(walk(made_months(), [Retrained("once", contract().features, months=2)])))
    assert [month["once"] is not None for month in walked] == [False, False, True, True, True]
    later = dataclasses.replace(made_months()[2], answers=np.zeros(7))
    otherwise = [*made_months()[:2], later, *made_months()[3:]]
    assert said(list(walk(otherwise, [Retrained("once", contract().features, months=2)]))) == walked


def test_months_are_the_runs_of_the_column() -> None:
    found = made_months((3, 2))
    again = history.months(made((3, 2)) + made((2,), seed=5).split(b"\r\n", 1)[1], contract())
    assert [(one.clients.name, len(one.clients)) for one in found] == [
        ("month-01-may", 3),
        ("month-02-jun", 2),
    ]
    assert [one.clients.name for one in again] == ["month-01-may", "month-02-jun", "month-03-may"]


def test_a_month_is_dropped_as_the_file_had_it_and_its_list_with_a_key() -> None:
    month = made_months((3, 2))[1]
    rows = list(csv.reader(io.StringIO(month.csv().decode()), delimiter=";"))
    listed = list(csv.DictReader(io.StringIO(month.clients.csv().decode()), delimiter=";"))
    whole = list(csv.reader(io.StringIO(made((3, 2)).decode()), delimiter=";"))
    assert rows == [HEADER.split(";"), *whole[4:6]]
    assert [row["client"] for row in listed] == ["0", "1"]
    assert [row["age"] for row in listed] == [row[0] for row in whole[4:6]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age;job\n1;a\n", "lacks 'marital'"),
        (made((2,)).decode() + "1;2\r\n", "Line 4 of the history has 2 values, its header 21"),
        (made((1,)).decode().replace(";no\r\n", ";maybe\r\n").replace(";yes\r\n", ";maybe\r\n"),
         "Line 2 of the history: y is 'maybe', not one of no, yes"),
    ],
)  # fmt: skip
def test_a_history_that_cannot_be_read_is_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(StackError, match=message):
        history.months(text.encode(), contract())


def test_a_file_of_ones_own_may_be_packed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "mine.csv", tmp_path / "mine.csv.gz"
    plain.write_bytes(made())
    packed.write_bytes(gzip.compress(made()))
    assert source.find(plain) == (made(), "mine.csv")
    assert source.find(packed) == (made(), "mine.csv.gz")
    with pytest.raises(StackError, match="cannot be read"):
        source.find(tmp_path / "none.csv")


def _archive(inner: bytes) -> bytes:
    data = inner
    for member in reversed(source.ARCHIVE_MEMBER):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(member, data)
        data = out.getvalue()
    return data


def test_the_archive_is_taken_apart_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "archive.zip"
    file.write_bytes(_archive(made()))
    answers = sum(month.answers.sum() for month in made_months())
    monkeypatch.setattr(source, "ROWS", sum(len(month.rows) for month in made_months()))
    monkeypatch.setattr(source, "DEPOSITS", int(answers))
    monkeypatch.setattr(source, "ARCHIVE", file.as_uri())
    monkeypatch.setattr(source, "CACHE", tmp_path / "cache" / "history.csv")
    assert source.find(None)[0] == made()
    file.unlink()
    assert source.find(None)[0] == made(), "the second time it comes from the cache"


def test_other_rows_from_the_archive_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "archive.zip"
    file.write_bytes(_archive(made()))
    monkeypatch.setattr(source, "ARCHIVE", file.as_uri())
    monkeypatch.setattr(source, "CACHE", tmp_path / "history.csv")
    with pytest.raises(StackError, match="41,188 and 4,640 are known"):
        source.find(None)
    assert not source.CACHE.exists()


def test_without_a_way_to_the_archive_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "ARCHIVE", (tmp_path / "none.zip").as_uri())
    monkeypatch.setattr(source, "CACHE", tmp_path / "history.csv")
    with pytest.raises(
        StackError, match=r"fetch bank-additional/bank-additional-full\.csv elsewhere .* --data FILE"
    ):
        source.find(None)
