"""Set-up: stamps, interrupted installs, and that a second start does nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from commands import catalog
from commands.setup import console, counting, disk, environments, localazure, needs, npm_packages, venv
from commands.setup import process_environment as settled
from localazure.storage.program import LOCK, by_content

ROOT = Path(__file__).parents[3]
LINE = console.Line("a test")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock that installs nothing, so that there is nothing to fetch."""
    made = tmp_path / "requirements.txt"
    made.write_text("# nothing\n")
    return made


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both that there are; uv where it was installed."""
    uv = settled.uv_in(ROOT)
    if request.param == "uv" and not uv.exists():
        pytest.skip("no uv here: ./dev test installs it")
    monkeypatch.setenv("LOCALAZURE_UV", str(uv) if request.param == "uv" else "/nowhere/uv")
    return str(request.param)


@pytest.mark.usefixtures("installer")
def test_an_interrupted_install_is_redone(tmp_path: Path, lock: Path) -> None:
    folder = tmp_path / "venv"
    folder.mkdir()
    (folder / "half").write_text("of a package")
    assert not venv.is_ready(folder, lock)
    venv.install(folder, lock, label="a test")
    assert venv.is_ready(folder, lock)
    assert not (folder / "half").exists()
    lock.write_text("# something else\n")
    assert not venv.is_ready(folder, lock)


def test_a_stamp_is_never_written_into_a_file_that_another_checkout_may_share(
    tmp_path: Path, lock: Path
) -> None:
    folder, other = tmp_path / "venv", tmp_path / "of-another-checkout"
    venv.install(folder, lock, label="a test")
    (stamp,) = folder.glob(f"{venv.STAMP}*")
    other.hardlink_to(stamp)
    before = other.read_text()
    lock.write_text("# something else\n")
    venv.install(folder, lock, label="a test")
    assert venv.is_ready(folder, lock)
    assert other.read_text() == before


def test_a_second_lock_adds_to_what_the_first_has_put_there(tmp_path: Path, lock: Path) -> None:
    folder, more = tmp_path / "venv", tmp_path / "requirements-more.txt"
    more.write_text("# nothing more\n")
    venv.install(folder, lock, label="a test")
    (folder / "of the first").touch()
    assert not venv.is_ready(folder, more)
    venv.install(folder, more, label="a test")
    assert venv.is_ready(folder, lock)
    assert venv.is_ready(folder, more)
    assert (folder / "of the first").exists()


def test_what_cannot_be_installed_is_told_and_leaves_no_stamp(
    tmp_path: Path, lock: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock.write_text("nowhere @ file:///nowhere/at-all.whl --hash=sha256:" + "0" * 64)
    with pytest.raises(console.SetupError, match="at-all"):
        venv.install(tmp_path / "venv", lock, label="a test")
    assert "a test ... FAILED" in capfd.readouterr().err
    assert not venv.is_ready(tmp_path / "venv", lock)


# --- what is shown ----------------------------------------------------------------------------------------------


def test_a_failing_step_shows_its_end_and_its_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "print('reason'); raise SystemExit(3)"]
    with (
        pytest.raises(console.SetupError, match="reason") as problem,
        console.on_screen("a step") as line,
    ):
        console.run(command, line=line, log=tmp_path / "x.log")
    assert str(tmp_path / "x.log") in str(problem.value)
    assert (tmp_path / "x.log").read_text() == "reason\n"
    assert "a step ... FAILED" in capfd.readouterr().err


def test_on_a_terminal_lines_at_work_stay_below_those_that_are_done(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(console, "REWRITE_SECONDS", 60)
    monkeypatch.setenv("COLUMNS", "40")
    with console.Screen() as screen:
        first, second = screen.begin("first"), screen.begin("second, " + "of a long name " * 9)
        screen.end(first, "done")
        screen.end(second, "FAILED")
    drawn = [part.splitlines() for part in capfd.readouterr().err.split("\r\x1b[J")]
    assert drawn[1][0] == "  first ... done"
    assert drawn[1][1].startswith("  second, of a long")
    assert len(drawn[1][1]) == 39, "a line that wraps could not be drawn over"
    assert drawn[1][2] == "\x1b[1A"
    assert drawn[2][0].endswith("FAILED")


def test_what_uv_has_still_to_fetch_is_told_largest_first() -> None:
    words = counting.UvWords()
    told = []
    for line in (
        "Resolved 84 packages in 100ms\n",
        "Downloading small (512.0KiB)\n",
        "Downloading large (20.5MiB)\n",
        " Downloaded large\n",
        " Downloaded small\n",
        "Prepared 84 packages in 1.5s\n",
        "Installed 84 packages in 90ms\n",
    ):
        words.saw(line)
        told.append(words.left())
    assert told == [
        "fetching what is missing of 84 packages",
        "0 MB left (small)",
        "21 MB left (large, small)",
        "0 MB left (small)",
        "fetching what is missing of 84 packages",
        "putting them in place",
        "",
    ]


def test_what_pip_has_still_to_take_up_is_told(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "a==1 \\\n    --hash=sha256:1\n# b==2\nc==3 ; python_version < '3.13' \\\n    --hash=sha256:2\n"
    )
    words = counting.PipWords(counting.locked_packages(lock))
    assert words.left() == ""
    words.saw("Collecting a==1")
    assert words.left() == "at most 1 packages left"
    words.saw("Installing collected packages: a, c")
    assert words.left() == "putting them in place"


def test_what_npm_has_still_to_lay_down_is_counted_on_the_disk(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    lock.write_text('{"packages": {"": {}, "node_modules/a": {}, "node_modules/b": {}}}')
    assert counting.NpmFolder(lock, lambda: None).left() == "Node comes first"
    (tmp_path / "node_modules" / "a").mkdir(parents=True)
    (tmp_path / "node_modules" / "a" / "package.json").touch()
    assert counting.NpmFolder(lock, lambda: tmp_path).left() == "1 of 2 packages left"


def test_a_file_in_two_folders_is_counted_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "file").write_bytes(bytes(100_000))
    os.link(tmp_path / "one" / "file", tmp_path / "two" / "file")
    (tmp_path / "two" / "own").write_bytes(bytes(50_000))
    (tmp_path / "two" / "loop").symlink_to(tmp_path / "one")
    sizes = disk.Ledger()
    assert 100_000 <= sizes.new_bytes(tmp_path / "one") < 150_000
    assert 50_000 <= sizes.new_bytes(tmp_path / "two") < 100_000
    assert sizes.new_bytes(tmp_path) == 0


# --- the parts --------------------------------------------------------------------------------------------------


@dataclass
class Parts:
    """Stand-ins for the parts of the set-up: what was done, in which order, and which of them is to fail."""

    monkeypatch: pytest.MonkeyPatch
    done: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    problem: type[BaseException] = console.SetupError
    together: threading.Barrier | None = None

    def __post_init__(self) -> None:
        for name, part in needs.PARTS.items():
            stand_in = replace(
                part,
                is_ready=lambda root, name=name: name in self.done,
                install=lambda root, line, name=name: self._install(name),
            )
            self.monkeypatch.setitem(needs.PARTS, name, stand_in)

    def _install(self, name: str) -> None:
        if self.together and name != catalog.UV:
            self.together.wait(20)
        if name in self.failing:
            raise self.problem(f"no {name} today")
        self.done.append(name)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Parts:
    for name in ("LOCALAZURE_HOME", "LOCALAZURE_UV", "UV_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("CAMPANHA_INSTALLER", raising=False)
    return Parts(monkeypatch)


def test_nothing_is_done_when_all_is_there(parts: Parts, tmp_path: Path) -> None:
    parts.done += needs.PARTS
    assert needs.provide(tmp_path, catalog.STACK) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_installed_with_what_that_takes_once_and_said(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = needs.provide(tmp_path, (*catalog.STACK, catalog.LINTERS))
    assert needs.provide(tmp_path, catalog.STACK) == []
    done = parts.done
    assert sorted(done) == sorted(one.part for one in told)
    assert set(done) == {*catalog.STACK, catalog.UV, catalog.LINTERS}
    for name in done:
        assert all(done.index(one) < done.index(name) for one in needs.PARTS[name].after)
    assert capsys.readouterr().err.count("Setting up this checkout") == 1


def test_what_need_not_wait_is_installed_at_the_same_time(parts: Parts, tmp_path: Path) -> None:
    parts.together = threading.Barrier(2)  # each would wait for ever for the other
    needs.provide(tmp_path, (catalog.UP, catalog.STORAGE))
    assert set(parts.done) == {catalog.UV, catalog.UP, catalog.STORAGE}


def test_a_part_that_fails_is_named_with_a_remedy_and_the_others_are_finished(
    parts: Parts, tmp_path: Path
) -> None:
    parts.failing = {catalog.UP}
    with pytest.raises(console.SetupError) as problem:
        needs.provide(tmp_path, catalog.STACK)
    told = str(problem.value)
    assert needs.PARTS[catalog.UP].label in told
    assert "no up today" in told
    assert needs.REGISTRY in told
    assert "goes on from here" in told
    assert parts.done == [catalog.UV, catalog.STORAGE], "all that does not need it, and nothing that does"
    parts.failing = set()
    needs.provide(tmp_path, catalog.STACK)
    assert len(parts.done) == len(set(parts.done)) == 5


def test_where_there_is_no_uv_pip_installs_the_rest_but_nobody_locks(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts.failing, parts.problem = {catalog.UV}, console.NotForThisSystem
    needs.provide(tmp_path, catalog.STACK)
    assert set(parts.done) == set(catalog.STACK)
    assert "none for this system: pip does it" in capsys.readouterr().err
    with pytest.raises(console.SetupError, match="no uv today"):
        needs.provide(tmp_path, catalog.COMMANDS["lock"].needs)


def test_an_index_that_is_not_reached_is_no_reason_to_try_each_part_by_pip(
    parts: Parts, tmp_path: Path
) -> None:
    parts.failing = {catalog.UV}
    with pytest.raises(console.SetupError, match="no uv today"):
        needs.provide(tmp_path, catalog.STACK)
    assert parts.done == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ERROR: No matching distribution found for uv==1", console.NotForThisSystem),
        (
            "Retrying after connection broken\nERROR: No matching distribution found for uv==1",
            console.SetupError,
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", console.SetupError),
    ],
)
def test_pips_words_tell_whether_there_is_a_uv_for_this_system(
    said: str, kind: type[console.SetupError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(*_: object, **__: object) -> None:
        raise console.SetupError(said)

    monkeypatch.setattr(venv, "install", install)
    with pytest.raises(console.SetupError) as problem:
        needs._install_uv(tmp_path, LINE)
    assert type(problem.value) is kind


def test_who_interrupts_is_told_that_it_goes_on(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts.failing, parts.problem = {catalog.UP}, KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        needs.provide(tmp_path, catalog.STACK)
    assert "Interrupted. The same command again goes on from here." in capsys.readouterr().err
    parts.failing = set()
    needs.provide(tmp_path, catalog.STACK)
    assert set(catalog.STACK) <= set(parts.done)


def test_what_runs_is_ended_when_the_user_interrupts(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), []

    class Announced(counting.Silent):
        def saw(self, line: str) -> None:
            begun.set()

    def install(root: Path, line: console.Line) -> None:
        command = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(20)"]
        try:
            console.run(command, line=line, log=tmp_path / "x.log", words=Announced())
        except console.SetupError as problem:
            ended.append(str(problem))

    def interrupted(*_: object, **__: object) -> None:
        assert begun.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setitem(needs.PARTS, catalog.UV, replace(needs.PARTS[catalog.UV], install=install))
    monkeypatch.setattr(needs, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        needs.provide(tmp_path, catalog.STACK)
    assert ended, "it ran to its own end"


def test_uv_can_be_done_without(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPANHA_INSTALLER", "pip")
    monkeypatch.delenv("LOCALAZURE_UV")
    needs.provide(tmp_path, catalog.STACK)
    assert set(parts.done) == set(catalog.STACK)
    assert "LOCALAZURE_UV" not in os.environ


def test_what_lies_in_a_folder_that_is_made_anew_is_installed_again(parts: Parts, tmp_path: Path) -> None:
    parts.done += [name for name in needs.PARTS if name != catalog.UP]
    again = [one.part for one in needs.provide(tmp_path, catalog.COMMANDS["check"].needs)]
    assert again == [catalog.UP, catalog.EMBEDDED, catalog.CHECK]


def test_only_tests_and_checks_get_their_tools() -> None:
    for part, needing in {
        catalog.LINTERS: {"check", "test"},
        catalog.CHECK: {"check", "site", "vulnerabilities"},
        catalog.TEST: {"bench", "fuzz", "playground", "simulate", "test"},
        catalog.PLAYGROUND: {"playground", "test"},
    }.items():
        assert {name for name, command in catalog.COMMANDS.items() if part in command.needs} == needing


def test_every_command_is_listed_and_helps() -> None:
    listed = subprocess.run([sys.executable, "dev"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in catalog.COMMANDS:
        assert f"  {name} " in listed.stdout
    for name in ("up", "drop", "trace", "events", "events serve"):
        shown = subprocess.run(
            [sys.executable, "dev", *name.split(), "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "usage:" in shown.stdout


def test_each_command_has_a_file_of_its_name_and_no_other_file_lies_there() -> None:
    files = {file.stem for file in (ROOT / "commands").glob("*.py")} - {"__init__", "__main__", "catalog"}
    assert files == {name.replace("-", "_") for name in catalog.COMMANDS}


def test_an_unknown_command_is_named() -> None:
    told = subprocess.run(
        [sys.executable, "dev", "fly"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "no command 'fly'" in told.stderr


def test_an_environment_is_built_again_when_a_file_beside_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / environments.PLACE
    folder.mkdir(parents=True)
    (folder / "environment.yml").write_text("conda_file: conda.yml")
    (folder / "conda.yml").write_text("dependencies: []")
    built: list[str] = []
    monkeypatch.setattr(environments, "run", lambda command, **_: built.append(Path(command[4]).name))
    assert not environments.is_ready(tmp_path)
    environments.install(tmp_path, LINE)
    assert built == ["conda.yml", "environment.yml"]
    assert environments.is_ready(tmp_path)
    (folder / "conda.yml").write_text("dependencies: [pip]")
    assert not environments.is_ready(tmp_path)


def test_the_embedded_azure_is_installed_again_when_its_pyproject_or_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "localazure" / "src" / "localazure" / "storage" / "package-lock.json"
    lock.parent.mkdir(parents=True)
    project = tmp_path / "localazure" / "pyproject.toml"
    for file in (lock, project):
        file.write_text("{}")
    (tmp_path / ".venv").mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("LOCALAZURE_HOME", str(programs))
    program = _installed_program()
    ran: list[list[str]] = []
    monkeypatch.setattr(localazure, "run", lambda command, **_: ran.append(command))
    steps = (
        (localazure.is_ready, localazure.install, project),
        (localazure.has_storage, localazure.install_storage, lock),
    )
    for is_ready, install, file in steps:
        assert not is_ready(tmp_path)
        install(tmp_path, LINE)
        assert is_ready(tmp_path)
        file.write_text('{"changed": true}')
        assert not is_ready(tmp_path)
    assert "--no-index" in ran[0]
    assert ran[1][1:] == ["-m", "localazure", "setup"]
    localazure.install_storage(tmp_path, LINE)
    program.unlink()
    assert not localazure.has_storage(tmp_path)


def _installed_program() -> Path:
    """As `localazure setup` leaves it; the main script."""
    folder = by_content("azurite", LOCK)
    folder.mkdir(parents=True)
    main = folder / "azurite.js"
    main.touch()
    (folder / "program.json").write_text(json.dumps({"node": sys.executable, "main": str(main)}))
    return main


def test_the_embedded_azure_is_installed_again_in_a_checkout_that_was_moved_or_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editable install names its folder; only a link to another checkout's environment is that one's."""
    here, there, linked = (tmp_path / name for name in ("here", "there", "linked"))
    for root in (here, linked):
        (root / "localazure").mkdir(parents=True)
        (root / "localazure" / "pyproject.toml").touch()
    (here / ".venv").mkdir()
    (linked / ".venv").symlink_to(here / ".venv")
    monkeypatch.setattr(localazure, "run", lambda *_, **__: None)
    localazure.install(here, LINE)
    assert localazure.is_ready(here)
    assert localazure.is_ready(linked)
    shutil.copytree(here, there)
    assert not localazure.is_ready(there)


def test_programs_and_caches_are_kept_in_the_checkout_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOCALAZURE_HOME", "LOCALAZURE_UV", "UV_CACHE_DIR"):
        monkeypatch.setenv(name, "elsewhere")
        settled.settle(tmp_path)
        assert os.environ[name] == "elsewhere"
        monkeypatch.delenv(name)
        settled.settle(tmp_path)
        assert tmp_path in Path(os.environ[name]).parents


def test_what_python_compiles_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing compiles nothing; an image that forbids it would have each process compile everything."""
    for name in ("LOCALAZURE_HOME", "LOCALAZURE_UV", "UV_CACHE_DIR"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    settled.settle(tmp_path)
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_linters_are_installed_again_when_their_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linters = npm_packages.LINTERS
    folder = tmp_path / linters.folder
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}")
    ran: list[list[str]] = []
    monkeypatch.setattr(npm_packages, "run", lambda command, **_: ran.append(command))
    assert not linters.is_ready(tmp_path)
    linters.install(tmp_path, LINE)
    assert linters.is_ready(tmp_path)
    asked = ["-m", "commands.setup.npm_packages", "commands/linters", "the linters"]
    assert [command[1:] for command in ran] == [asked]
    (folder / "package-lock.json").write_text('{"changed": true}')
    assert not linters.is_ready(tmp_path)


@pytest.mark.parametrize(
    ("of", "kind"), [(npm_packages.LINTERS, "devDependencies"), (npm_packages.PLAYGROUND, "dependencies")]
)
def test_what_comes_from_npm_is_locked_by_hash_and_names_no_registry(
    of: npm_packages.NpmPackages, kind: str
) -> None:
    folder = ROOT / of.folder
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    asked = json.loads((folder / "package.json").read_text())[kind]
    assert packages.pop("")[kind] == asked
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
