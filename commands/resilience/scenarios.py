"""What is done to the stack: a table. Each breaks real processes or files while people drop more; nothing is simulated."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from commands import ROOT
from commands.resilience.site import Site
from commands.resilience.traffic import Traffic
from commands.stack import ports, processes
from commands.stack.errors import StackError

Say = Callable[[str], None]
NODE_KILL_SECONDS = 21.0
"""Its supervisor starts Azurite again three times within a minute, and then gives up."""
LIFE_SECONDS = 5.0
"""Of a host, at most: most of what it begins it does not finish."""
FILL_SECONDS = 8.0
LARGE_ROWS = 12_000
_STEP_SECONDS = 5.0


class NotHere(StackError):
    """This machine does not let the fault be made; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One row of the table. `do` breaks things `size` times, or for so many minutes, and leaves all parts running."""

    name: str
    breaks: str
    holds: str
    unit: str
    size: int
    small: float
    """Of a quick try."""
    do: Callable[[Site, Traffic, float, Say], None]
    on_small_disk: bool = False
    """It runs on a disk of its own, in a mount namespace."""


def kill_hosts(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """At any moment of a host's first seconds, with work under way in most."""
    for number in range(1, int(size) + 1):
        if number % 3 == 1:
            traffic.either()
        time.sleep(traffic.chance.uniform(0, LIFE_SECONDS))
        site.kill("host")
        site.up()
        if number % 10 == 0 or number == size:
            say(f"{number} of {size:g} kills")


def kill_storage(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """Azurite's own process, which its supervisor starts again; in turn with that supervisor, which takes it along."""
    for number in range(1, int(size) + 1):
        traffic.either()
        time.sleep(traffic.chance.uniform(0, 3))
        process = site.stack.process("storage")
        if process is None:
            raise StackError("storage does not run")
        if number % 2:
            (node,) = processes.children(process.pid)
            processes.send(node, 9)
            time.sleep(NODE_KILL_SECONDS)
        else:
            site.kill("storage")
            site.up()
        say(f"{number} of {size:g} kills")


def kill_workspace(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """In the middle of a training run; it stays away for some seconds."""
    for number in range(1, int(size) + 1):
        traffic.train()
        traffic.score()
        site.until(
            lambda: any(run["state"] in ("started", "running") for run in site.all("runs")),
            "a run",
            seconds=180,
        )
        time.sleep(traffic.chance.uniform(0, 5))
        site.kill("workspace")
        time.sleep(traffic.chance.uniform(0, 4))
        site.up()
        say(f"{number} of {size:g} kills")


def lose_events(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """Every event, of storage and of the workspace, by Event Grid's own switch; then it is killed and comes back."""
    _events_are_lost(site, share=1.0)
    _for_minutes(size, say, traffic.either, every=20)
    site.kill("events")
    site.up()


def two_hosts(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """A second host, with the same settings, on the same storage, queues and ledger."""
    with _another_host(site) as other:
        _for_minutes(size, say, traffic.either, every=12)
        if other.poll() is not None:
            raise StackError(f"the second host ended by itself with {other.returncode}")


def fill_disk(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """A file takes all the room of the disk on which all parts keep everything, for some seconds."""
    filler = site.stack.state / "filler"
    for number in range(1, int(size) + 1):
        traffic.either()
        time.sleep(traffic.chance.uniform(0, 4))
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        time.sleep(FILL_SECONDS)
        filler.unlink()
        site.up()  # what has ended for it is started again, as a supervisor does
        say(f"{number} of {size:g} times full")


def change_files(site: Site, traffic: Traffic, size: float, say: Say) -> None:
    """Large files are overwritten with other rows, or deleted, at some moment after they were dropped."""
    for number in range(1, int(size) + 1):
        name = traffic.train(LARGE_ROWS)
        clients = traffic.score(LARGE_ROWS)
        time.sleep(traffic.chance.uniform(0, 4))
        if number % 3:
            traffic.train(LARGE_ROWS // 2, name=name)
            traffic.score(LARGE_ROWS // 2, name=clients)
        else:
            traffic.delete("incoming", name)
            traffic.delete("scoring", clients)
        say(f"{number} of {size:g} files of each kind")


SCENARIOS = {
    each.name: each
    for each in (
        Scenario(
            name="host",
            breaks="the host is killed (SIGKILL) at random moments",
            holds="each file once in a version, each client scored once, one run a version",
            unit="kills",
            size=200,
            small=4,
            do=kill_hosts,
        ),
        Scenario(
            name="storage",
            breaks="Azurite is killed, or its supervisor with it, and started again",
            holds="nothing that was acknowledged is lost",
            unit="kills",
            size=10,
            small=2,
            do=kill_storage,
        ),
        Scenario(
            name="workspace",
            breaks="the workspace is killed in the middle of a run, and comes back seconds later",
            holds="the run goes on at its unfinished step, and is submitted once",
            unit="kills",
            size=6,
            small=1,
            do=kill_workspace,
        ),
        Scenario(
            name="events",
            breaks="no event comes at all, then Event Grid is killed",
            holds="reconciliation finds each file and the end of each run",
            unit="minutes",
            size=3,
            small=0.3,
            do=lose_events,
        ),
        Scenario(
            name="two-hosts",
            breaks="two hosts work on one store",
            holds="each thing is done by one of them",
            unit="minutes",
            size=10,
            small=0.3,
            do=two_hosts,
        ),
        Scenario(
            name="files",
            breaks="a file is overwritten or deleted while it is read",
            holds="what counts is the last version, whole; none is mixed of two",
            unit="files",
            size=6,
            small=2,
            do=change_files,
        ),
        Scenario(
            name="disk",
            breaks="the disk under all parts is full for seconds",
            holds="nothing that was acknowledged is lost, and with room again all goes on",
            unit="times",
            size=4,
            small=1,
            do=fill_disk,
            on_small_disk=True,
        ),
    )
}


def _for_minutes(minutes: float, say: Say, act: Callable[[], object], *, every: float) -> None:
    ends, due = time.monotonic() + 60 * minutes, time.monotonic()
    told = due
    while (now := time.monotonic()) < ends:
        if now >= due:
            act()
            due += every
        if now >= told:
            say(f"{max(0, ends - now) / 60:.1f} minutes to go")
            told += 60
        time.sleep(min(1.0, max(0.0, ends - now)))


def _events_are_lost(site: Site, *, share: float) -> None:
    import requests

    requests.post(
        f"http://127.0.0.1:{site.stack.ports['events']}/faults",
        json={"drop": share},
        headers={"aeg-sas-key": site.stack.event_key},
        timeout=30,
    ).raise_for_status()


@contextlib.contextmanager
def _another_host(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    (port,) = ports.choose(["host"]).values()
    state = site.stack.state / "second-host"
    state.mkdir(exist_ok=True)
    command = [
        sys.executable, "-m", "localazure", "host", "--app", str(ROOT), "--port", str(port),
        "--settings", str(site.stack.settings_file), "--state", str(state),
    ]  # fmt: skip
    log = state / "log"
    with (
        log.open("ab") as written,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=written, stderr=written
        ) as host,
    ):
        try:
            site.until(lambda: b"ready: " in log.read_bytes() or host.poll() is not None, "the second host")
            yield host
        finally:
            host.kill()


def disk_of_its_own(folder: Path, megabytes: int) -> list[str]:
    """What a command is begun with to see `folder` as a disk of that size. raises: NotHere"""
    mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {shlex.quote(str(folder))}"
    own = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    try:
        tried = subprocess.run([*own, mount], capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise NotHere("a disk of its own takes Linux's unshare") from missing
    if tried.returncode:
        raise NotHere(f"no disk of its own can be had here: {tried.stderr.strip()}")
    return [*own, f'{mount} && exec "$@"', "sh"]
