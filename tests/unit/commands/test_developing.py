"""What check, test and lock tell a developer, and which programs they run for it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from commands import check, lock
from commands import test as test_command
from commands.linters import javascript, tools
from commands.linters.finding import Findings
from commands.setup import locks
from commands.stack import processes

ROOT = Path(__file__).parents[3]
Capsys = pytest.CaptureFixture[str]


# --- check ------------------------------------------------------------------------------------------------------


def saying(words: str, code: int) -> check.Check:
    return check._program(sys.executable, "-c", f"print({words!r}); raise SystemExit({code})")


def test_every_check_that_fails_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    checks = {
        "style": saying("a line too long", 1),
        "types": saying("fine", 0),
        "layers": saying("a circle", 1),
    }
    monkeypatch.setattr(check, "_checks", lambda: checks)
    assert check.main([]) == 1
    said = capsys.readouterr().out
    told = re.findall(r"^(\w+) +(in order|NOT in order), [\d.]+ s$", said, re.MULTILINE)
    assert told == [("style", "NOT in order"), ("types", "in order"), ("layers", "NOT in order")]
    assert "a line too long" in said
    assert "a circle" in said
    assert "fine" not in said
    assert said.endswith("Not in order: style, layers.\n")


def test_all_in_order_is_0(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    monkeypatch.setattr(check, "_checks", lambda: {"style": saying("fine", 0)})
    assert check.main([]) == 0
    assert re.fullmatch(r"style +in order, [\d.]+ s\n", capsys.readouterr().out)


def test_a_linter_tells_its_figure_and_fails_with_one_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    def linter(*lines: str) -> check.Check:
        remarks = ("a rule is not asked of this: it has a reason",)
        return check._linter(lambda: Findings(lines=lines, read="41 operations", remarks=remarks))

    monkeypatch.setattr(check, "_checks", lambda: {"redocly": linter()})
    assert check.main([]) == 0
    assert re.fullmatch(
        r"redocly +in order: 0 findings in 41 operations, [\d.]+ s\n +a rule is not asked of this: it has a reason\n",
        capsys.readouterr().out,
    )
    monkeypatch.setattr(check, "_checks", lambda: {"redocly": linter("no licence")})
    assert check.main([]) == 1
    said = capsys.readouterr().out
    assert "redocly   NOT in order: 1 finding in 41 operations" in said
    assert "no licence" in said


@pytest.mark.parametrize(
    ("ended", "said"), [(0, ""), (2, ""), (2, "[]"), (0, "no rules"), (0, '[{"no": "finding"}]')]
)
def test_a_linter_that_gives_no_answer_is_not_taken_for_clean(
    ended: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    done = subprocess.CompletedProcess([], ended, stdout=said, stderr="out of order")
    monkeypatch.setattr(tools, "run", lambda *_: done)
    monkeypatch.setattr(check, "_checks", lambda: {"eslint": check._linter(javascript.eslint)})
    assert check.main([]) == 1
    told = capsys.readouterr().out
    assert "eslint    NOT in order: it did not run" in told
    assert "out of order" in told


def test_fix_runs_only_what_mends(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command[1:]))
        return subprocess.CompletedProcess(command, 0, stdout="[]", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(tools, "run", lambda script, *_, **__: run(["node", script]))
    check.main(["--fix"])
    assert ran == ["-m ruff format . dev", "-m ruff check --fix . dev"]
    ran.clear()
    monkeypatch.setattr("commands.docs_site.build.checked", lambda: Findings(lines=(), read="0 pages"))
    check.main([])
    assert not any("--fix" in command for command in ran)
    # Gitleaks is given what git lists, and tsc types that are made first; the second schema is not asked after the first.
    assert len(ran) == 17


def test_types_are_checked_of_every_package_of_ours() -> None:
    packages = {file.parent.name for file in ROOT.glob("[a-z]*/__init__.py")}
    assert packages - set(check.TYPED) == set()


# --- test -------------------------------------------------------------------------------------------------------

Call = tuple[list[str], Mapping[str, str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The programs that would have been run; each would have ended with 5."""
    found: list[Call] = []

    def call(command: list[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> int:
        assert cwd == ROOT
        found.append((command, env or {}))
        return 5

    monkeypatch.setattr(subprocess, "call", call)
    return found


WHICH = {
    (): ["-m", "not slow", *test_command.WORKERS],
    ("--slow",): ["-m", "slow", *test_command.WORKERS],
    ("--all",): test_command.WORKERS,
    ("tests/flow", "-x"): ["-m", "not slow", "tests/flow", "-x"],
    ("--all", "--", "tests/flow", "-k", "crash"): ["tests/flow", "-k", "crash"],
}


@pytest.mark.parametrize("arguments", WHICH, ids=" ".join)
def test_a_part_of_the_tests_runs_in_one_process_all_of_them_in_several(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    calls: list[Call] = []

    def become(command: list[str], *, directory: Path, env: Mapping[str, str]) -> int:
        assert directory == ROOT
        calls.append((command, env))
        return 5

    monkeypatch.setattr(processes, "become", become)
    assert test_command.main(list(arguments)) == 5
    ((command, env),) = calls
    assert command[1:] == ["-m", "pytest", "-p", "tests.slowest", *WHICH[arguments]]
    assert env["CAMPANHA_REQUIRE_SERVICES"] == "1"


FIXTURE = """
import time
from pathlib import Path

import pytest


@pytest.fixture
def stack():
    Path("begun").touch()
    yield
    time.sleep(1)
    Path("stopped").touch()


def test_long(stack):
    time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT for another process")
def test_interrupted_the_tests_still_stop_what_they_have_started(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the terminal at once."""
    file = tmp_path / "test_long.py"
    file.write_text(FIXTURE)
    in_tmp = f"--rootdir={tmp_path}", f"--confcutdir={tmp_path}", "-p", "no:cacheprovider"
    main = f"import os; from commands import test; test.ROOT = {str(tmp_path)!r}; test.main({[*in_tmp, str(file)]!r})"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "localazure" / "src")])}
    with subprocess.Popen(
        [sys.executable, "-c", main], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, start_new_session=True
    ) as running:
        try:
            deadline = time.monotonic() + 60
            while not (tmp_path / "begun").exists():
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.killpg(running.pid, signal.SIGINT)
            running.wait(60)
            assert (tmp_path / "stopped").exists()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


# --- lock -------------------------------------------------------------------------------------------------------


def of_ours(pattern: str) -> list[str]:
    """Files of this checkout, less what the set-up has installed in folders that begin with a dot."""
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    files = [*ROOT.glob(pattern), *(file for folder in folders for file in folder.rglob(pattern))]
    return [file.relative_to(ROOT).as_posix() for file in files]


HOST_SOURCE = "localazure/pyproject.toml"


def test_every_list_of_requirements_is_compiled_and_named(
    calls: list[Call], monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(lock.conda, "main", lambda: 0)
    assert lock.main([]) == 5
    there = [f"{name.removesuffix('.in')}.txt" for name in of_ours("*.in")]
    assert sorted(capsys.readouterr().out.split()) == sorted([*there, *locks.OF_GROUPS.values(), locks.HOST])
    for command, _ in calls:
        output = command[-1]
        assert command[-3] == output.replace(".txt", ".in") or {"--group", HOST_SOURCE} & {*command}
        assert "--generate-hashes" in command
        assert "--upgrade" not in command


def test_every_group_has_a_lock() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert list(declared) == list(locks.OF_GROUPS)
    assert {
        name: entry["include-group"]
        for name, entries in declared.items()
        for entry in entries
        if isinstance(entry, dict)
    } == locks.WITHIN


def test_a_group_has_the_versions_of_the_one_it_includes() -> None:
    """All are installed into one environment."""
    pinned = {
        name: set(re.findall(r"^[A-Za-z0-9][^ ]*==[^ ]+", (ROOT / file).read_text(), re.MULTILINE))
        for name, file in locks.OF_GROUPS.items()
    }
    for name, within in locks.WITHIN.items():
        assert len(pinned[within]) > 50
        assert pinned[within] - pinned[name] == set()


def test_newer_versions_are_taken_only_when_asked_for(
    calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock.conda, "main", lambda: 0)
    lock.main(["--upgrade"])
    assert all("--upgrade" in command for command, _ in calls)


def test_no_lock_names_a_registry() -> None:
    """Whoever installs from it asks his own."""
    made = [name for name in of_ours("*.txt") if (ROOT / name).with_suffix(".in").exists()]
    for name in [*made, *locks.OF_GROUPS.values()]:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--index-url" not in text
        assert "--hash=sha256:" in text
