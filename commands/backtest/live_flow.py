"""The flow as a policy: clients and answers are dropped as files into a running stack, and what it scored is read back."""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from commands.backtest.history import DATASET, KEY, Called, Clients
from commands.backtest.walk import Scores
from commands.client.states import going, is_final
from commands.client.status_api import Client
from commands.stack.data_account import blob_service
from commands.stack.errors import StackError
from commands.stack.state import Stack
from commands.stack.upload import upload

INCOMING, SCORING = "incoming", "scoring"
PATIENCE = 900.0
"""Seconds a month's file may take before the replay stops; on a busy machine much takes longer than one would think."""
POLL_SECONDS = 0.3
"""Between two looks for a file that the app has not heard of yet; of others it tells when they change."""
SCORE = "probability"

Json = dict[str, Any]


class App(Protocol):
    """What the replay does with a running app: it drops files, has them scored, and reads what became of them."""

    def drop(self, container: str, name: str, data: bytes) -> None: ...
    def score_now(self) -> None: ...
    def lineage(self, container: str, name: str) -> Json:
        """Empty while nothing is known of the file."""
        ...

    def lineages(self, container: str, name: str) -> Iterator[Json]:
        """The lineage now, and again whenever it has changed, and every now and then."""
        ...

    def status(self) -> Json: ...
    def statuses(self) -> Iterator[Json]: ...
    def read(self, blob: str) -> str:
        """blob: container and name"""
        ...


class LiveFlow:
    """Each month's clients are scored by the model that is live; its answers then go the flow's own way, to its end.

    A month that the stack knows already, from a replay that was interrupted, is not dropped again.
    """

    def __init__(self, app: App, name: str) -> None:
        self.name, self._app = name, app

    def score(self, clients: Clients) -> Scores:
        file = f"{clients.name}.csv"
        known = self._app.lineage(SCORING, file)
        if not known:
            if self._app.lineage(INCOMING, file) or not self._serves():
                return Scores(probabilities=None, notes={"batch": "no model yet"})
            self._app.drop(SCORING, file, clients.csv())
            self._app.score_now()
        began = time.monotonic()
        lineage = _until(_scored, self._app.lineages(SCORING, file), file)
        batch = lineage["batch"]
        notes = {"batch": batch["state"], "scoreSeconds": round(time.monotonic() - began, 1)}
        notes |= {name: batch[name] for name in ("modelVersion", "reason") if name in batch}
        if recipe := lineage.get("model", {}).get("recipe"):
            notes["recipe"] = recipe
        if batch["state"] != "scored":
            return Scores(probabilities=None, notes=notes)
        return Scores(probabilities=_in_order(self._app.read(batch["output"]), clients), notes=notes)

    def learn(self, called: Called) -> Mapping[str, Any]:
        """Returns what became of the month's file: the model, the verdict on it, and why."""
        file = f"{called.clients.name}.csv"
        began = time.monotonic()
        if not self._app.lineage(INCOMING, file):
            self._app.drop(INCOMING, file, called.csv())
        _until(_taken_in, self._app.lineages(INCOMING, file), file)
        _until(_at_rest, self._app.statuses(), file)
        return {
            **became(self._app.lineage(INCOMING, file)),
            "learnSeconds": round(time.monotonic() - began, 1),
        }

    def _serves(self) -> bool:
        datasets = self._app.status()["datasets"]
        return any("serving" in one for one in datasets if one["dataset"] == DATASET)


def _until(done: Callable[[Json], bool], looks: Iterator[Json], file: str) -> Json:
    """The first look that will do; raises: StackError when none does in time"""
    deadline = time.monotonic() + PATIENCE
    for found in looks:
        if done(found):
            return found
        if time.monotonic() > deadline:
            break
    raise StackError(f"{file} did not come to its end within {PATIENCE:.0f} s")


def became(lineage: Json) -> Json:
    """How far a month's file came, in the words of the last thing it led to."""
    reached = [(kind, lineage[kind]) for kind in ("upload", "run", "model") if kind in lineage]
    kind, last = reached[-1]
    found = {"what": kind, "state": last["state"]}
    found |= {name: last[name] for name in ("reason", "version", "recipe") if last.get(name)}
    return found


def _scored(lineage: Json) -> bool:
    return is_final(lineage.get("batch", {}))


def _taken_in(lineage: Json) -> bool:
    return is_final(lineage.get("upload", {}))


def _at_rest(status: Json) -> bool:
    """Nothing is under way, and no fact waits for its step."""
    return not going(status["stateCounts"]) and not any(rule["openCount"] for rule in status["flow"])


def _in_order(text: str, clients: Clients) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The scores by the key that came through; raises: StackError when a client has none"""
    rows = csv.DictReader(io.StringIO(text), delimiter=";")
    scores = {row[KEY]: row[SCORE] for row in rows}
    missing = [place for place in range(len(clients)) if not scores.get(str(place))]
    if missing:
        raise StackError(
            f"{clients.name}: {len(missing)} of {len(clients)} clients came back without a score"
        )
    return np.array([float(scores[str(place)]) for place in range(len(clients))])


class StackApp:
    """The app of a stack on this machine."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._client = stack, Client.of(stack)

    def drop(self, container: str, name: str, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(data)
            upload(self._stack, container, name, file)

    def score_now(self) -> None:
        self._client.act("batches")

    def lineage(self, container: str, name: str) -> Json:
        return self._client.known(f"lineage/{container}/{name}")

    def lineages(self, container: str, name: str) -> Iterator[Json]:
        while not self.lineage(container, name):
            yield {}
            time.sleep(POLL_SECONDS)
        yield from self._client.changes(f"lineage/{container}/{name}", heartbeat=True)

    def status(self) -> Json:
        return self._client.get("status")

    def statuses(self) -> Iterator[Json]:
        return self._client.changes("status", heartbeat=True)

    def read(self, blob: str) -> str:
        container, name = blob.split("/", 1)
        client = blob_service(self._stack).get_blob_client(container, name)
        return str(client.download_blob().readall().decode())
