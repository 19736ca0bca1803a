"""The model's endpoint beside the usual ones, in one run: one record, 1,000 records, many clients.

Ours: Microsoft's inference server with our scoring script, run as the app deploys it. Beside it: the same server with
the usual pandas script; `mlflow models serve`; the same server with a script that only says hello; and what no server
can beat, the same requests answered without one. All have the same trees, and all answers are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import inference_server, loading, rivals
from bench.goals import goals_table, machine_line
from commands import ROOT
from commands.setup import bank_rows
from commands.setup.machine import load, machine
from commands.stack.settings import serving_workers
from shared.adapters.azureml import server_variables
from shared.adapters.serving_code import ENTRY_SCRIPT, assemble

ARROW = "application/vnd.apache.arrow.stream"
CASES: dict[str, tuple[str, int, int]] = {
    "one record": ("one", 1, 1),
    "one record, 16 clients": ("one", 16, 1),
    "1,000 records": ("thousand", 1, 1000),
}
"""Request, clients, rows of a request."""
OURS, USUAL, MLFLOW, HELLO = "Campanha", "pandas score.py", "mlflow models serve", "hello on that server"
P50_GOAL, USUAL_GOAL, MLFLOW_GOAL, ARROW_GOAL, JSON_GOAL = 0.5, 8.0, 14.0, 300_000, 120_000
CLOSE = 1e-9
VARIABLES = server_variables(serving_workers())
"""As `./dev` deploys on this machine."""
HELLO_VARIABLES = {**VARIABLES, "AML_APP_ROOT": str(ROOT / "serving")}
"""As quiet as ours: the server reads there what it logs."""
USUAL_VARIABLES = {"WORKER_COUNT": VARIABLES["WORKER_COUNT"]}
"""As many processes; forked before it loads its model, since LightGBM's threads do not survive a fork."""

Figures = dict[str, dict[str, Any]]
"""By case: median milliseconds, answers and rows a second."""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--rounds", type=int, default=5, help="medians of so many (default: 5)")
    made.add_argument("--seconds", type=float, default=2.0, help="of each measurement (default: 2)")
    made.add_argument("--data", type=Path, help="CSV to train on (default: the demo's)")
    made.add_argument("--without-rivals", action="store_true", help="ours, hello and the limit only")


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Trains a model, serves it in every way, and calls each in turn, round after round."""
    load_before = load()
    with tempfile.TemporaryDirectory(prefix="campanha-bench-") as folder, ExitStack() as running:
        case = Case(Path(folder), given.data)
        contestants = _started(running, case, rivals_too=not given.without_rivals)
        _say("comparing the answers of all ...")
        for contestant in contestants:
            contestant.compare(case)
        found = _rounds(contestants, case, given.rounds, given.seconds)
        for contestant in contestants:
            contestant.compare(case)  # still right after all that
        limit = _limit(case)
    return {
        "measure": "endpoint",
        "how": {
            "rounds": given.rounds,
            "seconds": given.seconds,
            "load": loading.tool(),
            "source": case.source,
            "trees": case.trees,
            "bytes": case.sizes,
            "variables": VARIABLES,
        },
        "contestants": found,
        "limitUs": limit,
        "goals": _goals(found),
        "chart": _chart(found),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "taken": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


class Case:
    """A model, requests for it, and the right answers, in a folder."""

    def __init__(self, home: Path, data: Path | None) -> None:
        file, self.source = bank_rows.find(data)
        self.folder = home / "case"
        _say("training a model on the real rows ...")
        _run(sys.executable, "bench.endpoint_case", "--data", str(file), "--folder", str(self.folder))
        answers = json.loads((self.folder / "answers.json").read_text())
        self.trees, self.probability = answers["trees"], answers["probability"]
        self.model = self.folder / "candidate"
        self.sizes = {file.name: file.stat().st_size for file in sorted(self.folder.glob("thousand*"))}


class Contestant:
    """A server's address, how it wants its rows, and where its answers stand."""

    def __init__(self, name: str, url: str, *, form: str = ".json", key: str = "probability") -> None:
        self.name, self.url, self.form, self.key = name, url, form, key

    @property
    def content_type(self) -> str:
        return ARROW if self.form == ".arrow" else loading.JSON

    @property
    def cases(self) -> dict[str, tuple[str, int, int]]:
        """Arrow is for many rows."""
        return {name: case for name, case in CASES.items() if self.form != ".arrow" or case[2] > 1}

    def body(self, case: Case, request: str) -> Path:
        return case.folder / f"{request}{self.form}"

    def compare(self, case: Case) -> None:
        """raises: RuntimeError when an answer is not what the trees say"""
        if self.key == "":
            return
        for request, rows in (("one", 1), ("thousand", 1000)):
            said = self._answers(self.body(case, request).read_bytes())
            known = case.probability[:rows]
            apart = max(abs(a - b) for a, b in zip(said, known, strict=True))
            if apart > CLOSE:
                raise RuntimeError(f"{self.name} answers otherwise than the trees, by {apart:.3g}")

    def _answers(self, body: bytes) -> list[float]:
        request = urllib.request.Request(self.url, body, {"Content-Type": self.content_type})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            text = reply.read()
        if self.form == ".arrow":
            import pyarrow as pa

            column: list[float] = pa.ipc.open_stream(text).read_all()[self.key].to_pylist()
            return column
        found: list[float] = json.loads(text)[self.key]
        return found


def _started(running: ExitStack, case: Case, *, rivals_too: bool) -> list[Contestant]:
    home = case.folder
    python = inference_server.serving_python()

    def serve(interpreter: Path, script: Path, variables: dict[str, str] = VARIABLES) -> str:
        return running.enter_context(
            inference_server.serves(interpreter, script, case.model, variables, home)
        )

    _say("starting the servers ...")
    code = assemble(home)
    ours = serve(python, code / ENTRY_SCRIPT, {**VARIABLES, "AML_APP_ROOT": str(code)})
    found = [
        Contestant(OURS, ours),
        Contestant(f"{OURS}, Arrow", ours, form=".arrow"),
        Contestant(
            HELLO, serve(python, ROOT / "bench" / "hello_server" / "score.py", HELLO_VARIABLES), key=""
        ),
    ]
    if rivals_too:
        script = ROOT / "bench" / "usual_server" / "score.py"
        usual = serve(inference_server.usual_python(), script, USUAL_VARIABLES)
        mlflow = running.enter_context(rivals.mlflow_serves(case.model, home))
        found += [
            Contestant(USUAL, usual),
            Contestant(MLFLOW, mlflow, form="-mlflow.json", key="predictions"),
        ]
    return found


def _rounds(contestants: list[Contestant], case: Case, rounds: int, seconds: float) -> dict[str, Figures]:
    """All in turns, so that what else the machine does falls on all."""
    taken: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(rounds):
        _say(f"round {number + 1} of {rounds} ...")
        for contestant in contestants:
            for name, (request, clients, _) in contestant.cases.items():
                body = contestant.body(case, request)
                one = loading.measured(
                    contestant.url, body, contestant.content_type, seconds=seconds, clients=clients
                )
                taken.setdefault((contestant.name, name), []).append(one)
    return {
        contestant.name: {
            name: _median(taken[contestant.name, name], rows)
            for name, (_, _, rows) in contestant.cases.items()
        }
        for contestant in contestants
    }


def _median(taken: list[dict[str, float]], rows: int) -> dict[str, Any]:
    made: dict[str, Any] = {name: statistics.median(one[name] for one in taken) for name in taken[0]}
    return {
        **made,
        "rowsPerSecond": round(rows * made["perSecond"]),
        "p50MsOfRounds": [one["p50Ms"] for one in taken],
    }


def _limit(case: Case) -> dict[str, Any]:
    _say("the limit: the same requests without a server ...")
    said = _run(inference_server.serving_python(), "bench.endpoint_limit", str(case.folder))
    found: dict[str, Any] = json.loads(said)
    return found


def _run(python: str | Path, module: str, *given: str) -> str:
    """What a module of this repository prints, run by an interpreter of its own."""
    command = [str(python), "-m", module, *given]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _goals(found: dict[str, Figures]) -> list[dict[str, Any]]:
    one = found[OURS]["one record"]["p50Ms"]
    arrow = found[f"{OURS}, Arrow"]["1,000 records"]["rowsPerSecond"]
    text = found[OURS]["1,000 records"]["rowsPerSecond"]
    goals = [{"goal": "one record: median at most 0.5 ms", "measured": one, "met": one <= P50_GOAL}]
    for rival, times in ((USUAL, USUAL_GOAL), (MLFLOW, MLFLOW_GOAL)):
        if rival in found:
            measured = round(found[rival]["one record"]["p50Ms"] / one, 1)
            goal = f"one record: {times:.0f} times as fast as {rival}"
            goals.append({"goal": goal, "measured": measured, "met": measured >= times})
    for what, measured, least in (("Arrow", arrow, ARROW_GOAL), ("JSON", text, JSON_GOAL)):
        goal = f"1,000 records a request, {what}: at least {least:,} rows/s"
        goals.append({"goal": goal, "measured": measured, "met": measured >= least})
    return goals


def _chart(found: dict[str, Figures]) -> dict[str, Any]:
    bars = [
        {"label": name, "value": figures["one record"]["p50Ms"], "ours": name == OURS}
        for name, figures in found.items()
        if "one record" in figures
    ]
    return {"title": "One record: median time of an answer (less is better)", "unit": "ms", "bars": bars}


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"The endpoint, {results['how']['trees']} trees", title_justify="left")
    for column in ("", "request", "median ms", "p95 ms", "answers/s", "rows/s"):
        table.add_column(column, justify="left" if column in ("", "request") else "right")
    for name, figures in results["contestants"].items():
        for case, one in figures.items():
            cells = (
                f"{one['p50Ms']:.3f}",
                f"{one['p95Ms']:.2f}",
                f"{one['perSecond']:,.0f}",
                f"{one['rowsPerSecond']:,}",
            )
            table.add_row(name, case, *cells)
    limit = Table(title="Without a server, microseconds", title_justify="left")
    for column in ("", "median"):
        limit.add_column(column, justify="right" if column else "left")
    for name, value in results["limitUs"].items():
        if not isinstance(value, bool):
            limit.add_row(name, f"{value:,.1f}")
    Console().print(table, limit, goals_table(results))
    print(f"{results['how']['load']}. {machine_line(results)}")
