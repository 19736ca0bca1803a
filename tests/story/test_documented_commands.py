"""Every command that the pages show is run: on a fresh copy of the app, with the files that the pages speak of."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from commands import ROOT
from commands.setup import bank_rows
from tests.documented import PAGES, Documented, commands
from tests.story.documented_elsewhere import ELSEWHERE, NOT_HERE, reason
from tests.unit.commands import strangers

FIRST = ("docs/quick-start.md", "docs/drop-files.md", "docs/tune-the-gate.md", "docs/operate.md", "README.md")
LAST = ("docs/another-contract.md",)
"""It brings a contract, which the app reads at its start."""
WALK = (*FIRST, *(page for page in PAGES if page not in (*FIRST, *LAST)), *LAST)
LINKED = (".venv", ".azurite", ".environments", ".uv", ".node", ".data")
ENDS = ("./dev down", "./dev reset", "./dev watch")
"""They end what others need, or never end: run last, but where a page has the app stopped and started again."""
REFUSED = (
    "./dev watch --until-quiet",
    "./dev status --check",
    "./dev batches --approve",
    "./dev approve",
    "./dev models bank:",
    "./dev uploads ",
    "./dev datasets bank:",
    "./dev rollback",
    "./dev quarantine with-faults.csv",
    "./dev failures",
    "./dev alerts --test",
)
"""By how they begin: commands that may end with 1, since nothing of that kind waits for a person here."""
AT_ONCE = (
    "./dev up",
    "./dev publish",
    "./dev drop",
    "./dev watch",
    "./dev docs",
    "./dev config",
    "./dev predict",
)
"""Commands before which nothing is waited for."""
PATIENCE = 240


def walked() -> list[Documented]:
    """Each command once, in the order of the pages; all of the page that has data of its own."""
    found, seen = list[Documented](), set[str]()
    for page in WALK:
        for one in commands(page):
            if not reason(one.text) and (page in LAST or one.text not in seen):
                found.append(one)
                seen.add(one.text)
    return found


def test_what_is_left_to_other_tests_is_there() -> None:
    assert [name for name in ELSEWHERE.values() if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("begin", [*ELSEWHERE, *NOT_HERE])
def test_nothing_is_left_out_that_no_page_shows(begin: str) -> None:
    shown = [one.text for page in PAGES for one in commands(page)]
    assert any(text.startswith(begin.strip()) for text in shown)


NAMED = {
    "FILE.csv": "leads.csv",
    "FILE": "clients.csv",
    "NAME": "clients.csv",
    "WHY": "because",
    "...": "because",
    "DATASET": "bank",
    "MODEL": "bank:1",
    "VERSION": "bank:1",
    "RUN": "bank-v1-a1",
    "FAILURE": "none",
    "COMMAND": "status",
    "bank:3": "bank:2",
}
"""What stands in the pages for something of one's own."""


@dataclass
class Checkout:
    """A copy of this checkout in which somebody does what the pages say."""

    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    """What stands in the pages for something of one's own."""

    def run(self, text: str, *, seconds: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", text], cwd=self.folder, capture_output=True, text=True, timeout=seconds, check=False,
            env={**os.environ, "COLUMNS": "200", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )  # fmt: skip

    def says(self, text: str) -> Any:
        done = self.run(f"{text} --json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def filled(self, text: str) -> str:
        names = self.names | ({"FILE": "with-faults.csv"} if text.startswith("./dev quarantine") else {})
        return " ".join(names.get(word, word) for word in text.split(" "))

    def settled(self) -> None:
        """Nothing is under way."""
        self.run("./dev watch --until-quiet")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    bank_rows.find(None)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
            (tmp_path / name).chmod((ROOT / name).stat().st_mode)
    for name in LINKED:
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setattr(strangers, "ROWS", 4000)
    (tmp_path / "leads.csv").write_text(strangers.text_of("leads").replace("\t", ","), newline="")
    made = Checkout(tmp_path, dict(NAMED))
    yield made
    made.run("./dev down")


@pytest.mark.slow
def test_each_runs(checkout: Checkout) -> None:
    faults = []
    for command in walked():
        if command.text in ENDS and (command.page not in LAST or command.in_prose):
            continue
        _prepare(checkout, command)
        text = checkout.filled(command.text)
        if "$CAMPANHA_URL" in text:
            text = f'eval "$(./dev env)"; {text}'
        done = checkout.run(text)
        if done.returncode == 2 and command.in_prose:
            done = checkout.run(f"{text} --help")
        if not _is_fine(text, done):
            said = f"{done.stdout[-800:]}{done.stderr[-800:]}"
            faults.append(f"{command.page}: {text}\nended with {done.returncode}\n{said}")
        print(f"{command.page}: {text} ({done.returncode})", flush=True)
    _never_ending(checkout, "./dev watch")
    for text in ("./dev down", "./dev reset --yes"):  # without it the person is asked
        if code := checkout.run(text).returncode:
            faults.append(f"{text} ended with {code}")
    assert not faults, "\n\n".join(faults)


def _is_fine(text: str, done: subprocess.CompletedProcess[str]) -> bool:
    """It did what it should, or said in words why it cannot be done now."""
    if done.returncode == 0:
        return True
    may_be_refused = text.startswith(REFUSED)
    return (
        may_be_refused
        and done.returncode == 1
        and "Traceback" not in done.stderr
        and bool(done.stdout + done.stderr)
    )


def _prepare(checkout: Checkout, command: Documented) -> None:
    """The files that a page takes for granted, and what it takes for done."""
    text, folder = command.text, checkout.folder
    if command.page in LAST and text.startswith("./dev drop") and "resumed" not in checkout.names:
        checkout.names["resumed"] = "yes"
        checkout.run("./dev status --resume")  # a page before has paused it
    if "with-faults.csv" in text and not (folder / "with-faults.csv").exists():
        header, *rows = (folder / ".data" / "bank-uci.csv").read_text().splitlines()
        lines = [header, *rows[2000:3000], "1;2;3", rows[3000].replace(rows[3000].split(",")[2], "astronaut")]
        (folder / "with-faults.csv").write_text("\n".join(lines) + "\n")
        checkout.run("./dev drop with-faults.csv")
    if (set(text.split()) & {"ID", "BATCH"} or "-csv-" in text) and "ID" not in checkout.names:
        checkout.settled()
        batch = checkout.says("./dev trace scoring/to-call.csv")["batch"]["id"]
        checkout.names |= dict.fromkeys(
            ("ID", "BATCH", "to-call-csv-d7147bc7", "clients-csv-d7147bc7"), batch
        )
        (folder / "called.csv").write_text("row,y\n1,no\n2,yes\n3,perhaps\n")
    if "called-csv-" in text:
        checkout.settled()
        outcome = checkout.says("./dev outcomes --files")["value"][0]["id"]
        checkout.names["called-csv-4b7d21c9"] = outcome
    if text.startswith("./dev new-contract"):
        (folder / "contracts" / "leads.yaml").unlink(missing_ok=True)
    if text.startswith("./dev experiment"):
        checkout.run("./dev config set EXPERIMENT_DAILY_SECONDS=5 --reason 'a short search'")
    if text.startswith("./dev ") and not text.startswith(AT_ONCE):
        checkout.settled()


def _never_ending(checkout: Checkout, text: str) -> None:
    """It shows what happens until somebody presses Ctrl+C, which a terminal sends to all that the command started."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {text}"],
        cwd=checkout.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=5)
    os.killpg(process.pid, signal.SIGINT)
    _, complained = process.communicate(timeout=30)
    assert "Traceback" not in complained
