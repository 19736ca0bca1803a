"""Named copies of the whole embedded Azure: storage, events, workspace and hosts as of one moment, to go back to.

All processes of the stack are paused (SIGSTOP) while its folder is copied, so a copy is what a power cut at that
moment would have left; each part is built to go on from that. Where a system has no such pause they are stopped.
Other stacks within the folder, such as the demo's, are no part of it: they are not copied, and stay where they are.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from commands.stack import ports, processes, supervisor
from commands.stack.errors import StackError
from commands.stack.folder import LOCK as STACK_LOCK
from commands.stack.folder import must_be_ours, within
from commands.stack.parts import PARTS
from commands.stack.state import Stack
from localazure import __version__
from localazure.private import private_folder
from localazure.storage.program import LOCK, by_content
from shared.package_data import release

FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DESCRIPTION, _STATE = "snapshot.json", "state"
_NOT_COPIED = shutil.ignore_patterns("stack.lock", "*.sqlite-shm", "*.db-shm")
"""The lock of who copies, and SQLite's shared memory, which it makes anew."""
_WITH_ADDRESSES = ("workspace/workspace.db", "events/journal.sqlite")
"""What is stored with the stack's own addresses in it; the ledger and the blobs have none."""


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Of what wrote a stack's state: another one may not read it."""

    format: int
    localazure: str
    azurite: str
    release: str


def present_versions() -> Versions:
    return Versions(
        format=FORMAT, localazure=__version__, azurite=by_content("azurite", LOCK).name, release=release()
    )


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One of a folder of them."""

    name: str
    taken: str
    bytes: int
    of: str
    """The state folder that it was taken of."""
    versions: Versions


class Snapshots:
    """A folder with a folder for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Snapshot]:
        """Oldest first."""
        found = [self._read(file.parent) for file in self.folder.glob(f"[!.]*/{_DESCRIPTION}")]
        return sorted(found, key=lambda each: each.taken)

    def save(self, stack: Stack, name: str, *, replace: bool = False) -> Snapshot:
        """Of what runs, and of what does not; whole or not at all.

        raises: StackError when there is one of that name, or no stack
        """
        if not _NAME.fullmatch(name):
            raise StackError(f"{name!r} is no name: letters, digits, dots, dashes; 64 at most.")
        if not (stack.state / "stack.json").exists():
            raise StackError(f"there is no stack in {stack.state}: `./dev up` makes one.")
        if (self.folder / name).exists() and not replace:
            raise StackError(f"there is a snapshot {name!r} already: another name, or --replace.")
        private_folder(self.folder, may_be_anothers=True)
        beside = self.folder / f".{name}.new"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        try:
            with stack.alone(), _at_rest(stack):
                taken = datetime.now(UTC).isoformat(timespec="seconds")
                _copy(stack.state, beside / _STATE)
            made = Snapshot(
                name=name, taken=taken, bytes=_size(beside / _STATE), of=str(stack.state), versions=present_versions()
            )  # fmt: skip
            (beside / _DESCRIPTION).write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
            shutil.rmtree(self.folder / name, ignore_errors=True)
            beside.rename(self.folder / name)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return made

    def load(self, name: str, state: Path) -> Stack:
        """`state` is as it was then, and nothing runs in it; what it held since is gone.

        raises: StackError when there is no such snapshot, other versions wrote it, a folder is somebody's own, or another
            stack runs within
        """
        source = self._source(name)
        beside, before = (state.with_name(f"{state.name}.{what}") for what in ("loading", "before"))
        for each in (state, beside, before):
            must_be_ours(each)
        others = within(state)
        for other in others:
            _must_rest(Stack(other))
        supervisor.down(Stack(state))
        for left in (beside, before):
            shutil.rmtree(left, ignore_errors=True)
        beside.mkdir(mode=0o700)
        (beside / STACK_LOCK).touch()  # first: half a copy is known as ours
        _copy(source, beside)
        with Stack(state).alone():
            for other in others:
                other.rename(beside / other.name)
            state.rename(before)
            beside.rename(state)
        shutil.rmtree(before)
        stack = Stack(state)
        stack.stopped(PARTS)  # the processes of then
        return stack

    def fork(self, name: str, state: Path) -> Stack:
        """The same as another stack, with other ports, so that both can run.

        raises: StackError when the folder is there, or as `load`
        """
        source = self._source(name)
        if state.exists() and any(state.iterdir()):
            raise StackError(f"{state} is there already: a fork is a new folder (--state).")
        private_folder(state, may_be_anothers=True)
        try:
            _copy(source, state)
            stack = Stack(state)
            before = dict(stack.ports)
            stack.stopped(PARTS)
            stack.move_to(_others(before))
            for file in _WITH_ADDRESSES:
                if (state / file).exists():
                    _readdress(state / file, {before[each]: stack.ports[each] for each in before})
        except BaseException:  # half of one must never run: it may have the addresses of the other
            shutil.rmtree(state)
            raise
        return stack

    def remove(self, name: str) -> None:
        """raises: StackError when there is no such snapshot"""
        self._known(name)
        shutil.rmtree(self.folder / name)

    def _known(self, name: str) -> Snapshot:
        there = {each.name: each for each in self.all()}
        if name not in there:
            known = ", ".join(there) or "none"
            raise StackError(f"there is no snapshot {name!r} in {self.folder}; there are: {known}.")
        return there[name]

    def _source(self, name: str) -> Path:
        found, present = asdict(self._known(name).versions), asdict(present_versions())
        other = [f"{key} {found[key]} (here {present[key]})" for key in present if found[key] != present[key]]
        if other:
            raise StackError(
                f"the snapshot {name!r} was written by other versions: {', '.join(other)}. Load it with the"
                " checkout that took it, or take one anew."
            )
        return self.folder / name / _STATE

    @staticmethod
    def _read(folder: Path) -> Snapshot:
        try:
            told = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
            return Snapshot(**{**told, "versions": Versions(**told["versions"])})
        except (ValueError, KeyError, TypeError) as problem:
            raise StackError(f"{folder / _DESCRIPTION} cannot be read ({problem}).") from problem


@contextmanager
def _at_rest(stack: Stack) -> Iterator[None]:
    """Nothing of the stack writes meanwhile, and all of it goes on afterwards."""
    running = [name for name in PARTS if stack.process(name)]
    if sys.platform == "win32":
        if running:
            raise StackError("this system cannot pause processes: `./dev down` first.")
        yield
        return
    paused: list[int] = []
    with _signals_raise() as all_of_it:
        try:
            for name in reversed(running):
                process = stack.process(name)
                if process:
                    _pause(process.pid, paused)
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, all_of_it)  # a second one waits until all go on
            for pid in paused:
                processes.wake(pid)


@contextmanager
def _signals_raise() -> Iterator[set[signal.Signals]]:
    """Those that would end this process at once, a closed terminal's too, end it by an exception as Ctrl-C does.

    Yields them, and Ctrl-C's: what is blocked of them within comes afterwards. Only the main thread hears signals.
    """
    if sys.platform == "win32":
        raise AssertionError("nothing is paused on Windows")

    def ended(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    hears = threading.current_thread() is threading.main_thread()
    ending = [signal.SIGTERM, signal.SIGHUP] if hears else []
    before = {number: signal.getsignal(number) for number in ending}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:  # under nohup
                signal.signal(number, ended)
        yield {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _pause(pid: int, paused: list[int]) -> None:
    """It, and then what it has started, until nothing new is there: what is paused starts nothing."""
    paused.append(pid)  # before: an exception may come in between, and to go on harms none
    processes.send(pid, signal.SIGSTOP)
    for child in processes.children(pid):
        _pause(child, paused)


def _must_rest(other: Stack) -> None:
    """raises: StackError where it runs: its folder is moved for a moment"""
    if any(other.process(name) for name in PARTS):
        raise StackError(f"another stack runs in {other.state}: `./dev down --state {other.state}` first.")


def _copy(source: Path, target: Path) -> None:
    others = {folder.name for folder in within(source)}

    def left_out(folder: str, names: list[str]) -> set[str]:
        return _NOT_COPIED(folder, names) | (others if Path(folder) == source else set())

    shutil.copytree(source, target, ignore=left_out, symlinks=True, copy_function=_cloned, dirs_exist_ok=True)


def _cloned(source: str, target: str) -> str:
    """A copy that shares its blocks where the file system can do that."""
    if sys.platform == "linux":
        import fcntl

        with open(source, "rb") as read, open(target, "wb") as written:
            try:
                fcntl.ioctl(written, 0x40049409, read.fileno())  # FICLONE
            except OSError:
                shutil.copyfileobj(read, written, 1024 * 1024)
        shutil.copystat(source, target)
        return target
    return shutil.copy2(source, target)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


def _others(before: dict[str, int]) -> dict[str, int]:
    """Ports that are none of these, so that one address at a time can be replaced by another."""
    while set((chosen := ports.choose(list(before))).values()) & set(before.values()):
        continue
    return chosen


def _readdress(file: Path, moved: dict[int, int]) -> None:
    """Every text in the database that names an old address names the new one."""
    with closing(sqlite3.connect(file)) as database, database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [
                row[1] for row in database.execute(f'PRAGMA table_info("{table}")') if row[2] == "TEXT"
            ]
            for column in columns:
                for old, new in moved.items():
                    change = f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE instr("{column}", ?)'  # noqa: S608
                    address = f"127.0.0.1:{old}"
                    database.execute(change, (address, f"127.0.0.1:{new}", address))
    os.chmod(file, 0o600)
