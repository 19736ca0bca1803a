"""What the commands show of the API: tables for people, JSON for programs, exit codes for scripts."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from browser import bank
from browser.fake_app import FakeApp

from commands import catalog, status, watch
from commands.client import states, status_api, tables
from commands.stack import processes
from commands.stack.state import Stack
from functions.http.views.schemas import NEEDS_PERSON
from shared.kinds import BY_NAME, KINDS

Run = Callable[..., tuple[int, str, str]]
Asked = Callable[..., Any]

SHOWN = {
    ("status",): ["model 7 (campanha-bank-additional/model-7)", "leads-from-crm.csv", "6 waiting for a person:",
                  "1  ./dev failures --only dead-lettered", "file-late",
                  "Open alerts of severity page: 2 (./dev alerts --only raised)"],
    ("status", "--flow"): ["admit_upload", "1,204"],
    ("trace", "incoming/calls-2026-w45.csv"): ["bank-additional:7", "model-7", "to-call-w45.csv", "train: completed"],
    ("trace", "scoring/to-call-w43.csv"): ["bank-additional:4", "calls-2026-w42.csv", "model version: 4"],
    ("uploads",): ["leads-from-crm.csv", "calls-2026-w46.csv"],
    ("uploads", "calls-2026-w45.csv"): ["dataset version", "bank-additional:7"],
    ("datasets",): ["bank-additional:7", "trained"],
    ("datasets", "bank-additional:7"): ["bank-additional:7", "rows"],
    ("runs",): ["bank-additional-v8-a1", "running", "failed"],
    ("runs", "bank-additional-v8-a1"): ["prepare", "train", "running", "notstarted"],
    ("models",): ["bank-additional:7", "0.2817", "-0.0116", "rolled-back"],
    ("models", "bank-additional:7"): ["Figures, on the same held-out rows", "euribor3m", "shifted"],
    ("batches",): ["to-call-november.csv", "62%", "scoring"],
    ("batches", "to-call-november-csv-6f2c0a51"): ["29.4 MB", "model-7"],
    ("batches", "to-call-november-csv-6f2c0a51", "--rows", "3"): ["probability", "decision"],
    ("quarantine",): ["leads-from-crm.csv", "held"],
    ("quarantine", "leads-from-crm.csv"): ["age: not an integer", "41 years", "write digits only", "--readmit"],
    ("failures",): ["dead-lettered", "quota"],
    ("events",): ["UploadRejected", "QuarantineHeld", "leads-from-crm.csv", "calls-2026-w46.csv"],
    ("predict", "--fields"): ["euribor3m", "number", "blue-collar"],
}  # fmt: skip


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_people_read_tables(run: Run, arguments: tuple[str, ...]) -> None:
    _, out, err = run(*arguments)
    for text in SHOWN[arguments]:
        assert text in out
    assert err == ""


def test_a_models_card_is_printed_as_it_is(run: Run, app: FakeApp) -> None:
    code, out, _ = run("models", "bank-additional:7", "--card")
    assert (code, json.loads(out)) == (0, bank.card(app.record("models", "bank-additional:7")))


def test_columns_are_called_what_people_call_them(run: Run) -> None:
    out = run("status", "--flow")[1]
    for heading in ("rejected rows", "dataset version", "waiting uploads", "done count", "last modified"):
        assert heading in out
    assert not re.search(r"[a-z](At|Count|Rows|Uploads)\b", out)
    assert "serving model then" in run("models", "bank-additional:7")[1]


def test_a_name_made_of_markup_is_only_text(run: Run, app: FakeApp) -> None:
    app.record("uploads", "branch-faro.csv")["name"] = "[bold red]x[/] [link=https://evil.example]y.csv"
    assert "[bold red]x[/]" in run("status")[1]


def test_programs_read_what_the_app_said(asked: Asked, app: FakeApp) -> None:
    assert asked("status")["stateCounts"] == app.status()["stateCounts"]
    assert asked("runs", "bank-v1-a1") == app.record("runs", "bank-v1-a1")
    assert asked("models", "bank-additional:7") == app.record("models", "bank-additional:7")
    assert asked("trace", "to-call-w45.csv")["batch"]["name"] == "to-call-w45.csv"
    assert asked("quarantine", "leads-from-crm.csv")["hasMore"] is True
    for name in ("runs", "models", "batches", "quarantine", "events"):
        assert asked(name, "--most", "3")["value"] == app.collections[name][:3]


@pytest.mark.parametrize(("state", "code"), [("joined", 0), ("refused", 1), ("arrived", 0)])
def test_what_calls_brought_is_traced_back_to_the_batch(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    batch = app.lineage("scoring/to-call-w43.csv")["batch"]
    outcome = {
        "kind": "outcome", "id": "called-csv-4b7d21c9", "name": f"{batch['id']}/called.csv", "state": state,
        "blankRows": 40, "lastModifiedAt": batch["lastModifiedAt"],
    }  # fmt: skip
    monkeypatch.setattr(app, "lineage", lambda key: {"key": key, "outcome": outcome, "batch": batch})
    found, out, _ = run("trace", f"outcomes/{batch['id']}/called.csv")
    assert found == code
    (line,) = [line for line in out.splitlines() if line.startswith("Outcome ")]
    assert "called.csv" in line
    assert state in line
    assert "blank rows: 40" in out
    assert "to-call-w43.csv" in out


@pytest.fixture
def called(app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Four batches that have outcomes, all of one model, and before them in the list three pages that have none."""
    monkeypatch.setattr(status_api, "PAGE", 2)
    one = next(batch for batch in app.collections["batches"] if "outcomes" in batch)
    old = [{**one, "id": f"old-{number}"} for number in range(4)]
    new = {name: value for name, value in one.items() if name != "outcomes"}
    app.collections["batches"] = [*({**new, "id": f"new-{number}"} for number in range(6)), *old]
    return old


def test_outcomes_are_found_however_many_newer_batches_have_none(
    run: Run, asked: Asked, app: FakeApp, called: list[dict[str, Any]]
) -> None:
    assert asked("outcomes")["value"] == called
    out = run("outcomes")[1]
    assert all(f"old-{number}" in out for number in range(4))
    assert "new-0" not in out


def test_a_models_outcomes_are_summed_over_all_its_batches_however_few_are_listed(
    run: Run, asked: Asked, called: list[dict[str, Any]]
) -> None:
    assert asked("outcomes", "--most", "2")["value"] == called[:2]
    out = run("outcomes", "--most", "2")[1]
    assert "old-2" not in out
    (line,) = [line for line in out.splitlines() if "all 4" in line]
    assert f"{4 * called[0]['outcomes']['realised']['rows']:,}" in line


def test_on_a_narrow_screen_what_matters_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run("models")[1] + run("batches")[1] + run("status")[1]
    assert max(map(len, out.splitlines())) <= 80
    for text in ("bank-additional:7", "rolled-back", "to-call-november.csv", "scoring"):
        assert text in out


@pytest.mark.parametrize(("seconds", "ago", "long"), [
    (1, "just now", "1.0 s"), (42, "42 s ago", "42 s"), (200, "3 min ago", "3 min 20 s"), (7500, "2 h ago", "2 h 5 min"),
    (273_600, "3 d ago", "3 d 4 h"), (3600, "1 h ago", "1 h"),
])  # fmt: skip
def test_times_are_short(seconds: int, ago: str, long: str) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert tables.ago((now - timedelta(seconds=seconds)).isoformat(), now) == ago
    assert tables.duration(seconds) == long


def test_lists_go_over_pages(asked: Asked, app: FakeApp) -> None:
    first = app.collections["runs"][0]
    app.collections["runs"] = [{**first, "id": f"run-{number}"} for number in range(450)]
    found = asked("runs", "--most", "430")["value"]
    assert [run["id"] for run in found] == [f"run-{number}" for number in range(430)]
    assert sum(path.startswith("/api/runs") for _, path in app.asked) == 3


def test_lists_are_filtered_by_the_app(asked: Asked) -> None:
    assert {run["state"] for run in asked("runs", "--only", "refused")["value"]} == {"refused"}
    assert asked("batches", "--dataset", "bank")["value"] == []


EXITS = {
    ("status",): 0,
    ("status", "--check"): 1,
    ("runs", "bank-additional-v7-a1"): 0,
    ("runs", "bank-v1-a1"): 1,
    ("runs", "nothing"): 1,
    ("batches", "old-export-csv-77aa10de"): 1,
    ("trace", "calls-2026-w45.csv"): 0,
    ("trace", "leads-from-crm.csv"): 1,
    ("trace", "nobody.csv"): 1,
    ("models", "bank-additional:5"): 1,
    ("models", "bank-additional:3"): 0,
}


@pytest.mark.parametrize("arguments", EXITS, ids=" ".join)
def test_scripts_read_the_exit_code(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == EXITS[arguments]


def test_a_monitor_hears_of_an_alert_that_needs_somebody_now_and_not_of_one_that_has_time(
    run: Run, app: FakeApp
) -> None:
    for kind, state in NEEDS_PERSON:
        records = app.collections[BY_NAME[kind].plural]
        records[:] = [record for record in records if record["state"] != state]
    assert run("status", "--check")[0] == 1
    for alert in app.collections["alerts"]:
        alert["severity"] = "ticket"
    assert run("status", "--check")[0] == 0


def test_nobody_there_is_3(run: Run, free_port: Callable[[], int], app: FakeApp) -> None:
    code, out, err = run("status", url=f"http://127.0.0.1:{free_port()}")
    assert (code, out) == (3, "")
    assert "does not answer: Connection refused" in err
    app.down = True
    code, _, err = run("status")
    assert code == 3
    assert "The ledger does not answer." in err


def test_a_wrong_key_is_said(run: Run) -> None:
    code, _, err = run("status", key="old")
    assert code == 1
    assert "does not admit this key" in err


def test_a_page_that_is_no_api_is_said(run: Run, app: FakeApp) -> None:
    code, _, err = run("status", url=f"{app.url}/dashboard/public/signin.html?")
    assert code == 3
    assert "is no status API" in err


@pytest.mark.parametrize(
    "name",
    [
        "status",
        "watch",
        "trace",
        "runs",
        "models",
        "batches",
        "quarantine",
        "events",
        "audit",
        "predict",
        "logs",
        "docs",
    ],
)
def test_help_says_what_it_is_for_and_what_the_codes_mean(
    run: Run, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(name, "--help")
    assert ended.value.code == 0
    assert "exit codes: 0 fine" in capsys.readouterr().out
    assert name in catalog.COMMANDS


def test_the_record_of_who_asked_for_what_is_held_against_itself(run: Run, app: FakeApp) -> None:
    code, out, _ = run("audit", key="an-admin")
    assert code == 0
    for text in ("roll back bank-additional", "calls per sale doubled", "session:admin:07aa"):
        assert text in out
    assert run("audit", "--verify", key="an-admin")[:2] == (
        0,
        "All 5 entries are as they were written, and none is missing between them.\n",
    )
    app.collections["audit"][1]["caller"] = "nobody"
    code, out, _ = run("audit", "--verify", "--json", key="an-admin")
    assert (code, json.loads(out)) == (1, {"entries": 5, "brokenAt": 3})
    assert "Entry 3 is not what was written" in run("audit", "--verify", key="an-admin")[1]


def test_an_operator_does_not_read_the_record(run: Run) -> None:
    code, _, err = run("audit")
    assert code == 1
    assert "This takes the admin scope; the credential has operator." in err


USAGE = [
    ("runs", "--wait"), ("models", "bank"), ("models", "--promote"), ("models", "bank:1", "--promote"),
    ("models", "--card"), ("uploads", "--withdraw", "--reason", "r"), ("uploads", "x.csv", "--withdraw"),
    ("datasets", "bank:3", "--trust"), ("datasets", "bank"),
    ("batches", "--rows", "3"), ("quarantine", "--retry"), ("quarantine", "x.csv", "--readmit"), ("predict",), ("trace",),
    ("predict", "x.csv", "--fields"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage_is_2(run: Run, arguments: tuple[str, ...], app: FakeApp) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2
    assert app.asked == []


def test_a_stack_is_found_by_its_folder(
    app: FakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status.main(["--state", str(tmp_path)]) == 3
    assert "`./dev up` starts the embedded Azure" in capsys.readouterr().err
    one = Stack(tmp_path)
    one.prepare()
    kept = json.loads((tmp_path / "stack.json").read_text())
    kept["ports"]["host"] = int(app.url.rpartition(":")[2])
    kept["keys"] = {"reader": "a-reader", "operator": "an-operator", "admin": "an-admin"}
    (tmp_path / "stack.json").write_text(json.dumps(kept))
    monkeypatch.setattr(Stack, "process", lambda self, name: processes.Process(pid=1, born="1"))
    assert status.main(["--state", str(tmp_path)]) == 0
    assert "Running" in capsys.readouterr().out
    monkeypatch.setenv("CAMPANHA_STATE", str(tmp_path))
    monkeypatch.setenv("CAMPANHA_URL", app.url)
    assert status.main([]) == 0
    assert "Running" in capsys.readouterr().out


def test_the_environment_names_a_deployed_app(
    app: FakeApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAMPANHA_URL", app.url)
    assert status.main([]) == 1
    assert "set CAMPANHA_KEY" in capsys.readouterr().err
    with monkeypatch.context() as signed_in:
        signed_in.setenv("CAMPANHA_API_AUDIENCE", "00000000-0000-0000-0000-00000000000a")
        asked: list[str] = []
        token = SimpleNamespace(token="a-reader")
        credential = SimpleNamespace(get_token=lambda scope: asked.append(scope) or token)
        signed_in.setattr("shared.adapters.sign_in.credential", lambda: credential)
        assert status.main([]) == 0
        assert asked == ["00000000-0000-0000-0000-00000000000a/.default"]
    monkeypatch.setenv("CAMPANHA_TOKEN", "a-reader")
    assert status.main([]) == 0
    monkeypatch.setenv("CAMPANHA_KEY", "an-operator")
    assert status.main([]) == 0
    monkeypatch.setenv("CAMPANHA_KEY", "old")
    assert status.main([]) == 1


def test_the_addresses_are_told(run: Run, asked: Asked, app: FakeApp) -> None:
    code, out, _ = run("docs")
    assert code == 0
    assert f"{app.url}/api/docs" in out
    assert "an-operator" not in out
    addresses = {one["name"]: one["url"] for one in asked("docs")["addresses"]}
    assert addresses["swagger of bank-additional"] == f"{app.url}/api/endpoints/bank-additional/swagger"


# --- waiting --------------------------------------------------------------------------------------------------


def _finish(app: FakeApp, until: str, doing: Callable[[FakeApp], object]) -> threading.Thread:
    """Change the data once somebody waits for `until`."""

    def change() -> None:
        with app.changed:
            while not any(path.startswith(until) and "wait=" in path for _, path in app.asked):
                app.changed.wait(0.05)
        app.change(doing)

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    return thread


def test_a_run_is_waited_for(run: Run, app: FakeApp) -> None:
    name = f"{bank.DATASET}-v{bank.TRAINING}-a1"
    changing = _finish(
        app,
        f"/api/runs/{name}",
        lambda it: it.record("runs", name).update(state="failed", reason="out of disk"),
    )
    code, out, _ = run("runs", name, "--wait")
    changing.join(10)
    assert code == 1
    assert "out of disk" in out


def test_batches_are_watched_to_their_end(run: Run, app: FakeApp) -> None:
    def finish(it: FakeApp) -> None:
        for batch in it.collections["batches"]:
            if batch["state"] in ("due", "scoring"):
                batch.update(state="scored", output=f"scored/{batch['id']}/scored.csv")

    changing = _finish(app, "/api/status", finish)
    code, out, _ = run("batches", "--watch")
    changing.join(10)
    assert code == 0
    assert "scored/to-call-november-csv-6f2c0a51/scored.csv" in out
    assert "100%" in out


def test_watch_ends_when_all_is_quiet(run: Run, app: FakeApp) -> None:
    def finish(it: FakeApp) -> None:
        for records in it.collections.values():
            for record in records:
                if record.get("state") in ("arrived", "training", "running", "due", "scoring", "admitted"):
                    record["state"] = {
                        "upload": "registered",
                        "dataset": "trained",
                        "run": "accepted",
                        "batch": "scored",
                    }[record["kind"]]

    changing = _finish(app, "/api/status", finish)
    code, out, _ = run("watch", "--until-quiet")
    changing.join(10)
    assert code == 1  # five things wait for a person
    assert "model 7 answers for bank-additional" in out


def test_whatever_waits_for_a_person_has_a_command_that_shows_it() -> None:
    waiting = {(kind.name, state.name) for kind in KINDS for state in kind.states if state.needs_person}
    assert set(states.SHOWN_WITH) == waiting
    for command in states.SHOWN_WITH.values():
        name, _, state = command.removeprefix("./dev ").split(" ")
        assert name in catalog.COMMANDS
        assert any((kind, state) in waiting for kind in (name.removesuffix("s"), "model", "batch", name))


def test_a_release_that_waits_for_a_person_is_quiet() -> None:
    counts = {"model": {"awaiting-approval": 1}, "deployment": {"creating": 1}}
    assert watch.is_quiet({"stateCounts": counts})
    assert not watch.is_quiet({"stateCounts": {**counts, "model": {"releasing": 1}}})


def test_one_look_shows_all_that_is_under_way(app: FakeApp, capsys: pytest.CaptureFixture[str]) -> None:
    tables.console().print(watch.picture(app.status(), app.collections["events"][:3]))
    out = capsys.readouterr().out
    for text in (
        "scoring to-call-november.csv  62%",
        "2,849 rows/s, about 55 s left",
        "training on bank-additional 8",
        "prepare",
    ):
        assert text in out
