"""The parts of the set-up: what a command needs is installed side by side, and nothing more.

When all is there, that costs a few milliseconds and no network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from commands.catalog import (
    CHECK,
    EMBEDDED,
    ENVIRONMENTS,
    LINTERS,
    PACKAGE,
    PLAYGROUND,
    STORAGE,
    TEST,
    UP,
    UV,
)
from commands.setup import environments, localazure, locks, npm_packages, venv
from commands.setup.console import Line, NotForThisSystem, Screen, SetupError, end_all, say
from commands.setup.disk import Ledger, megabytes
from commands.setup.lock import only_one
from commands.setup.process_environment import INSTALLER, PROGRAMS, UV_FOLDER, pip_is_wanted, settle
from localazure.installer import Pip

REGISTRY = (
    f"If the package index is not reached: pip's own settings name another. {INSTALLER}=pip does without uv."
)
NPM_REGISTRY = "If the npm registry is not reached: npm's own settings, or npm_config_registry, name another."
GOES_ON = "The same command again goes on from here."
NONE_FITS, NOT_REACHED = "No matching distribution found", "connection broken"
"""pip's words. It says the first also when it has reached no index, but then the second before."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that is installed in one go."""

    label: str
    folder: str
    is_ready: Callable[[Path], bool]
    install: Callable[[Path, Line], None]
    after: tuple[str, ...] = ()
    """Parts that installing this one takes, or that write to the same folder."""
    remedy: str = REGISTRY


def _packages(group: str, label: str, after: tuple[str, ...]) -> Part:
    """Those of a group of pyproject.toml, in `.venv`."""
    lock = locks.OF_GROUPS[group]
    return Part(
        label=label,
        folder=".venv",
        is_ready=lambda root: venv.is_ready(root / ".venv", root / lock),
        install=lambda root, line: venv.install(root / ".venv", root / lock, label=label, line=line),
        after=after,
    )


def _npm_packages(packages: npm_packages.NpmPackages, label: str) -> Part:
    return Part(
        label=label,
        folder=packages.installed,
        is_ready=packages.is_ready,
        install=packages.install,
        after=(UV,),
        remedy=NPM_REGISTRY,
    )


def _has_uv(root: Path) -> bool:
    return venv.is_ready(root / UV_FOLDER, root / locks.UV)


def _install_uv(root: Path, line: Line) -> None:
    """raises: NotForThisSystem when the index was reached, and has none that fits"""
    try:
        venv.install(root / UV_FOLDER, root / locks.UV, label=line.label, line=line, means=Pip())
    except SetupError as problem:
        told = str(problem)
        if NONE_FITS in told and NOT_REACHED not in told:
            raise NotForThisSystem(told) from problem
        raise


PARTS = {
    UV: Part(
        label="uv, which installs the rest",
        folder=UV_FOLDER,
        is_ready=_has_uv,
        install=_install_uv,
    ),
    UP: _packages(UP, "Python packages of the app and the embedded Azure", after=(UV,)),
    EMBEDDED: Part(
        label="the embedded Azure, from its folder here",
        folder=".venv",
        is_ready=localazure.is_ready,
        install=localazure.install,
        after=(UP,),
    ),
    PACKAGE: _packages(PACKAGE, "Python packages of what packs the app", after=(EMBEDDED,)),
    TEST: _packages(TEST, "Python packages of the tests", after=(EMBEDDED,)),
    CHECK: _packages(CHECK, "Python packages of the checks", after=(EMBEDDED,)),
    STORAGE: Part(
        label="Azurite, and Node if there is none",
        folder=PROGRAMS,
        is_ready=localazure.has_storage,
        install=localazure.install_storage,
        after=(UV,),
        remedy=NPM_REGISTRY,
    ),
    LINTERS: _npm_packages(npm_packages.LINTERS, "linters of the API and of JavaScript"),
    PLAYGROUND: _npm_packages(npm_packages.PLAYGROUND, "Python for browsers"),
    ENVIRONMENTS: Part(
        label="environments of training and serving",
        folder=".environments",
        is_ready=environments.is_ready,
        install=environments.install,
        after=(EMBEDDED,),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What installing a part took."""

    part: str
    seconds: float
    bytes: int
    """On disk, of files that no part had put there before."""


def provide(root: Path, needs: Iterable[str]) -> list[Installed]:
    """Install what is missing, side by side where nothing has to wait.

    raises: SetupError that names each part that failed, with what to do; all others are finished
    """
    settle(root)
    asked = tuple(needs)
    if not _missing(root, asked):
        return []
    with only_one(root / ".dev.lock", waiting_for="another ./dev is setting up this checkout"):
        missing = _missing(root, asked)
        if not missing:
            return []
        say("Setting up this checkout (once; the next start is instant):")
        try:
            with Screen() as screen:
                return _Work(root, asked, missing, screen).done()
        except KeyboardInterrupt:
            say(f"Interrupted. {GOES_ON}")
            raise


def _missing(root: Path, needs: Sequence[str]) -> list[str]:
    """What has to be installed, with what that takes."""
    found = [need for need in needs if _lacks(root, need)]
    for name in found:  # it grows meanwhile
        found += [one for one in PARTS[name].after if one not in found and _lacks(root, one)]
    unwanted = {UV} - set(needs) if pip_is_wanted() else set()
    return [name for name in PARTS if name in found and name not in unwanted]


def _lacks(root: Path, name: str) -> bool:
    """True too when the folder it lies in may be made anew for a part before it."""
    part = PARTS[name]
    beneath = [one for one in part.after if PARTS[one].folder == part.folder]
    return not part.is_ready(root) or any(_lacks(root, one) for one in beneath)


class _Work:
    """One set-up under way."""

    def __init__(self, root: Path, asked: Sequence[str], missing: Sequence[str], screen: Screen) -> None:
        self._root, self._asked, self._waiting, self._screen = root, asked, list(missing), screen
        self._unfinished = set(missing)
        self._sizes = Ledger()
        self._failed: dict[str, SetupError | OSError] = {}
        self._installed: list[Installed] = []
        self._hopeless: set[str] = set()
        for part in PARTS.values():
            if part.is_ready(root):
                self._sizes.new_bytes(root / part.folder)

    def done(self) -> list[Installed]:
        with ThreadPoolExecutor(max_workers=len(PARTS)) as threads:
            try:
                self._follow(threads)
            except BaseException:
                end_all()  # before the threads are waited for
                raise
        if fatal := [name for name in self._failed if self._is_fatal(name)]:
            raise SetupError("\n\n".join(self._told(name) for name in fatal))
        return self._installed

    def _follow(self, threads: ThreadPoolExecutor) -> None:
        running: dict[Future[None], str] = {}
        while self._waiting or running:
            for name in self._startable():
                running[threads.submit(partial(self._install, name))] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                self._unfinished.discard(running.pop(future))
                future.result()

    def _startable(self) -> list[str]:
        """Takes out of the waiting those whose turn it is, and those for which it can never be."""
        turn = []
        for name in tuple(self._waiting):  # as in PARTS, where nothing stands before what it is after
            needed = set(PARTS[name].after)
            if any(self._is_fatal(one) for one in needed & self._failed.keys()) or needed & self._hopeless:
                self._hopeless.add(name)
            elif needed & self._unfinished:
                continue
            else:
                turn.append(name)
            self._waiting.remove(name)
        return turn

    def _is_fatal(self, name: str) -> bool:
        return name in self._asked or not isinstance(self._failed[name], NotForThisSystem)

    def _install(self, name: str) -> None:
        part = PARTS[name]
        line = self._screen.begin(part.label)
        try:
            part.install(self._root, line)
        except (SetupError, OSError) as problem:
            self._failed[name] = problem
            how = (
                f"FAILED after {line.seconds:.0f} s"
                if self._is_fatal(name)
                else "none for this system: pip does it"
            )
            self._screen.end(line, how)
            return
        laid = self._sizes.new_bytes(self._root / part.folder)
        self._installed.append(Installed(part=name, seconds=line.seconds, bytes=laid))
        self._screen.end(line, f"done in {line.seconds:.0f} s, {megabytes(laid)}")

    def _told(self, name: str) -> str:
        part = PARTS[name]
        return f"{part.label}: {self._failed[name]}\n{part.remedy}\n{GOES_ON}"
