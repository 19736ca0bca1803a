"""The demo's five chapters over the status API: what it drops, what it waits for, what it tells, and how it gives up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser import fake_app
from browser.bank import DATASET
from browser.fake_app import FakeApp

from commands import demo
from commands.publish import Publishing
from commands.stack import supervisor
from commands.stack.errors import StackError
from commands.stack.state import Stack

Json = dict[str, Any]
Capsys = pytest.CaptureFixture[str]

HEADER = "age;job;y"
ROWS = [f"{20 + n};admin.;{'yes' if n % 3 else 'no'}" for n in range(50)]
NOW = datetime.now(UTC).isoformat()


def record(kind: str, id_: str, state: str, **values: Any) -> Json:
    return {
        "kind": kind,
        "id": id_,
        "state": state,
        "seq": 1,
        "lastModifiedAt": NOW,
        "createdAt": NOW,
        **values,
    }


class Bank:
    """The app, as it would answer each of the demo's files: at once, and by the contract."""

    def __init__(self, app: FakeApp) -> None:
        self.app = app
        self.dropped: dict[str, list[str]] = {}
        self.aside = 2
        app.collections = {name: [] for name in app.collections}

    def upload(self, stack: Stack, container: str, name: str, file: Path) -> None:
        """In place of the storage: what follows from a file is there when the next question comes."""
        header, *rows = file.read_text().splitlines()
        self.dropped[name] = [header, *rows]
        if container == "scoring":
            self._score(name, len(rows))
        elif name == "first-again.csv":
            self._add("uploads", record("upload", name, "duplicate", name=name))
        else:
            self._train(name, sum(row in ROWS for row in rows))

    def _train(self, name: str, rows: int) -> None:
        version = f"{DATASET}:{len(self.app.collections['datasets']) + 1}"
        number = int(version.partition(":")[2])
        upload = {"name": name, "rows": rows, "datasetVersion": version}
        self._add("uploads", record("upload", name, "registered", **upload))
        self._add("datasets", record("dataset", version, "trained"))
        self._add(
            "runs", record("run", f"run-{number}", "accepted", dataset=DATASET, version=number, steps=[])
        )
        self._add(
            "models",
            record("model", version, "released", dataset=DATASET, version=number, reason="better"),
        )

    def quarantined(self, upload: Json) -> Json:
        """In place of the app's report on an upload."""
        rules = {42: ("", "expected 3 values, found 1"), 43: ("y", "not one of: no, yes")}
        violations = [
            {"line": line, "column": column, "rule": rule} for line, (column, rule) in rules.items()
        ]
        return {"upload": {**upload, "rejectedRows": self.aside}, "violations": violations}

    def _score(self, name: str, rows: int) -> None:
        scored = {"name": name, "rows": rows, "modelVersion": 2, "output": "scored/clients.csv"}
        self._add("batches", record("batch", "clients-1", "scored", **scored))

    def _add(self, collection: str, made: Json) -> None:
        self.app.change(lambda app: app.collections[collection].append(made))


@pytest.fixture
def bank(app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> Bank:
    made = Bank(app)

    def up(stack: Stack, announce: object, settings: object) -> None:
        """The stack of the demo is the fake app."""
        stack.prepare()
        file = stack.state / "stack.json"
        kept = json.loads(file.read_text())
        kept["ports"]["host"] = int(app.url.rpartition(":")[2])
        kept["keys"] = {"reader": "a-reader", "operator": "an-operator", "admin": "an-admin"}
        file.write_text(json.dumps(kept))
        (stack.state / "workspace").mkdir(exist_ok=True)
        (stack.state / "workspace" / "identity-header").write_text("a-secret")
        with stack.alone():
            assert stack.host_url == app.url  # what it keeps is read again

    monkeypatch.setattr(supervisor, "up", up)
    monkeypatch.setattr(demo, "PATIENCE", 20.0)
    monkeypatch.setattr(demo, "upload", made.upload)
    monkeypatch.setattr(fake_app.bank, "quarantined", made.quarantined)
    monkeypatch.setattr(demo.Publishing, "prepare", lambda: publishing(FIRST, "others made", "and more"))
    monkeypatch.setattr(demo.Demo, "_show_first_rows", lambda self, output: print(f"    of {output}"))
    return made


FIRST = "default deployment campanha-training/v1 made"


def publishing(*lines: str, code: int = 0) -> Publishing:
    """One that says these lines once it was told where to."""
    said = "".join(f"time.sleep(0.05); print({line!r}); " for line in lines)
    script = f"import sys, time; sys.stdin.readline(); {said}raise SystemExit({code})"
    command, pipe = [sys.executable, "-u", "-c", script], subprocess.PIPE
    return Publishing(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    file = tmp_path / "mine.csv"
    file.write_text("\n".join([HEADER, *ROWS]))
    return ["--state", str(tmp_path / "state"), "--data", str(file)]


def test_each_chapter_is_told_as_it_comes_and_once_more_at_the_end(
    bank: Bank, arguments: list[str], tmp_path: Path, capsys: Capsys
) -> None:
    assert demo.main(arguments) == 0
    said = capsys.readouterr().out
    assert f"Data: your file {tmp_path / 'mine.csv'}, 50 rows" in said
    assert "Dropping incoming/first.csv (30 rows)" in said
    assert "upload registered  dataset trained  run accepted  model released" in said
    _, _, summary = said.partition("The whole loop, in ")
    for chapter in (
        "first file   30 rows -> dataset bank-additional:1 -> released: better",
        "more rows    20 rows -> dataset bank-additional:2 -> released: better",
        "with faults  2 of the 22 rows of second.csv put aside, the others learned from\n"
        f"{15 * ' '}line 42: expected 3 values, found 1; line 43: y not one of: no, yes",
        "first again  duplicate: nothing happened twice",
        "clients      20 scored by model 2 -> scored/clients.csv",
    ):
        assert chapter in summary
    assert f"./dev down --state {tmp_path / 'state' / 'demo'}" in summary


def test_the_files_are_what_the_chapters_are_about(bank: Bank, arguments: list[str]) -> None:
    demo.main(arguments)
    first, second = bank.dropped["first.csv"], bank.dropped["second.csv"]
    faulty = [row for row in second[1:] if row not in ROWS]
    assert sorted([*first[1:], *second[1:]]) == sorted([*ROWS, *faulty])
    assert [row.count(";") for row in faulty] == [1, 2]
    assert faulty[1].count("perhaps") == 1
    assert bank.dropped["first-again.csv"] == first
    assert bank.dropped["clients.csv"][0] == "age;job"
    assert all(line.count(";") == 1 for line in bank.dropped["clients.csv"])


WRONG: dict[str, tuple[Callable[[Bank], object], str]] = {
    "the batch was refused": (
        lambda bank: bank._add("batches", record("batch", "b", "refused", name="clients.csv", rows=0)),
        "the batch should have 20 scored rows",
    ),
    "faulty rows were taken": (
        lambda bank: setattr(bank, "aside", 1),
        "of second.csv two rows should be in quarantine, but 1 are",
    ),
    "known rows were taken for new ones": (
        lambda bank: bank._add("uploads", record("upload", "a", "registered", name="first-again.csv")),
        "first-again.csv holds known rows, yet it is registered",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_should_not_be_ends_the_demo_with_1(
    bank: Bank, arguments: list[str], capsys: Capsys, what: str
) -> None:
    before, sentence = WRONG[what]
    before(bank)
    assert demo.main(arguments) == 1
    said = capsys.readouterr()
    assert f"The demo stopped: {sentence}" in said.err
    assert "Logs: " in said.err
    assert "The whole loop" not in said.out


def test_a_folder_of_somebodys_own_is_not_removed(bank: Bank, arguments: list[str], tmp_path: Path) -> None:
    own = tmp_path / "state" / "demo" / "mine.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    with pytest.raises(StackError, match="was not made by"):
        demo.main(arguments)
    assert own.exists()


@pytest.mark.parametrize(
    ("data", "said"), [("typo.csv", "No such file"), ("", "Is a directory"), ("empty.csv", "holds no rows")]
)
def test_what_cannot_be_read_is_said_before_an_earlier_demo_is_removed(
    bank: Bank, arguments: list[str], tmp_path: Path, data: str, said: str
) -> None:
    (tmp_path / "empty.csv").touch()
    assert demo.main(arguments) == 0
    since = tmp_path / "state" / "demo" / "since"
    since.touch()
    with pytest.raises(StackError, match=said):
        demo.main([*arguments[:2], "--data", str(tmp_path / data)])
    assert since.exists()


def test_without_a_network_the_first_demo_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.bank_rows, "CACHE", tmp_path / "none.csv")
    monkeypatch.setattr(demo.bank_rows, "ARCHIVE", "http://127.0.0.1:1/bank.zip")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StackError, match="give a file of either variant with --data FILE"):
        demo.main(["--state", str(tmp_path / "state")])


def test_an_earlier_demo_is_removed(bank: Bank, arguments: list[str], tmp_path: Path) -> None:
    assert demo.main(arguments) == 0
    since = tmp_path / "state" / "demo" / "since"
    since.touch()
    assert demo.main(arguments) == 0
    assert not since.exists()


def test_what_does_not_come_is_not_waited_for_for_ever(
    bank: Bank, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(demo, "PATIENCE", 0.4)
    monkeypatch.setattr(demo, "upload", lambda *_: None)
    assert demo.main(arguments) == 1
    assert (
        "lineage/incoming/first.csv did not come to its end within 0 s; it is at: nothing"
        in capsys.readouterr().err
    )


def test_a_pipeline_that_cannot_be_published_ends_it(
    bank: Bank, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(demo.Publishing, "prepare", lambda: publishing("component made", code=1))
    assert demo.main(arguments) == 1
    said = capsys.readouterr()
    assert "The demo stopped: the pipeline of campanha-training could not be published" in said.err
    assert "component made" in said.out
    assert bank.dropped == {}


def test_another_pipeline_that_cannot_be_published_ends_it_last(
    bank: Bank, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(demo.Publishing, "prepare", lambda: publishing(FIRST, code=1))
    assert demo.main(arguments) == 1
    assert "not all pipelines could be published" in capsys.readouterr().err
    assert "clients.csv" in bank.dropped
