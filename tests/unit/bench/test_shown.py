"""What `./dev bench NAME` prints of a measurement: the figures and the goals for people, the very file for programs."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench.goals import goals_table, machine_line
from commands import bench

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]
Capsys = pytest.CaptureFixture[str]


def recorded(name: str) -> Json:
    """What was measured last: the shape that `show` is given."""
    file = ROOT / "bench" / "results" / f"{name}.json"
    if not file.exists():
        pytest.skip(f"nothing is recorded yet: ./dev bench {name}")
    found: Json = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.fixture(params=bench.MEASURES)
def measure(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[str, ModuleType, Json]:
    """A measure that has just measured what was measured last, in a checkout of its own."""
    name: str = request.param
    module = importlib.import_module(f"bench.{name}")
    results = recorded(name)
    monkeypatch.setattr(module, "run", lambda given: results)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "200")
    return name, module, results


def test_people_see_every_goal_with_its_figure_and_whether_it_is_met(
    measure: tuple[str, ModuleType, Json], capsys: Capsys
) -> None:
    name, _, results = measure
    assert bench.main([name]) == 0
    said = capsys.readouterr().out
    for goal in results["goals"]:
        (line,) = [line for line in said.splitlines() if goal["goal"] in line]
        assert {True: " met ", False: " missed ", None: " not measured here "}[goal["met"]] in line
        if goal["measured"] is not None:
            assert f" {goal['measured']:,g} " in line
    assert f"Written to bench/results/{name}.json." in said


def test_programs_read_what_is_written(
    measure: tuple[str, ModuleType, Json], capsys: Capsys, tmp_path: Path
) -> None:
    name, _, results = measure
    assert bench.main([name, "--json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said) == results
    assert (tmp_path / "bench" / "results" / f"{name}.json").read_text(encoding="utf-8") == said


@pytest.mark.parametrize("name", bench.MEASURES)
def test_a_measure_explains_itself_and_its_options(name: str, capsys: Capsys) -> None:
    module = importlib.import_module(f"bench.{name}")
    with pytest.raises(SystemExit) as ended:
        bench.main([name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: ./dev bench {name} ")
    assert str(module.__doc__).split()[0] in said
    assert "--json" in said


def test_another_size_is_another_file(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys, tmp_path: Path
) -> None:
    from bench import scoring

    monkeypatch.setattr(scoring, "run", lambda given: recorded("scoring-10000000"))
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert bench.main(["scoring", "--rows", "10000000"]) == 0
    assert "10,000,000 clients, drop to sealed output" in " ".join(capsys.readouterr().out.split())
    assert [file.name for file in tmp_path.rglob("*.json")] == ["scoring-10000000.json"]


def test_without_a_name_the_measures_are_listed(capsys: Capsys) -> None:
    assert bench.main([]) == 0
    said = capsys.readouterr()
    assert f"{{{','.join(bench.MEASURES)}}}" in said.out
    assert said.err == ""
    assert bench.main(["speed"]) == 2
    assert capsys.readouterr().err == "There is no measure 'speed'.\n"


# --- figures of each --------------------------------------------------------------------------------------------


def shown(name: str, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> tuple[Json, str]:
    monkeypatch.setenv("COLUMNS", "200")
    results = recorded(name)
    importlib.import_module(f"bench.{name}").show(results)
    return results, capsys.readouterr().out


def row(text: str, label: str) -> list[str]:
    """The cells of the table's row with this label."""
    (line,) = re.findall(rf"^│ {re.escape(label)} +│(.*)│$", text, re.MULTILINE)
    return [cell.strip() for cell in line.split("│")]


def test_latency_stands_beside_the_bare_poller(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    results, said = shown("latency", capsys, monkeypatch)
    bare = f"bare poller, {results['how']['barePollMs']} ms"
    for label, name in (("this app", "appMs"), (bare, "barePollerMs")):
        assert row(said, label) == [f"{results[name][key]:.0f}" for key in ("min", "median", "p95", "max")]
    assert f"{results['how']['uploads']} uploads; the first after the start took" in said


def test_status_tells_calls_and_rows_of_both_ledgers(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    results, said = shown("status", capsys, monkeypatch)
    assert f"with 1,000 ledger entries and with {results['many']['entries']:,}" in said
    for what, answer in results["few"]["answers"].items():
        assert row(said, what) == [str(answer[key]) for key in ("calls", "rowsRead", "medianMs", "p95Ms")]


def test_scoring_stands_beside_the_limit_and_the_usual_client(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, said = shown("scoring", capsys, monkeypatch)
    for label, name in (("Campanha", "ours"), ("the limit", "limit"), ("the usual client", "usualClient")):
        rate, seconds = row(said, label)
        assert rate == f"{results[name]['rowsPerSecond']:,}"
        assert seconds == ", ".join(f"{each:.1f}" for each in results[name]["seconds"])
    assert f"host {results['peakMib']['host']:.0f}" in said


def test_the_endpoint_stands_beside_every_rival(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    results, said = shown("endpoint", capsys, monkeypatch)
    for name, figures in results["contestants"].items():
        for case, one in figures.items():
            (line,) = re.findall(rf"^│ {re.escape(name)} +│ {re.escape(case)} +│(.*)│$", said, re.MULTILINE)
            assert line.split("│")[0].strip() == f"{one['p50Ms']:.3f}"
            assert line.split("│")[-1].strip() == f"{one['rowsPerSecond']:,}"
    assert f"{results['how']['trees']} trees" in said


def test_pollers_tell_how_each_was_answered(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    results, said = shown("pollers", capsys, monkeypatch)
    assert f"{results['answers']['304']:,} x 304" in said
    assert f"median {results['milliseconds']['median']} ms" in said


def test_the_embedded_parts_tell_their_starts_and_calls(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, said = shown("embedded", capsys, monkeypatch)
    starts, calls = said.split("One call")
    for text, figures in ((starts, results["readySeconds"]), (calls, results["calls"])):
        for label, found in figures.items():
            assert row(text, label) == [str(figure) for figure in found.values()]


def test_a_goal_without_a_number_is_not_measured(capsys: Capsys) -> None:
    from rich.console import Console

    results = {"goals": [{"goal": "memory", "measured": None, "met": None}]}
    Console(width=80).print(goals_table(results))
    assert row(capsys.readouterr().out, "memory") == ["-", "not measured here"]


def test_the_machine_is_told_with_what_else_ran_on_it() -> None:
    machine = {
        "cores": 2,
        "python": "3.12.1",
        "platform": "Linux 6 x86_64",
        "loadBefore": [0.5],
        "loadAfter": [1.0],
    }
    assert (
        machine_line({"machine": machine}) == "2 cores, Python 3.12.1, Linux 6 x86_64, load [0.5] -> [1.0]."
    )
