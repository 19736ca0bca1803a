"""`./dev replay`: what it prints and writes, its picture, and what becomes of its stack when it ends or is killed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from unit.commands.made_history import made, made_months
from unit.commands.test_live_flow import Bank

from commands import publish, replay
from commands.backtest import history, lightgbm_policies, live_flow, picture, report, results
from commands.backtest.live_flow import LiveFlow
from commands.backtest.results import FLOW
from commands.backtest.walk import walk
from commands.stack import supervisor
from commands.stack.errors import StackError

Json = dict[str, Any]
Capsys = pytest.CaptureFixture[str]
SIZES = (60, 50, 7, 40, 55, 30, 20, 25, 30, 40, 12, 9)


@pytest.fixture(autouse=True)
def _small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightgbm_policies, "TREES", 5)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "mine.csv"
    file.write_bytes(made(SIZES))
    return file


def found(refuses: tuple[int, ...] = (3, 11)) -> Json:
    """The results of a replay in which these months' models were refused."""
    months = made_months(SIZES)
    flow = LiveFlow(Bank(refuses), FLOW)
    rules = history.contract()
    others = [
        lightgbm_policies.Retrained(results.ONCE, rules.features, months=9),
        lightgbm_policies.Retrained(results.RETRAINED, rules.features),
    ]
    about = {"source": "made up", "sha256": "0" * 64, "rows": sum(SIZES), "seconds": 61}
    return {**about, **results.of(list(walk(months, [*others, flow])))}


def test_the_policies_alone_need_no_stack(data: Path, tmp_path: Path, capsys: Capsys) -> None:
    file = tmp_path / "deep" / "found.json"
    assert replay.main(["--data", str(data), "--policies-only", "--json", "--results", str(file)]) == 0
    said = capsys.readouterr()
    written = json.loads(file.read_text())
    assert json.loads(said.out) == written
    assert [month["clients"] for month in written["months"]] == list(SIZES)
    assert list(written["late"]) == ["everybody", "nobody", "once", "retrained", "oracle"]
    assert written["late"]["retrained"]["months"] == 3
    assert written["goals"] == []
    assert re.search(r"month 12 of 12  jun +9 clients  log loss 0\.\d{4}   0:00 min left", said.err)
    ElementTree.parse(file.with_suffix(".svg"))  # noqa: S314  (we drew it)


def test_by_default_the_policies_alone_write_nothing(data: Path, capsys: Capsys) -> None:
    before = replay.RESULTS.read_bytes() if replay.RESULTS.exists() else None
    assert replay.main(["--data", str(data), "--policies-only"]) == 0
    assert "Nothing written" in capsys.readouterr().out
    assert before == (replay.RESULTS.read_bytes() if replay.RESULTS.exists() else None)


def test_everybody_nobody_and_the_oracle_are_what_the_answers_give() -> None:
    late = found()["late"]
    answers = np.concatenate([month.answers for month in made_months(SIZES)[9:]])
    clients, deposits = len(answers), answers.sum()
    assert late["everybody"]["profit10"] == deposits * 80 - clients * 10
    assert late["everybody"]["auc"] == 0.5
    assert "logLoss" not in late["everybody"]
    assert (late["nobody"]["calls20"], late["nobody"]["profit20"]) == (0, 0)
    assert late["oracle"]["profit20"] == deposits * 60
    assert late["oracle"]["auc"] == 1


def test_goals_are_judged_by_what_the_flow_said_in_the_months_compared() -> None:
    goals = {goal["goal"]: goal for goal in found()["goals"]}
    assert len(goals) == len(results.GOALS)
    assert goals["mean AUC at least 0.680"] == {
        "goal": "mean AUC at least 0.680", "measured": 0.5, "met": False,
    }  # fmt: skip
    by = results.Goal(figure="logLoss", words="", bound=0.6, at_most=True)
    assert [by.judged({"logLoss": loss})["met"] for loss in (0.6, 0.61)] == [True, False]
    assert by.judged({}) == {"goal": "", "measured": None, "met": None}


def test_the_table_says_what_answered_and_what_became_of_each_month(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    report.show(found())
    out = capsys.readouterr().out
    assert re.search(r"everybody .* nobody .* once .* retrained .* the flow .* oracle", out)
    assert re.search(r"AUC .* 0\.5000 .* - .* 0\.\d{4} .* 0\.\d{4} .* 0\.5000 .* 1\.0000 ", out)
    assert re.search(r"11 may .* 10 .*model refused", out)
    assert re.search(r"12 jun .* 10 .*model released", out)
    assert "…" not in out
    assert "11 model refused: so be it" in out
    assert "1:01 min" in out


def test_the_picture_has_each_policy_and_marks_what_was_refused_and_where_a_recipe_changed() -> None:
    drawn = found()
    for month in drawn["months"][1:]:
        month["flow"]["answered"]["recipe"] = "b3" if month["number"] > 5 else "plain"
    svg = picture.drawn(drawn)
    ElementTree.fromstring(svg)  # noqa: S314  (we drew it)
    for name in ("everybody", "once", "retrained", "flow"):
        assert f'class="line {name}"' in svg
    assert len(re.findall(r'<circle class="kept"[^>]*><title>', svg)) == 2
    assert "month 11: model refused: so be it" in svg
    assert len(re.findall('<line class="switch"', svg)) == 1 + 1, "one in the chart, one in its legend"
    assert ">b3</text>" in svg
    assert "nan" not in svg


class Parts:
    """In place of the supervisor and the publishing: what was done with which stack."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, bank: Bank) -> None:
        self.done: list[str] = []
        monkeypatch.setattr(supervisor, "up", self._up)
        monkeypatch.setattr(supervisor, "down", lambda stack: self.done.append("down"))
        monkeypatch.setattr(publish, "published", lambda stack, out: self.done.append("published"))
        monkeypatch.setattr(live_flow, "StackApp", lambda stack: bank)

    def _up(self, stack: Any, announce: Any, settings: Any) -> None:
        stack.state.mkdir(parents=True, exist_ok=True)
        self.done.append("up")


@pytest.fixture
def arguments(data: Path, tmp_path: Path) -> list[str]:
    return [
        "--data",
        str(data),
        "--state",
        str(tmp_path / "state"),
        "--results",
        str(tmp_path / "found.json"),
    ]


def test_a_replay_removes_its_stack_at_the_end(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(monkeypatch, Bank())
    assert replay.main(arguments) == 0
    assert parts.done == ["up", "published", "down"]
    assert not (tmp_path / "state" / "replay").exists()
    assert json.loads((tmp_path / "found.json").read_text())["late"]["flow"]["monthsWithModel"] == 3


def test_with_keep_it_leaves_it_running(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(monkeypatch, Bank())
    assert replay.main([*arguments, "--keep"]) == 0
    assert parts.done == ["up", "published"]
    assert (tmp_path / "state" / "replay").exists()


def _killed(after: int) -> tuple[Bank, Callable[[], None]]:
    class Killed(Bank):
        left = after

        def drop(self, container: str, name: str, data: bytes) -> None:
            if not self.left:
                raise SystemExit(143)
            self.left -= 1
            super().drop(container, name, data)

    bank = Killed()
    return bank, lambda: setattr(bank, "left", 1000)


def test_killed_it_stops_its_stack_and_goes_on_from_there(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    bank, lives = _killed(after=7)
    parts = Parts(monkeypatch, bank)
    with pytest.raises(SystemExit):
        replay.main(arguments)
    assert parts.done == ["up", "published", "down"]
    assert "`./dev replay --resume`" in capsys.readouterr().err
    lives()
    assert replay.main([*arguments, "--resume"]) == 0
    assert parts.done[3:] == ["up", "down"], "what was published is there"
    assert len(bank.dropped) == len(set(bank.dropped)) == 12 + 11
    assert not (tmp_path / "state" / "replay").exists()


def test_it_does_not_go_on_with_another_history(
    arguments: list[str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, _ = _killed(after=3)
    Parts(monkeypatch, bank)
    with pytest.raises(StackError, match="holds no interrupted replay of this history"):
        replay.main([*arguments, "--resume"])
    with pytest.raises(SystemExit):
        replay.main(arguments)
    data.write_bytes(made(SIZES, seed=9))
    with pytest.raises(StackError, match="holds no interrupted replay of this history"):
        replay.main([*arguments, "--resume"])


def test_started_anew_it_forgets_what_was_interrupted(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_over = tmp_path / "state" / "replay" / "left-over"
    left_over.mkdir(parents=True)
    (left_over.parent / "stack.json").write_text("{}")
    parts = Parts(monkeypatch, Bank())
    assert replay.main([*arguments, "--keep"]) == 0
    assert parts.done == ["down", "up", "published"]
    assert not left_over.exists()


def test_a_folder_of_somebodys_own_is_not_removed(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "state" / "replay" / "mine.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    parts = Parts(monkeypatch, Bank())
    with pytest.raises(StackError, match="was not made by"):
        replay.main(arguments)
    assert own.exists()
    assert parts.done == []
