"""The story: the host is up, CSVs are dropped, models are judged and released, clients are scored; all for real."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from commands.catalog import UP
from commands.setup import locks, venv
from commands.stack.state import Stack
from localazure.installer import chosen, python_in
from tests.story.running import Running, bank, without_answer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter with what `./dev demo` installs and no more: no tool of tests or checks."""
    home, means = tmp_path / "venv", chosen()
    venv.install(home, ROOT / locks.OF_GROUPS[UP], label="the demo's environment")
    here = ("--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ROOT / "localazure"))
    subprocess.run(means.install(home, *here), check=True, capture_output=True, env=means.environment())
    return python_in(home)


@pytest.mark.parametrize(
    "options",
    [["--package", "--roles", "--strict"], pytest.param([], marks=pytest.mark.slow)],
    ids=["as packed, by roles, and unkind", "as it stands here"],
)
def test_the_demo_goes_all_the_way_round(python: Path, tmp_path: Path, options: list[str]) -> None:
    """`./dev demo` exits with 0 only when every chapter came about; the chapters are checked in commands/demo.py."""
    state = ["--state", str(tmp_path / "state")]
    found = subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False)
    assert b"No module named 'pytest'" in found.stderr
    try:
        told = subprocess.run(
            [python, "-m", "commands", "demo", *options, *state],
            cwd=ROOT, capture_output=True, text=True, timeout=540, check=False,
        )  # fmt: skip
        assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
        assert "duplicate: nothing happened twice" in told.stdout
        assert "500 scored by model" in told.stdout
        _outcomes_come_back(Running(Stack(tmp_path / "state" / "demo")))
    finally:
        down = [python, "-m", "commands", "down", "--state", str(tmp_path / "state" / "demo")]
        subprocess.run(down, cwd=ROOT, capture_output=True, timeout=60, check=False)


def _outcomes_come_back(story: Running) -> None:
    """Whom nobody may call is on no call list, and what the calls brought is joined to the scores."""
    header, rows = bank()
    asked = rows[:60]
    clients = without_answer([header, *asked])
    story.drop("suppression", "do-not-call.csv", [b"phone", *(_phone(number) for number in range(1, 41))])
    phones = [b"phone", *(_phone(number) for number in range(1, len(asked) + 1))]
    story.drop("scoring", "to-call.csv", [b",".join(pair) for pair in zip(clients, phones, strict=True)])
    batch = story.batch_of("to-call.csv")["id"]
    listed = story.until(lambda: story.get(f"batches/{batch}").get("callList"), "a call list")
    assert {"reason": "do-not-call", "rows": 40} in listed["leftOut"]
    assert not [phone for phone in phones[1:41] if phone in story.blob(listed["blob"])]
    answers = [
        b"row,y",
        *(b"%d,%s" % (number, row.rpartition(b",")[2]) for number, row in enumerate(asked, 1)),
    ]
    story.drop("outcomes", f"{batch}/called.csv", answers)
    came = story.until(lambda: story.get(f"batches/{batch}").get("outcomes"), "outcomes")
    deposits = sum(b"yes" in answer for answer in answers)
    assert (came["realised"]["rows"], came["realised"]["deposits"]) == (60, deposits)


def _phone(number: int) -> bytes:
    return b"9%08d" % number
