"""The scoring code inside Microsoft's own inference server, as a deployment runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from commands.setup import environments
from localazure.workspace.hosting.server import LOOPBACK
from localazure.workspace.processes.environments import Environments, conda_text
from pipelines.conda import SERVING
from running_azure.waiting import until
from shared.adapters.azureml import server_variables
from shared.adapters.serving_code import ENTRY_SCRIPT, assemble

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server, and what its model says to rows nobody else scored."""

    url: str
    log: Path
    columns: list[str]
    rows: list[list[Any]]
    probability: list[float]

    def ask(self, body: Any) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body)
        return requests.post(f"{self.url}/score", data=data, headers=HEADERS, timeout=30)

    def table(self, places: list[int]) -> dict[str, Any]:
        return {"input_data": {"columns": self.columns, "data": [self.rows[place] for place in places]}}

    def record(self, place: int) -> dict[str, Any]:
        return {"data": [dict(zip(self.columns, self.rows[place], strict=True))]}


THREADS = {"GUNICORN_CMD_ARGS": "--worker-class gthread --threads 8 --no-control-socket"}
"""In one process, so that requests do meet in the model."""


DEPLOYED = server_variables(4)
PLAIN = "LightGBM, not with compiled trees"


@pytest.fixture(
    scope="module",
    params=[(DEPLOYED, True), (THREADS, True), (DEPLOYED, False)],
    ids=["as deployed", "threads", "without compiled trees"],
)
def served(
    request: pytest.FixtureRequest, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    variables, compiled = request.param
    with serving(tmp_path_factory.mktemp("served"), free_port(), variables, compiled=compiled) as made:
        yield made


@contextmanager
def serving(base: Path, port: int, variables: dict[str, str], *, compiled: bool) -> Iterator[Served]:
    """The server in the environment a deployment has, with a model of its own."""
    if not environments.is_ready(ROOT) and not os.environ.get("CAMPANHA_REQUIRE_SERVICES"):
        pytest.skip("the serving environment is not built; `./dev test` builds it")
    text = conda_text(SERVING)
    python = Environments(ROOT / ".environments").interpreter(text, print)
    columns, rows, probability = _model(base / "models" / "candidate", compiled=compiled)
    url = f"http://127.0.0.1:{port}"
    log = base / "server.log"
    with _server(python, base, url, log, variables):
        assert (PLAIN in log.read_text()) is not compiled
        yield Served(url=url, log=log, columns=columns, rows=rows, probability=probability)


def _model(folder: Path, *, compiled: bool) -> tuple[list[str], list[list[Any]], list[float]]:
    """Two features, no two rows with the same probability by design of the answers."""
    import lightgbm
    import numpy as np
    from trees_model import CUTS, save_trees

    from serving.features import Feature, encode
    from serving.model import load

    jobs = ("admin.", "retired", "student", "unknown")
    features = (Feature(name="age", type="integer"), Feature(name="job", type="category", values=jobs))
    chance = np.random.default_rng(5)
    columns = {"age": chance.integers(18, 90, 3000).tolist(), "job": chance.choice(jobs, 3000).tolist()}
    answers = chance.random(3000) < np.array(columns["age"]) / 200 + [
        0.3 * (j == "student") for j in columns["job"]
    ]
    data = lightgbm.Dataset(encode(features, columns), answers, categorical_feature=[1])
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 60)
    facts = {
        "name": "bank",
        "version": "7",
        "threshold": 0.125,
        "deciles": CUTS,
        "compiled": {"single": compiled},
    }
    save_trees(folder, booster, features, facts)
    rows = [[age, job] for age in range(18, 90) for job in jobs]
    asked = {"age": [age for age, _ in rows], "job": [job for _, job in rows]}
    golden = {"columns": ["age", "job"], "rows": rows[::20]}
    (folder / "golden.json").write_text(json.dumps(golden))
    return ["age", "job"], rows, load(folder).probabilities(asked).tolist()


@contextmanager
def _server(python: Path, base: Path, url: str, log: Path, variables: dict[str, str]) -> Iterator[None]:
    code = assemble(base)
    command = [
        str(python), "-P", str(LOOPBACK),
        "--entry_script", str(code / ENTRY_SCRIPT), "--port", url.rpartition(":")[2],
    ]  # fmt: skip
    more = {
        "AZUREML_MODEL_DIR": str(base / "models"),
        "AML_APP_ROOT": str(code),
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, env={**os.environ, **more}, stdout=written, stderr=written, cwd=base
        )
    try:
        until(lambda: process.poll() is not None or _healthy(url), seconds=60)
        workers = int(variables.get("WORKER_COUNT", "1"))
        until(lambda: process.poll() is not None or log.read_text().count("Booting worker") >= workers)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.send_signal(signal.SIGINT)  # SIGTERM would wait for the connections that clients keep
        process.wait(45)  # a worker that was just born does not hear of it, and is ended after 30 s


def _healthy(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_a_table_and_its_records_are_answered_as_the_model_says(served: Served) -> None:
    every = list(range(len(served.rows)))
    said = served.ask(served.table(every))
    assert said.headers["content-type"] == "application/json"
    assert (said.json()["model"], said.json()["version"]) == ("bank", "7")
    assert said.json()["probability"] == served.probability
    assert said.json()["decision"] == ["call" if p >= 0.125 else "skip" for p in served.probability]


def test_eight_callers_at_once_each_get_the_answer_to_their_own_rows(served: Served) -> None:
    """Scratch space shared between threads gives wrong probabilities with HTTP 200: contents are compared."""
    assert len(set(served.probability)) > 100

    def right(number: int) -> bool:
        place = number * 7 % len(served.rows)
        some = [place, (place + 31) % len(served.rows)]
        body, places = (served.record(place), [place]) if number % 2 else (served.table(some), some)
        return bool(served.ask(body).json()["probability"] == [served.probability[at] for at in places])

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(right, range(600)))
    assert answers.count(False) == 0


def test_an_arrow_body_on_the_same_path_is_answered_in_arrow(served: Served) -> None:
    import pyarrow as pa

    ages, jobs = zip(*served.rows, strict=True)
    batch = pa.record_batch({"age": pa.array(ages, pa.int8()), "job": pa.array(jobs).dictionary_encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
    said = requests.post(f"{served.url}/score", data=bytes(sink.getvalue()), headers=headers, timeout=30)
    assert (said.status_code, said.headers["content-type"]) == (200, headers["Content-Type"])
    table = pa.ipc.open_stream(said.content).read_all()
    assert table["probability"].to_pylist() == served.probability
    assert table.schema.metadata == {b"model": b"bank", b"version": b"7", b"variant": b"single"}


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "BadJson"), ({"data": [{"age": 3}]}, "MissingColumn"), ([], "UnknownShape")]
)
def test_a_body_that_cannot_be_scored_is_a_400_of_ours(served: Served, body: Any, code: str) -> None:
    said = served.ask(body)
    assert (said.status_code, said.json()["error"]["code"]) == (400, code)


def test_requests_leave_no_line_in_the_log(served: Served) -> None:
    """A line costs a tenth of a request; Azure keeps the traffic's log itself."""
    before = served.log.read_text()
    assert "ready for serving" in before or "Booting worker" in before
    for place in range(20):
        assert served.ask(served.record(place)).status_code == 200
    assert served.log.read_text() == before


def test_only_posts_are_scored(served: Served) -> None:
    said = requests.get(f"{served.url}/score", timeout=30)
    assert (said.status_code, said.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("version", "place"), [("2", "definitions"), ("3", "components/schemas"), ("3.1", "components/schemas")]
)
def test_swagger_describes_this_model(served: Served, version: str, place: str) -> None:
    found = requests.get(f"{served.url}/swagger.json", params={"version": version}, timeout=30).json()
    for name in place.split("/"):
        found = found[name]
    record = found["ServiceInput"]["properties"]["data"]["items"]
    assert record["required"] == served.columns
    assert record["properties"]["age"]["type"] == "integer"
    assert record["properties"]["job"]["enum"] == ["admin.", "retired", "student", "unknown"]
    always = set(served.ask(served.table([0])).json())
    sometimes = {"problem", "expected", "reasons"}  # where a row has one, and where reasons were asked for
    assert set(found["ServiceOutput"]["properties"]) == always | sometimes
