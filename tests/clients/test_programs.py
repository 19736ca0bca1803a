"""The programs of docs/clients.md do what they are for, over a stack that is in their way in every way it can be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import requests
from clients.generated import Program, curl_program, python_program, typescript_program
from clients.recorder import Exchange, Recorder, recorded
from flow.world import HEADER
from story.running import Running, running
from stub_server import Answer, Request, stub_server

from commands.client.status_api import Client
from commands.stack.settings import no_proxy, sdk_settings

LANGUAGES = ("curl", "python", "typescript")
ROUNDS = ("trains", "again", "busy")
"""In the first a model is trained; in the last all is in the way that may be."""
SETTINGS = {"GATHER_QUIET_SECONDS": "1", "RELEASE_POLL_SECONDS": "1", "RATE_LIMIT_PER_MINUTE": "300"}
LONGEST = 300.0
CLIENTS = 40

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program came out."""

    returncode: int
    said: str
    errors: str
    exchanges: list[Exchange]


def rows(count: int) -> list[str]:
    """Of the `bank` contract; most who said yes the last time say yes, and a few of the others."""
    random = Random(1)
    return [
        f"{20 + i % 60};technician;married;primary;no;{random.randrange(3000)};no;no;cellular;19;oct;{i};1;-1;0;"
        + ("success;" if i % 3 == 0 else "failure;")
        + ("yes" if random.random() < (0.8 if i % 3 == 0 else 0.1) else "no")
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def programs(
    tmp_path_factory: pytest.TempPathFactory, python_package: Path, node: str, linters: Path
) -> dict[str, Program]:
    """By language; each is compiled as strictly as its compiler can."""
    missing = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]
    if missing and os.environ.get("CAMPANHA_REQUIRE_CURL"):
        pytest.fail(f"no {', '.join(missing)}")
    return {
        **({} if missing else {"curl": curl_program()}),
        "python": python_program(python_package),
        "typescript": typescript_program(tmp_path_factory.mktemp("typescript"), node, linters),
    }


@pytest.fixture(scope="module")
def ended(
    programs: dict[str, Program], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Ended]:
    """All programs side by side, each three times, by language and round."""
    folder = tmp_path_factory.mktemp("files")
    with running(tmp_path_factory.mktemp("stack"), **SETTINGS) as stack:
        return {
            (language, name): one
            for name in ROUNDS
            for language, one in _round(name, programs, stack, folder).items()
        }


def _round(name: str, programs: dict[str, Program], stack: Running, folder: Path) -> dict[str, Ended]:
    with ExitStack() as opened:
        way = opened.enter_context(_Way.blocked(stack)) if name == "busy" else None
        recorders, processes = {}, {}
        for language, program in programs.items():
            recorders[language] = opened.enter_context(recorded(stack.stack.host_url))
            files = _files(folder, f"{language}-{name}")
            processes[language] = opened.enter_context(_started(program, recorders[language], stack, files))
        if way:
            way.clear([(recorders[language], processes[language]) for language in programs])
        return {language: _outcome(process, recorders[language]) for language, process in processes.items()}


def _files(folder: Path, name: str) -> list[str]:
    """What a program is given: a file to train on, one to score, and one client."""
    train, score, one = folder / f"{name}.csv", folder / f"{name}-clients.csv", folder / "client.json"
    lines = [HEADER, *rows(1500)]
    train.write_text("\n".join(lines) + "\n")
    score.write_text("\n".join(line.rsplit(";", 1)[0] for line in lines[: CLIENTS + 1]) + "\n")
    client = dict(zip(HEADER.split(";"), lines[1].split(";"), strict=True))
    del client["y"], client["duration"]
    one.write_text(json.dumps({n: int(v) if v.lstrip("-").isdigit() else v for n, v in client.items()}))
    return [str(train), str(score), str(one)]


@contextmanager
def _started(
    program: Program, recorder: Recorder, stack: Running, files: list[str]
) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        **no_proxy(),
        **program.environment,
        "CAMPANHA_URL": recorder.address,
        "CAMPANHA_KEY": stack.stack.keys["operator"],
    }
    with subprocess.Popen(
        [*program.command, *files], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _outcome(process: subprocess.Popen[str], recorder: Recorder) -> Ended:
    said, errors = process.communicate(timeout=LONGEST)
    return Ended(returncode=process.returncode, said=said, errors=errors, exchanges=list(recorder.exchanges))


Met = tuple[Recorder, "subprocess.Popen[str]"]
"""A program that runs, and what it has met."""


@dataclass(frozen=True)
class _Way:
    """What is in the way of programs, until each has met it: the model's endpoint down (503), work paused, so that nothing
    changes (304), and another program that uses up all requests of the same key (429)."""

    stack: Running
    admin: Client
    busy: threading.Event

    @classmethod
    @contextmanager
    def blocked(cls, stack: Running) -> Iterator[_Way]:
        way = cls(stack, Client.of(stack.stack, "admin"), threading.Event())
        way.admin.act("pause", {"reason": "a test"})
        way._faults("POST", json={"path": "*/score", "method": "POST", "status": 503, "times": None})
        way.busy.set()
        other = threading.Thread(target=way._use_up)
        other.start()
        try:
            yield way
        finally:
            way.busy.clear()
            other.join()

    def clear(self, running: list[Met]) -> None:
        self._wait(running, 429)
        self.busy.clear()
        self._wait(running, 503)
        self._faults("DELETE")
        self._wait(running, 304)
        self.admin.act("resume", {"reason": "the test has seen it"})

    def _wait(self, running: list[Met], status: int) -> None:
        """Until each has met that status, or is over."""

        def met() -> bool:
            return all(recorder.met(status) or process.poll() is not None for recorder, process in running)

        self.stack.until(met, f"a {status} for each", seconds=LONGEST)

    def _faults(self, method: str, **order: object) -> None:
        stack = self.stack.stack
        bundle = sdk_settings(stack)["REQUESTS_CA_BUNDLE"]
        url = f"{stack.workspace_url}/__localazure/faults"
        requests.request(method, url, verify=bundle, timeout=60, **order).raise_for_status()  # type: ignore[arg-type]

    def _use_up(self) -> None:
        stack = self.stack.stack
        with requests.Session() as session:
            session.headers["x-functions-key"] = stack.keys["operator"]
            while self.busy.is_set():
                session.get(f"{stack.host_url}/api/session", timeout=60)


# --- what must be so ----------------------------------------------------------------------------------------


@pytest.fixture(params=[(language, name) for name in ROUNDS for language in LANGUAGES], ids="-".join)
def program(request: pytest.FixtureRequest, ended: dict[tuple[str, str], Ended]) -> Ended:
    if request.param not in ended:
        pytest.skip("takes bash, curl and jq")
    return ended[request.param]


def test_it_goes_all_the_way(program: Ended) -> None:
    assert program.returncode == 0, program.errors
    followed, scored, batch, refused = program.said.splitlines()
    assert followed in (
        "upload registered, run accepted, model released",
        "upload duplicate, run accepted, model released",  # another has brought these rows
    )
    assert scored == "scored"
    assert batch.startswith(
        (f"batch scored, {CLIENTS} rows with ", "batch duplicate, ")
    )  # as another had them scored
    assert refused == "refused: NotFound"


def test_it_asks_again_when_it_was_told_to(program: Ended) -> None:
    for before, after in pairwise(
        program.exchanges
    ):  # one after the other: no program asks two things at once
        if before.again_after is not None:
            assert (after.method, after.path) == (before.method, before.path)
            assert after.asked_at >= before.again_after


def test_it_polls_for_changes_alone(program: Ended) -> None:
    """A body comes once: whoever asks again holds the tag of what it has."""
    held: dict[str, str] = {}
    for exchange in program.exchanges:
        if exchange.method == "GET" and exchange.path in held and exchange.again_after is None:
            assert exchange.held == held[exchange.path]
            assert exchange.status == 304 or exchange.headers["etag"] != exchange.held
        if exchange.status == 200 and exchange.method == "GET":
            held[exchange.path] = exchange.headers["etag"]


def test_it_guesses_no_address(program: Ended) -> None:
    """What it reads was named by an answer before."""
    named = ""
    for exchange in program.exchanges:
        assert exchange.method == "POST" or exchange.path in named
        named += exchange.body + "".join(exchange.headers.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_waits_where_it_was_not_told_how_long(
    programs: dict[str, Program], tmp_path: Path, language: str
) -> None:
    """As after the answer of a proxy."""
    if language not in programs:
        pytest.skip("takes bash, curl and jq")
    asked_at: list[float] = []

    def answer(request: Request) -> Answer:
        asked_at.append(time.monotonic())
        return Answer(503 if len(asked_at) < 3 else 400, b"{}", {"Content-Type": "application/json"})

    program = programs[language]
    with stub_server(answer) as address:
        environment = {**os.environ, **no_proxy(), **program.environment, "CAMPANHA_URL": address,
                       "CAMPANHA_KEY": "any"}  # fmt: skip
        done = subprocess.run(
            [*program.command, *_files(tmp_path, language)], env=environment, capture_output=True, text=True,
            timeout=LONGEST, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert len(asked_at) == 3, done.stderr
    assert all(after - before > 0.9 for before, after in pairwise(asked_at))


def test_each_program_met_all_that_was_in_its_way(ended: dict[tuple[str, str], Ended]) -> None:
    for (language, name), program in ended.items():
        if name == "busy":
            assert {429, 503, 304} <= {exchange.status for exchange in program.exchanges}, language
