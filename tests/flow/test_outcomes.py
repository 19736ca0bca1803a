"""Outcomes come back: each row's newest answer is joined to its score once, and a line that cannot be used is told."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
from flow.world import POLICY, World, bank_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.facts import ReconcileDue, ScoringDue
from shared.errors import Conflict, Transient
from shared.procedures import batch_outcomes

ROWS = 40


def clients(rows: int = ROWS) -> str:
    """A file of clients, with a key that goes through."""
    lines = [line.rsplit(";", 1)[0] for line in bank_rows(rows).splitlines()]
    keyed = [f"client;{lines[0]}", *(f"C{at:03d};{line}" for at, line in enumerate(lines[1:], 1))]
    return "\n".join(keyed) + "\n"


def scored(world: World, text: str = "") -> str:
    """A released model, and a batch that it scored; the batch's id."""
    world.tell(world.drop("may.csv", bank_rows(50)))
    world.finish_run("bank-v1-a1")
    world.files.write("scoring", "clients.csv", (text or clients()).encode())
    world.tell(ScoringDue(tick="1"))
    return world.ledger.newest("batch")[0].id


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def batch(world: World) -> str:
    return scored(world)


def dropped(world: World, name: str, text: str) -> dict[str, Any]:
    """What became of a file of outcomes."""
    arrived = world.drop_outcomes(name, text)
    world.tell(arrived)
    record = world.ledger.find("outcome", arrived.outcome)
    assert record is not None
    return {"state": record.state, "id": record.id, **record.values}


def known(world: World, batch: str) -> dict[str, Any]:
    record = world.ledger.find("batch", batch)
    assert record is not None
    found: dict[str, Any] = record.values["outcomes"]
    return found


def joined(world: World, batch: str) -> list[dict[str, Any]]:
    container, _, name = known(world, batch)["joined"].partition("/")
    rows: list[dict[str, Any]] = pq.read_table(
        io.BytesIO(world.files.content(container, name) or b"")
    ).to_pylist()
    return rows


def faults(world: World, outcome: str) -> list[tuple[int, str, str]]:
    text = world.files.content("quarantine", f"outcomes/{outcome}/rejects.jsonl") or b""
    return [(one["line"], one["column"], one["value"]) for one in map(json.loads, text.splitlines())]


def test_outcomes_by_the_key_that_came_through(world: World, batch: str) -> None:
    became = dropped(world, f"{batch}/a.csv", "client;y;agent\nC002;yes;7\nC040;no;7\nC007;yes;8\n")
    assert (became["state"], became["rows"], became["rejected_rows"]) == ("joined", 3, 0)
    assert [(row["row"], row["client"], row["deposit"]) for row in joined(world, batch)] == [
        (2, "C002", True),
        (7, "C007", True),
        (40, "C040", False),
    ]
    realised = known(world, batch)["realised"]
    assert (realised["rows"], realised["deposits"], realised["calls"]) == (3, 2, 3)
    assert realised["money"] == 2 * POLICY.deposit_value - 3 * POLICY.call_cost


def test_outcomes_by_the_number_of_the_row_and_the_batch_as_a_column(world: World, batch: str) -> None:
    became = dropped(world, "week.csv", f"batch,row,y,called\n{batch},3,no,yes\n{batch},1,yes,no\n")
    assert became["state"] == "joined"
    assert [(row["client"], row["deposit"], row["called"]) for row in joined(world, batch)] == [
        ("C001", True, False),
        ("C003", False, True),
    ]
    assert known(world, batch)["realised"]["money"] == -POLICY.call_cost


def answered(world: World, batch: str) -> list[str]:
    """The lines of the call list as they are, and an answer: a yes of the first, a no of the others."""
    listed = (world.files.content("scored", f"{batch}/call-list.csv") or b"").decode().splitlines()
    answers = (f"{line};{'yes' if at == 0 else 'no'}" for at, line in enumerate(listed[1:]))
    return [f"{listed[0]};y", *answers]


def test_the_call_list_comes_back_with_answers(world: World, batch: str) -> None:
    lines = answered(world, batch)
    became = dropped(world, f"{batch}/back.csv", "\n".join(lines) + "\n")
    assert (became["state"], became["rejected_rows"], became["rows"]) == ("joined", 0, len(lines) - 1)
    assert known(world, batch)["realised"]["deposits"] == 1


def with_own_columns(**values: str) -> str:
    """A file of clients with columns of its own, of every second client empty."""
    first, *lines = clients().splitlines()
    own = [";".join(values), *(";".join(values.values()), ";" * (len(values) - 1)) * (ROWS // 2)]
    return "".join(f"{more};{line}\n" for more, line in zip(own, [first, *lines], strict=True))


@pytest.mark.parametrize(
    "own", [{"called": "no", "batch": "A7"}, {"called": "2026-03-01"}, {"remark": "ill"}]
)
def test_a_call_list_comes_back_whatever_columns_the_file_of_clients_has_of_its_own(
    world: World, own: dict[str, str]
) -> None:
    batch = scored(world, with_own_columns(**own))
    lines = answered(world, batch)
    became = dropped(world, f"{batch}/back.csv", "\n".join(lines) + "\n")
    assert (became["state"], became["rejected_rows"], became["rows"]) == ("joined", 0, len(lines) - 1)
    assert known(world, batch)["realised"]["calls"] == len(lines) - 1


def test_what_a_batchs_own_column_says_of_another_row_is_told(world: World) -> None:
    batch = scored(world, with_own_columns(called="no"))
    became = dropped(world, f"{batch}/a.csv", "client;called;y\nC001;no;yes\nC003;yes;yes\n;;no\n")
    assert (became["rows"], known(world, batch)["realised"]["calls"]) == (1, 1)
    assert faults(world, became["id"]) == [(3, "called, client", "yes, C003"), (4, "called", "")]


def test_a_file_whose_own_batches_are_none_of_ours_is_to_lie_in_a_folder(world: World) -> None:
    batch = scored(world, with_own_columns(batch="A7"))
    became = dropped(world, "back.csv", "\n".join(answered(world, batch)) + "\n")
    assert became["state"] == "refused"
    assert "drop the file as outcomes/BATCH/back.csv" in became["reason"]


def test_a_number_and_a_key_have_to_agree(world: World, batch: str) -> None:
    became = dropped(world, f"{batch}/a.csv", "row;client;y\n2;C002;yes\n3;C004;yes\n")
    assert (became["rows"], became["rejected_rows"]) == (1, 1)
    assert faults(world, became["id"]) == [(3, "row, client", "3, C004")]


def test_lines_that_cannot_be_used_are_told_and_cost_no_other(world: World, batch: str) -> None:
    lines = ["C001;yes", "C999;yes", "C002;perhaps", "C003;", ";no", "C004;no;extra", "C005;no"]
    became = dropped(world, f"{batch}/a.csv", "\n".join(["client;y", *lines]) + "\n")
    assert (became["rows"], became["rejected_rows"], became["blank_rows"]) == (2, 4, 1)
    told = faults(world, became["id"])
    assert [one[:2] for one in told] == [(3, "client"), (4, "y"), (6, "client"), (7, "")]
    assert [one[2] for one in told[:3]] == ["C999", "perhaps", ""]


def test_a_key_of_two_rows_is_of_none(world: World) -> None:
    batch = scored(world, clients().replace("C005;", "C006;"))
    became = dropped(world, f"{batch}/a.csv", "client;y\nC006;yes\nC007;no\n")
    assert (became["rows"], faults(world, became["id"])) == (1, [(2, "client", "C006")])


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.csv", "row;y\n1;yes\n", "nothing says of which batch"),
        ("other/a.csv", "row;y\n1;yes\n", "there is no batch 'other'"),
        ("{batch}/a.csv", "row;z\n1;yes\n", "has no column 'y'"),
        ("{batch}/a.csv", "z;y\n1;yes\n", "names no row"),
        ("{batch}/a.csv", "row;y;y\n1;yes;no\n", "more than once"),
        ("{batch}/a.csv", "row;y\n0;yes\n", "none of its 1 lines can be used; the first: line 2, column row"),
        ("{batch}/a.csv", "row;y\n1;\n", "no line says what came of a call"),
        ("{batch}/a.csv", "", "the file is empty"),
        ("{batch}/a.csv", "PK\x03\x04", "zip"),
    ],
)
def test_a_file_of_no_use_is_refused_with_the_reason(
    world: World, batch: str, name: str, text: str, reason: str
) -> None:
    became = dropped(world, name.format(batch=batch), text)
    assert became["state"] == "refused"
    assert reason in became["reason"]
    assert "outcomes" not in world.ledger.find("batch", batch).values  # type: ignore[union-attr]


def test_the_newest_answer_counts_and_is_counted(world: World, batch: str) -> None:
    dropped(world, f"{batch}/a.csv", "row;y\n1;no\n2;no\n2;yes\n")
    world.pass_time(60)
    dropped(world, f"{batch}/b.csv", "row;y\n1;yes\n3;no\n")
    assert [(row["row"], row["deposit"]) for row in joined(world, batch)] == [
        (1, True),
        (2, True),
        (3, False),
    ]
    assert (known(world, batch)["files"], known(world, batch)["corrected_rows"]) == (2, 1)


@pytest.mark.parametrize(("first", "newer"), [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_files_that_are_handled_in_another_order_come_to_the_same(
    world: World, batch: str, first: str, newer: str
) -> None:
    """Whatever they are called."""
    older = world.drop_outcomes(f"{batch}/{first}", "row;y\n1;no\n")
    world.pass_time(60)
    world.tell(world.drop_outcomes(f"{batch}/{newer}", "row;y\n1;yes\n"), older)
    assert [(row["row"], row["deposit"]) for row in joined(world, batch)] == [(1, True)]


def test_a_file_dropped_again_replaces_its_older_version(world: World, batch: str) -> None:
    dropped(world, f"{batch}/a.csv", "row;y\n1;no\n2;no\n")
    world.pass_time(60)
    dropped(world, f"{batch}/a.csv", "row;y\n1;yes\n")
    assert [(row["row"], row["deposit"]) for row in joined(world, batch)] == [(1, True)]
    assert known(world, batch)["files"] == 1


def test_the_same_file_is_joined_once(world: World, batch: str) -> None:
    arrived = world.drop_outcomes(f"{batch}/a.csv", "row;y\n1;no\n")
    world.tell(arrived, arrived)
    world.tell(ReconcileDue(tick="late"))
    assert (known(world, batch)["files"], known(world, batch)["rows"]) == (1, 1)


def test_a_lost_event_is_found_by_reconciliation(world: World, batch: str) -> None:
    world.drop_outcomes(f"{batch}/a.csv", "row;y\n1;no\n")
    world.pass_time(120)
    world.tell(ReconcileDue(tick="1"))
    assert known(world, batch)["rows"] == 1


def test_a_file_that_comes_meanwhile_is_in_the_figures(
    world: World, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker joins its file while this one adds up: the figures are those of both."""
    other = world.drop_outcomes(f"{batch}/b.csv", "row;y\n2;no\n")
    figures, busy = batch_outcomes._figures, [True]

    def slow(*args: Any) -> Any:
        if busy.pop() if busy else False:
            world.tell(other)
        return figures(*args)

    monkeypatch.setattr(batch_outcomes, "_figures", slow)
    dropped(world, f"{batch}/a.csv", "row;y\n1;yes\n")
    assert (known(world, batch)["files"], known(world, batch)["rows"]) == (2, 2)


def test_outcomes_of_a_duplicate_are_sent_to_the_first(world: World, batch: str) -> None:
    world.files.write("scoring", "again.csv", clients().encode())
    world.tell(ScoringDue(tick="2"))
    again = next(one.id for one in world.ledger.newest("batch") if one.id != batch)
    assert batch in dropped(world, f"{again}/a.csv", "row;y\n1;no\n")["reason"]


def test_rows_without_a_score_are_joined_and_not_judged(world: World) -> None:
    batch = scored(world, clients().replace(";technician;", ";astronaut;", 1))
    dropped(world, f"{batch}/a.csv", "row;y\n1;yes\n2;no\n")
    assert (known(world, batch)["rows"], known(world, batch)["realised"]["rows"]) == (2, 1)


def test_the_control_group_is_told_apart(world: World) -> None:
    world.policy = replace(POLICY, control_share=0.3)
    batch = scored(world)
    dropped(world, f"{batch}/a.csv", "row;y\n" + "".join(f"{row};yes\n" for row in range(1, ROWS + 1)))
    record = json.loads(world.files.content("scored", f"{batch}/manifest.json") or b"")
    assert record["control"]["share"] == 0.3
    assert known(world, batch)["control"]["rows"] == record["control"]["rows"] > 0


class Dying:
    """Files whose every write may be the last thing a worker does."""

    def __init__(self, files: Any, at: int) -> None:
        self._files, self._left = files, at

    def write(self, *args: Any) -> None:
        self._files.write(*args)
        self._left -= 1
        if self._left == 0:
            raise Transient("the worker died after this write")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


@pytest.mark.parametrize("at", range(1, 5))
def test_a_worker_that_dies_after_any_write_loses_nothing(world: World, batch: str, at: int) -> None:
    text = "row;y\n1;yes\n99;no\n"
    whole = World()
    dropped(whole, f"{scored(whole)}/a.csv", text)
    arrived, files = world.drop_outcomes(f"{batch}/a.csv", text), world.files
    world.files = Dying(files, at)  # type: ignore[assignment]
    try:
        world.tell(arrived)
    except (Transient, Conflict):
        world.files = files
        world.pass_time(POLICY.claim_seconds + 1)
        world.tell(ReconcileDue(tick="1"))
    world.files = files
    assert known(world, batch) == known(whole, batch)


Answers = st.lists(
    st.tuples(st.integers(min_value=-2, max_value=ROWS + 3), st.booleans()), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(files=st.lists(Answers, min_size=1, max_size=4), by_key=st.booleans())
def test_each_row_is_joined_once_with_its_newest_answer(
    files: list[list[tuple[int, bool]]], by_key: bool
) -> None:
    world = World()
    batch = scored(world)
    newest: dict[int, bool] = {}
    for at, answers in enumerate(files):
        column, said = ("client", "C{:03d}") if by_key else ("row", "{}")
        lines = [f"{said.format(row)};{'yes' if answer else 'no'}" for row, answer in answers]
        world.tell(world.drop_outcomes(f"{batch}/{at}.csv", "\n".join([f"{column};y", *lines]) + "\n"))
        newest |= {row: answer for row, answer in answers if 1 <= row <= ROWS}
        world.pass_time(60)
    found = joined(world, batch) if newest else []
    assert [(row["row"], row["deposit"]) for row in found] == sorted(newest.items())
    if newest:
        realised = known(world, batch)["realised"]
        assert (realised["rows"], realised["deposits"]) == (len(newest), sum(newest.values()))
