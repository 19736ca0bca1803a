"""What the commands ask the app to do, and how they tell its end."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser.fake_app import FakeApp, Problem

from commands import predict
from serving.payload import SHAPES, WHERE

Run = Callable[..., tuple[int, str, str]]

ACTIONS = {
    ("status", "--pause", "a drill"): ("pause", {"reason": "a drill"}),
    ("status", "--resume"): ("resume", {}),
    ("config", "set", "RUNS_PER_DAY=5", "RUN_LEAST_NEW_ROWS=", "--reason", "r", "--version", "2"): (
        "config",
        {"settings": {"RUNS_PER_DAY": 5}, "reset": ["RUN_LEAST_NEW_ROWS"], "reason": "r", "version": 2},
    ),
    ("config", "set", "MOST_UNSCORED_SHARE=0.2", "RELEASE_APPROVAL=required", "--reason", "r"): (
        "config",
        {
            "settings": {"MOST_UNSCORED_SHARE": 0.2, "RELEASE_APPROVAL": "required"},
            "reset": [],
            "reason": "r",
        },
    ),
    ("config", "set", "PAUSED=true", "--reason", "r"): ("pause", {"reason": "r"}),
    ("config", "set", "PAUSED=false", "--reason", "r"): ("resume", {"reason": "r"}),
    ("runs", "--retrain", "bank"): ("datasets/bank/retrain", {}),
    ("experiment", "bank"): ("datasets/bank/experiment", {}),
    ("batches", "--score-now"): ("batches", {}),
    ("models", "bank:3", "--promote", "--reason", "r"): ("models/bank/3/promote", {"reason": "r"}),
    ("approve", "bank:3", "--reason", "r"): ("models/bank/3/approve", {"reason": "r"}),
    ("approve", "bank:3", "--reject", "--reason", "r"): ("models/bank/3/reject", {"reason": "r"}),
    ("rollback", "bank", "--reason", "r"): ("endpoints/bank/rollback", {"reason": "r"}),
    ("uploads", "x.csv", "--withdraw", "--reason", "r"): ("uploads/x.csv/withdraw", {"reason": "r"}),
    ("datasets", "bank:3", "--trust", "--reason", "r"): ("datasets/bank/3/trust", {"reason": "r"}),
    ("failures", "a1b2", "--retry", "--reason", "r"): ("failures/a1b2/retry", {"reason": "r"}),
    ("quarantine", "a b.csv", "--retry"): ("quarantine/a b.csv/retry", {}),
    ("quarantine", "x.csv", "--readmit", "--reason", "r"): ("quarantine/x.csv/readmit", {"reason": "r"}),
    ("quarantine", "x.csv", "--discard", "--reason", "r"): ("quarantine/x.csv/discard", {"reason": "r"}),
}


@pytest.mark.parametrize("arguments", ACTIONS, ids=" ".join)
def test_an_action_is_asked_for_once_and_followed(run: Run, app: FakeApp, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert out.strip()
    ((path, body, key),) = app.posted
    assert (path, body) == ACTIONS[arguments]
    assert len(key) == 32
    assert [operation["status"] for operation in app.operations.values()] == ["Succeeded"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--pause", "a drill"),
        ("config", "set", "PAUSED=true", "--reason", "r"),
        ("status",),
        ("config",),
    ],
    ids=" ".join,
)
def test_what_a_pause_stops_is_said_and_that_files_are_taken_in(
    run: Run, app: FakeApp, arguments: tuple[str, ...]
) -> None:
    app.paused = len(arguments) == 1
    _, out, _ = run(*arguments)
    assert "no run, batch or release is begun; files that come are taken in" in out


def test_which_rows_are_readmitted_is_said(run: Run, app: FakeApp) -> None:
    _, out, _ = run("quarantine", "x.csv", "--readmit", "--reason", "r")
    assert "rejected rows that can be typed join the next dataset version; rules on values are waived" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("set",),
        ("set", "RUNS_PER_DAY=5"),
        ("set", "RUNS_PER_DAY", "--reason", "r"),
        ("set", "PAUSED=perhaps", "--reason", "r"),
        ("set", "PAUSED=true", "RUNS_PER_DAY=5", "--reason", "r"),
        ("show", "RUNS_PER_DAY=5"),
    ],
    ids=" ".join,
)
def test_a_change_of_the_config_that_says_too_little_is_2(
    run: Run, app: FakeApp, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("config", *arguments)
    assert (ended.value.code, app.posted) == (2, [])


def test_what_was_changed_live_is_shown_with_who_and_why(run: Run, app: FakeApp) -> None:
    app.changed_settings = [
        {
            "name": "RUNS_PER_DAY",
            "value": 5,
            "default": 50,
            "changedBy": "key:admin",
            "changedBecause": "month end",
            "changedAt": "2026-11-24T08:05:00.000+00:00",
        }
    ]
    for command in ("config", "status"):
        code, out, _ = run(command)
        assert code == 0
        assert re.search(r"RUNS_PER_DAY +5 +50 +key:admin, \d+ d ago: month", out)


def test_a_reader_is_told_what_it_takes(run: Run, app: FakeApp) -> None:
    code, _, err = run("batches", "--score-now", key="a-reader")
    assert code == 1
    assert "This takes the operator scope" in err
    assert app.posted == []


def test_an_action_that_fails_is_1(run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {
        "status": "Failed",
        "error": {"code": "RunGoing", "message": "A run of this dataset is going already."},
    }
    monkeypatch.setattr(app, "operation", lambda id_: failed)
    code, _, err = run("runs", "--retrain", "bank")
    assert code == 1
    assert "A run of this dataset is going already." in err


def test_an_action_that_takes_long_is_not_waited_for(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "operation", lambda id_: {"status": "Running"})
    monkeypatch.setattr("commands.client.status_api.FOLLOW_SECONDS", 0.0)
    code, out, _ = run("approve", "bank:3", "--reason", "r")
    assert code == 0
    assert "The release of model bank:3 goes on." in out
    assert "not over yet: `./dev watch` shows how it goes on" in out


# --- predict --------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """The records of each request to the model."""
    found: list[list[dict[str, Any]]] = []
    post = app.post

    def kept(path: str, body: dict[str, Any], key: str) -> Any:
        found.append(body["data"])
        return post(path, body, key)

    monkeypatch.setattr(app, "post", kept)
    return found


def test_a_record_by_hand_has_the_models_types(run: Run, sent: list[list[dict[str, Any]]]) -> None:
    code, out, _ = run(
        "predict", "--set", "age=41", "--set", "job=admin.", "--set", "euribor3m=4.857", "--set", "month="
    )
    assert code == 0
    assert "0.41" in out
    assert "call" in out
    (record,) = sent[0]
    assert (record["age"], record["job"], record["euribor3m"], record["month"]) == (41, "admin.", 4.857, None)
    assert record["nr.employed"] is None


def test_a_csv_is_sent_in_pieces(run: Run, sent: list[list[dict[str, Any]]], tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    file.write_text('"age";"job";"note"\n' + '41;"admin.";"x;y"\n' * 1200, encoding="utf-8-sig")
    code, out, _ = run("predict", str(file))
    assert code == 0
    assert [len(records) for records in sent] == [500, 500, 200]
    assert sent[0][0] == {"age": 41, "job": "admin."}
    assert "of 1,200 clients 1,200 are worth a call" in out


def test_reasons_are_asked_for_and_told_in_words(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    post = app.post

    def explained(path: str, body: dict[str, Any], key: str) -> Any:
        asked.append(body)
        status, answer, *rest = post(path, body, key)
        why = [{"column": "age", "contribution": 0.456}, {"column": "job", "contribution": -0.2}]
        return (status, {**answer, "expected": -2.0, "reasons": [why]}, *rest)

    monkeypatch.setattr(app, "post", explained)
    code, out, _ = run("predict", "--set", "age=41", "--explain", "2")
    assert (code, asked[0]["explain"]) == (0, 2)
    assert "age +0.46, job -0.20" in out
    assert run("predict", "--set", "age=41", "--explain", "--json")[1].count('"contribution"') == 2
    assert asked[1]["explain"] == 3


@pytest.mark.parametrize("text", ['{"age": 41}', '[{"age": 41}]', '{"data": [{"age": 41}]}'])
def test_json_comes_in_every_shape(
    run: Run, sent: list[list[dict[str, Any]]], tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "client.json"
    file.write_text(text)
    code, out, _ = run("predict", str(file), "--json")
    assert code == 0
    assert json.loads(out)["value"] == [
        {"record": 1, "probability": 0.41, "decision": "call", "version": "7"}
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("predict", "-")[0] == 0
    assert sent == [[{"age": 41}], [{"age": 41}]]


ROWS_OF_TWO = {"columns": ["job", "age"], "data": [["admin.", 41], ["student", 19]]}
TWO = [{"age": 41, "job": "admin."}, {"age": 19, "job": "student"}]
BY_COLUMN = {"job": ["admin.", "student"], "age": [41, 19]}


@pytest.mark.parametrize(
    "body",
    [
        BY_COLUMN,
        *({where: rows} for where in WHERE for rows in (ROWS_OF_TWO, TWO, BY_COLUMN)),
        {"Inputs": {"data": TWO}, "GlobalParameters": {"method": "predict"}},
        {"Inputs": {"data": BY_COLUMN}, "GlobalParameters": 1.0},
    ],
    ids=json.dumps,
)
def test_a_request_of_another_client_is_read_as_the_endpoint_reads_it(
    run: Run, sent: list[list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    record = {"properties": {"age": {"type": "integer"}, "job": {}, "list": {}}, "required": ["age", "job"]}
    monkeypatch.setattr(predict, "_record", lambda _: record)
    file = tmp_path / "clients.json"
    file.write_text(json.dumps(body), encoding="utf-8-sig")
    assert run("predict", str(file))[::2] == (0, "")
    assert [{name: row[name] for name in ("age", "job")} for row in sent[0]] == TWO


def test_a_request_that_cannot_be_read_is_told_the_shapes(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    for body in ({"Inputs": {"data": 3}}, {"inputs": {"columns": 1}}, {"dataframe_split": [7]}, [1], "x"):
        file.write_text(json.dumps(body))
        code, _, err = run("predict", str(file))
        assert (code, SHAPES in err) == (1, True), err


TEXT = {".csv": "age;job\n41;caf\u00e9\n42;retir\u00e9\n", ".json": '[{"age": 41,\n"job": "caf\u00e9"}]'}


@pytest.mark.parametrize("ending", TEXT)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32"])
def test_a_file_in_another_encoding_is_told_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, encoding: str
) -> None:
    line = 2 if encoding == "latin-1" else 1
    file = tmp_path / f"clients{ending}"
    file.write_bytes(TEXT[ending].encode(encoding))
    code, _, err = run("predict", str(file))
    assert (code, err) == (1, f"{file}, line {line}: it is no UTF-8. Save it as UTF-8.\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT[".json"].encode(encoding))))
    code, _, err = run("predict", "-")
    assert (code, err) == (1, f"stdin, line {line}: it is no UTF-8. Save it as UTF-8.\n")


def test_a_header_in_another_encoding_is_told_so_too(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    file.write_bytes("\u00e2ge;job\n41;a\n".encode("latin-1"))
    assert "line 1: it is no UTF-8" in run("predict", str(file))[2]


WRONG = {
    ("--set", "age"): "--set takes NAME=VALUE",
    ("--set", "agee=4"): "the model takes no agee",
    ("--record", "{"): "--record is no JSON",
    ("--record", "[1]"): "must hold a record",
    ("--record", "[]"): "must hold a record, not 0",
    ("nowhere.csv",): "there is no file nowhere.csv",
    ("--set", "age=old"): "write digits only",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_is_wrong_with_a_record_is_said(run: Run, arguments: tuple[str, ...]) -> None:
    code, _, err = run("predict", *arguments)
    assert code == 1
    assert WRONG[arguments] in err


def test_without_a_model_the_way_to_one_is_said(run: Run, app: FakeApp) -> None:
    app.collections["deployments"] = []
    for arguments in (("predict", "--fields"), ("logs",)):
        code, _, err = run(*arguments)
        assert code == 1
        assert "no model answers yet" in err


def test_logs_of_a_deployed_app_say_where_they_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Application Insights" in run("logs", "--app")[2]
    for name in ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = run("logs")
    assert code == 1
    assert "set AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, AZUREML_WORKSPACE" in err


def test_a_problem_names_the_faulty_parameters(
    run: Run, app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        fault = {"location": "query.state", "rule": "one of: started, running"}
        raise Problem(400, "InvalidParameter", "The request breaks the rules named in `errors`.", fault)

    monkeypatch.setattr(app, "get", refuse)
    code, _, err = run("runs", "--only", "no such state")
    assert code == 1
    assert "breaks the rules" in err
    assert "query.state: one of: started, running" in err


def test_experiments_are_listed_and_one_is_shown_with_its_best_trials(run: Run, app: FakeApp) -> None:
    best = [
        {"name": "vote-3", "ended": "scored on every drop", "drops": 6, "seconds": 0.2, "logLoss": 0.28712,
         "difference": -0.00421, "differenceLow": -0.0071, "differenceHigh": -0.0013}
    ]  # fmt: skip
    made = {"id": "search-bank-v6-a1", "kind": "run", "state": "accepted", "pipeline": "experimentation"}
    made |= {"dataset": "bank", "version": 6, "recipe": "found-v6-3fa91c02", "trials": 84, "best": best}
    app.collections["runs"].append({**app.collections["runs"][0], **made})
    code, out, _ = run("experiment", "--json")
    assert code == 0
    assert [(one["id"], one["recipe"]) for one in json.loads(out)["value"]] == [
        ("search-bank-v6-a1", "found-v6-3fa91c02")
    ]
    code, out, _ = run("experiment", "--run", "search-bank-v6-a1", "--json")
    assert code == 0
    (trial,) = json.loads(out)["value"]
    assert (trial["logLoss"], trial["low"], trial["high"]) == (0.2871, -0.0071, -0.0013)
    assert "vote-3" in run("experiment", "--run", "search-bank-v6-a1")[1]


def test_an_experiment_is_asked_for_or_shown_not_both(run: Run) -> None:
    with pytest.raises(SystemExit):
        run("experiment", "bank", "--run", "search-bank-v6-a1")


def test_all_that_wait_are_tried_again_those_of_a_span_alone_or_only_said(run: Run, app: FakeApp) -> None:
    (failure,) = app.collections["failures"]
    at = datetime.fromisoformat(failure["lastModifiedAt"])
    before, after = f"{at - timedelta(hours=1):%Y-%m-%dT%H:%M}", f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    _, said, _ = run("failures", "--retry-all", "--dry-run", "--since", before, "--until", after)
    assert "1 would be tried again; nothing was." in said
    assert run("failures", "--retry-all", "--since", after)[1].startswith("0 tried again.")
    assert run("failures", "--retry-all", "--until", before)[1].startswith("0 tried again.")
    assert app.posted == []
    _, said, _ = run("failures", "--retry-all", "--since", before, "--json")
    assert json.loads(said) == {"value": [failure["id"]]}
    assert [path for path, *_ in app.posted] == [f"failures/{failure['id']}/retry"]


def test_a_span_that_is_none_is_said(run: Run) -> None:
    status, _, err = run("failures", "--retry-all", "--since", "yesterday")
    assert (status, "'yesterday' is no time" in err) == (1, True)
    with pytest.raises(SystemExit):
        run("failures", "--dry-run")


SPAN = ("--since", "2026-11-24T08:00:00Z", "--until", "2026-11-24T09:00:00Z")


def test_a_replay_is_only_said_with_dry_run(run: Run, app: FakeApp) -> None:
    ids = [event["id"] for event in app.collections["events"][:2]]
    _, said, _ = run("events", "replay", *SPAN, "--dry-run")
    assert said.splitlines()[:3] == [*ids, "2 events, to webhook-1."]
    assert json.loads(run("events", "replay", *SPAN, "--dry-run", "--json")[1])["ids"] == ids
    assert app.posted == []


def test_a_replay_is_asked_for_with_its_span_and_reason(run: Run, app: FakeApp) -> None:
    run("events", "replay", *SPAN, "--type", "Campanha.Model", "--reason", "restored")
    [(path, body, *_)] = app.posted
    assert path == "events/replay"
    assert body == {
        "startsAt": SPAN[1], "endsAt": SPAN[3], "type": "Campanha.Model", "reason": "restored",
    }  # fmt: skip
