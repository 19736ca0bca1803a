"""Oracles: what must hold of every run. They read what is stored, the workspace's log and what subscribers heard.

None asks the code under test what it believes: each reads rows, blobs and logs as they lie there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from typing import Any

from shared.domain import names
from shared.domain.datasets.manifest import Manifest
from shared.errors import CampanhaError
from shared.kinds import BY_NAME, STATES, rank
from shared.ledger.append_log import LAST
from simulation.world import PIPELINES, Saved, World

FEW = 4
"""Deviations with which no step can have failed as often as it may, so that there is no dead letter."""


@dataclass(frozen=True)
class Run:
    """A run that is over: where it began, and where it came to."""

    world: World
    began: Saved | None

    @cached_property
    def records(self) -> dict[tuple[str, str], dict[str, Any]]:
        """All records, by kind and id, as they lie in the hot tail or in a segment of it."""
        return records(self.world)

    @property
    def given_up(self) -> list[str]:
        """Why steps were given up since it began, as a person is told."""
        before = records(self.began) if self.began else {}
        new = (value for key, value in self.records.items() if key[0] == "failure" and key not in before)
        return [str(value["values"].get("reason")) for value in new]


Oracle = Callable[[Run], Iterable[str]]


def records(world: World | Saved) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (partition, _), row in world.table._rows.items():
        kind = partition.rpartition("-")[0]
        if kind in STATES:
            found |= {(kind, value["id"]): value for value in row.value.values() if isinstance(value, dict)}
    for kind in STATES:
        for key in sorted(world.present._partitions.get(kind, ())):
            if not key.endswith("~end"):
                value = world.present._rows[kind, key].value
                found[kind, value["id"]] = value
    return found


# --- I1: rows in -----------------------------------------------------------------------------------------------


def rows_in(run: Run) -> Iterator[str]:
    """Each version of a file: its rows are in a part, or in quarantine with a reason; and all of them."""
    world = run.world
    for (kind, id_), record in run.records.items():
        if kind != "upload" or record["state"] in ("arrived", "rejected") or id_.startswith("readmitted/"):
            continue
        values = record["values"]
        blob = world.files._blobs.get((names.INCOMING, values["name"]))
        if blob is None or id_ != f"upload/{values['name']}/{blob[0].etag}":
            continue
        lines = len(blob[1].splitlines()) - 1
        told = values["rows"] + values["rejected_rows"]
        if told != lines:
            yield f"{id_} has {lines} rows, and {told} are accounted for"
        if values["rejected_rows"]:
            folder = names.quarantine_folder(values["name"], blob[0].etag)
            rejects = world.files.content(names.QUARANTINE, folder + names.REJECTS)
            listed = len(rejects.splitlines()) if rejects else 0
            if listed != values["rejected_rows"]:
                yield f"{id_}: {listed} of {values['rejected_rows']} rejected rows lie in quarantine"
        if record["state"] in ("admitted", "registered"):
            yield from _part(id_, values, world)
    yield from _manifests(run)


def _part(id_: str, values: dict[str, Any], world: World) -> Iterator[str]:
    part = world.files.content(names.DATASETS, names.part_blob(values["dataset"], values["content_hash"]))
    if part is None:
        yield f"{id_} is admitted, and its part is not there"
    elif _rows_of(part) != values["rows"]:
        yield f"{id_} has {values['rows']} rows, and its part {_rows_of(part)}"
    elif odd := _made_up(part, world.files._blobs[names.INCOMING, values["name"]][1]):
        yield f"{id_}: its part has a row that its file has not: {odd}"


@lru_cache(maxsize=512)
def _rows_of(part: bytes) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(BytesIO(part)).num_rows)


@lru_cache(maxsize=512)
def _made_up(part: bytes, file: bytes) -> str:
    """A row of the part that no line of the file is; empty: there is none. Lines without quotes say what they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    header, *lines = file.decode().splitlines()
    columns = pq.read_table(pa.BufferReader(part)).to_pydict()
    places = [header.split(";").index(name) for name in columns]
    plain = [line.split(";") for line in lines if '"' not in line]
    there = {tuple(row[at] for at in places) for row in plain if len(row) == len(header.split(";"))}
    rows = zip(*(map(str, values) for values in columns.values()), strict=True)
    return next((";".join(row) for row in rows if row not in there), "")


@lru_cache(maxsize=512)
def _manifest(text: bytes) -> Manifest:
    return Manifest.from_json(text)


def _manifests(run: Run) -> Iterator[str]:
    """Versions follow one another without a gap, each is registered in the workspace, and no row is in one twice."""
    world, found = run.world, run.records
    versions = sorted(version for _, version in world.workspace.datasets)
    if versions != list(range(1, len(versions) + 1)):
        yield f"the workspace has the versions {versions}"
    newest = None
    for version in versions:
        text = world.files.content(names.DATASETS, names.manifest_blob("bank", version))
        if text is None:
            yield f"version {version} is registered without a manifest"
            continue
        newest = _manifest(text)
        hashes = Counter(part.content_hash for part in newest.parts)
        if twice := [one for one, times in hashes.items() if times > 1]:
            yield f"version {version} has rows twice: {twice}"
        gone = [
            part.file
            for part in newest.parts
            if world.files.stat(names.DATASETS, names.part_blob("bank", part.content_hash)) is None
        ]
        if gone:
            yield f"version {version} names parts that are not there: {gone}"
    registered = {
        id_ for (kind, id_), value in found.items() if kind == "upload" and value["state"] == "registered"
    }
    there = {part.upload for part in newest.parts} if newest else set()
    if missing := registered - there:
        yield f"registered uploads are in no newest version: {sorted(missing)}"


# --- I2: rows out ----------------------------------------------------------------------------------------------


def rows_out(run: Run) -> Iterator[str]:
    """A scored batch has each row of its file once, and its manifest came after the bytes that it describes."""
    import hashlib

    world = run.world
    for (kind, id_), record in run.records.items():
        if kind != "batch" or record["state"] != "scored":
            continue
        source = world.files.content(names.SCORING, record["values"]["name"]) or b""
        output = world.files.content(names.SCORED, names.scored_blob(id_))
        manifest = world.files.content(names.SCORED, names.batch_manifest_blob(id_))
        if output is None or manifest is None:
            yield f"batch {id_} is scored, and has no {'output' if output is None else 'manifest'}"
            continue
        rows_in_, rows = source.splitlines()[1:], output.splitlines()[1:]
        if Counter(rows_in_) != Counter(_original(row, rows_in_) for row in rows):
            yield f"batch {id_}: {len(rows_in_)} rows came, and others, or {len(rows)}, went out"
        told = json.loads(manifest)
        if (told["rows"], record["values"]["rows"]) != (len(rows), len(rows)):
            yield f"batch {id_} has {len(rows)} rows, by its manifest {told['rows']}"
        at, digests = 0, []
        for shard in told["shards"]:
            digests.append((shard["csv_sha256"], output[at : at + shard["csv_bytes"]]))
            at += shard["csv_bytes"]
        if at != len(output) or any(hashlib.sha256(text).hexdigest() != said for said, text in digests):
            yield f"batch {id_}: its output is not what its manifest says"
    yield from _in_order(world)


def _original(row: bytes, originals: list[bytes]) -> bytes:
    """The line of the source that an output line begins with."""
    return next((line for line in originals if row.startswith(line + b";")), row)


def _in_order(world: World) -> Iterator[str]:
    """The output is written before its manifest, and nothing that a reader may have read changes."""
    written: dict[str, int] = {}
    for container, name, crc in world.files.log:
        if container != names.SCORED or not name.endswith(("/scored.csv", "/manifest.json", ".parquet")):
            continue
        if "/outcomes/" in name:
            continue
        if written.setdefault(name, crc) != crc:
            yield f"{container}/{name} was written again with other bytes"
        batch = name.partition("/")[0]
        output = names.scored_blob(batch)
        if name == names.batch_manifest_blob(batch) and world.files.stat(container, output) is None:
            yield f"the manifest of {batch} was there before its output"
        if name == names.batch_manifest_blob(batch) and output not in written and not _older(output, world):
            yield f"the manifest of {batch} was written before its output"


def _older(name: str, world: World) -> bool:
    """Whether the blob was there when the run began."""
    return (names.SCORED, name) in world.files._blobs and all(one[1] != name for one in world.files.log)


# --- I3: one submission ------------------------------------------------------------------------------------------


def submitted_once(run: Run) -> Iterator[str]:
    """Each run was submitted once; a dataset version has one, since none fails here."""
    world = run.world
    for pipeline in PIPELINES:
        submissions = world.pipelines[pipeline].submissions
        for name, times in Counter(request.name for request in submissions).items():
            if times > 1:
                yield f"{name} was submitted {times} times"
        about = Counter(
            (pipeline, getattr(request, "batch", "") or request.name.rpartition("-a")[0])
            for request in submissions
        )
        for what, times in about.items():
            if times > 1:
                yield f"{what[1]} has {times} runs, and none failed"


# --- I4: forward only --------------------------------------------------------------------------------------------


def only_forward(run: Run) -> Iterator[str]:
    """In every state that anybody could ever read, a record has gone on: its seq grows, and its rank never falls."""
    before = {} if run.began is None else _hot(run.began)
    last: dict[tuple[str, str], tuple[int, int, int]] = before
    for partition, row, value in run.world.present.log:
        if partition not in STATES or row.endswith("~end"):
            continue
        key = (partition, value["id"])
        now = (value["seq"], value["round"], rank(partition, value["state"]))
        was = last.get(key)
        if was is not None and now != was and (now[0] <= was[0] or now[1:] < was[1:]):
            yield f"{partition} {value['id']} went from {was} to {now} (seq, round, rank)"
        if was is None and now[0] != 1:
            yield f"{partition} {value['id']} begins with seq {now[0]}"
        last[key] = now


def _hot(saved: Saved) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {
        (kind, value["id"]): (value["seq"], value["round"], rank(kind, value["state"]))
        for kind in STATES
        for key in saved.present._partitions.get(kind, ())
        if not key.endswith("~end") and (value := saved.present._rows[kind, key].value)
    }


# --- I5: traffic -------------------------------------------------------------------------------------------------


def traffic_on_the_accepted(run: Run) -> Iterator[str]:
    """Traffic is 100 in all, and only where a model answers that had been accepted by then, or that a person promoted; and
    that has answered, before anybody's rows were left to it."""
    found, answered = run.records, set[str]()
    from simulation.scheduler import EPOCH

    for clock, what, traffic in run.world.workspace.log:
        if what == "answered":
            answered.add(traffic)
        if what != "traffic":
            continue
        shares = {name: share for name, share in traffic.items() if name != "endpoint"}
        if sum(shares.values()) != 100 and (shares or not _first_release(run)):
            yield f"the traffic was {shares}"
        for deployment in shares:
            model = found.get(("model", f"bank:{deployment.removeprefix('model-')}"))
            history = model["values"]["history"] if model else []
            when = [at for state, at in history if state == "accepted"] or _promoted(deployment, run.world)
            if deployment not in answered:
                yield f"{deployment} got traffic before it was asked anything"
            if not when:
                yield f"{deployment} got traffic, and its model was neither accepted nor promoted"
            elif (_moment(when[0]) - EPOCH).total_seconds() > clock / 1000 + 2:
                yield f"{deployment} got traffic before its model was accepted"


def _promoted(deployment: str, world: World) -> list[str]:
    """When a person asked for it."""
    said = '"fact":"PromotionRequested",', f'"version":{deployment.removeprefix("model-")}}}'
    entries = (row.value for (where, _), row in world.table._rows.items() if where.startswith("fact-"))
    return [entry["begun"] for entry in entries if all(one in entry["fact"] for one in said)]


def _first_release(run: Run) -> bool:
    """Whether no model answered when the run began: then nothing may, when a worker is away in the middle of it."""
    return run.began is None or ("now", "doc-released--bank") not in run.began.present._rows


def _moment(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)


# --- I6: told ------------------------------------------------------------------------------------------------------


def every_move_is_told(run: Run) -> Iterator[str]:
    """Each move of a record is one event, with the id that its kind, id and seq give; and there is no other event."""
    logged: Counter[str] = Counter()
    world = run.world
    for (partition, key), row in world.present._rows.items():
        if partition == "now" and key.startswith("event-"):
            logged[row.value["event"]["id"]] += 1
    for (partition, _), row in world.table._rows.items():
        if partition.startswith("event-"):
            for number, value in row.value.items():
                if not _is_hot(partition, number, row.row, world):
                    logged[value["event"]["id"]] += 1
    told = {
        names.digest(f"{kind}/{id_}/{move['seq']}"): (kind, id_, move["state"])
        for (kind, id_), record in run.records.items()
        for move in record["moves"]
    }
    for id_, what in told.items():
        if logged[id_] != 1:
            yield f"the event of {what} was logged {logged[id_]} times"
    if other := logged.keys() - told.keys():
        yield f"{len(other)} events tell of what never was"
    yield from _heard(run, set(told))


def _is_hot(partition: str, number: str, segment: str, world: World) -> bool:
    """Whether an entry of a segment is still in the hot tail as well."""
    place = int(segment) * 25 + int(number)
    return ("now", f"event-{LAST - place:010d}") in world.present._rows


def _heard(run: Run, told: set[str]) -> Iterator[str]:
    if run.world.subscriber is None:
        return
    heard = [event["id"] for event in run.world.subscriber.heard]
    first = list(dict.fromkeys(heard))
    logged = [
        row.value["event"]["id"]
        for (partition, key), row in sorted(run.world.present._rows.items(), reverse=True)
        if partition == "now" and key.startswith("event-")
    ]
    if missing := set(logged) - set(heard):
        yield f"{len(missing)} events were never delivered to the subscriber"
    if [one for one in first if one in logged] != [one for one in logged if one in first]:
        yield "the subscriber heard of the events in another order than they happened in"


# --- I7: everything ends ----------------------------------------------------------------------------------------


def everything_ends(run: Run) -> Iterator[str]:
    """No fact is left open, and nothing is given up that did not fail often enough."""
    world = run.world
    yield from (f"left open: {fact}" for fact in world.unfinished())
    if len(world.choices.taken) <= FEW and not world.gives_up:
        yield from (
            f"given up after {len(world.choices.taken)} deviations: {reason}" for reason in run.given_up
        )
    if world.stretch is None or (world.stretch.runs_end and not world.stretch.stops):
        for (kind, id_), record in run.records.items():
            state, over = record["state"], kind not in ("upload", "batch", "run", "outcome")
            if not (over or state in WAITS_FOR_A_PERSON or BY_NAME[kind].state(state).final):
                yield f"{kind} {id_} stays {state}"


WAITS_FOR_A_PERSON = {"held"}


def nothing_unforeseen(run: Run) -> Iterator[str]:
    """What a step raises is one of our errors: it says what the host should do."""
    for problem in run.world.problems:
        if not isinstance(problem, CampanhaError):
            yield f"a step raised {type(problem).__name__}: {problem}"


# --- I8: again, nothing ------------------------------------------------------------------------------------------


def again_nothing(run: Run) -> Iterator[str]:
    """All messages once more: nothing changes but the change tokens."""
    world = run.world
    tables = (world.table, world.present)
    before = [len(table.log) for table in tables], len(world.files.log), _submissions(world)
    world.replay()
    for table, had in zip(tables, before[0], strict=True):
        written = [(partition, row) for partition, row, _ in table.log[had:] if not _may_move(partition, row)]
        yield from (f"told again, it writes {partition}/{row}" for partition, row in written[:3])
    if len(world.files.log) != before[1]:
        yield f"told again, it writes the blob {world.files.log[before[1]][:2]}"
    if _submissions(world) != before[2]:
        yield "told again, it submits a run"


def _submissions(world: World) -> int:
    return sum(len(made.submissions) for made in world.pipelines.values())


def _may_move(partition: str, row: str) -> bool:
    return row.startswith(("token-", "doc-notified", "doc-clock"))


# --- I9: nothing of a row in a log ----------------------------------------------------------------------------------

CANARIES = ("Zilpzalp", "918273")
"""Values of rows of the simulation's files; none may stand in a log line or in a reason."""


def no_row_in_a_log(run: Run, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if any(canary in line for canary in CANARIES):
            yield f"a log line has a value of a row: {line[:200]}"
    for (kind, id_), record in run.records.items():
        if kind == "failure" and any(canary in json.dumps(record["values"]) for canary in CANARIES):
            yield f"failure {id_} has a value of a row"


ORACLES: dict[str, Oracle] = {
    "I1 rows in": rows_in,
    "I2 rows out": rows_out,
    "I3 one submission": submitted_once,
    "I4 only forward": only_forward,
    "I5 traffic on the accepted": traffic_on_the_accepted,
    "I6 every move is told": every_move_is_told,
    "I7 everything ends": everything_ends,
    "nothing unforeseen": nothing_unforeseen,
}
"""After every run. `I8 again, nothing` and `I9 nothing of a row in a log` after some, as `simulation.runs` says."""


def _due(world: World) -> list[str]:
    """The kinds of facts that are open: those at which the stretch stops."""
    rows = [row for (partition, key), row in world.present._rows.items() if key.startswith("open-")]
    return sorted({json.loads(row.value["fact"])["fact"] for row in rows})


def outcome(run: Run) -> dict[str, Any]:
    """What anybody outside can see in the end, without times, ids of chance and the order in which things came."""
    world = run.world
    return {
        "records": {
            f"{kind} {id_}": (record["state"], record["round"])
            for (kind, id_), record in run.records.items()
            if kind != "alert"  # what is the matter now depends on when one looks
        },
        "submissions": sorted(
            request.name for made in world.pipelines.values() for request in made.submissions
        ),
        "traffic": {name: dict(shares) for name, shares in world.workspace.traffic.items()},
        "datasets": sorted(world.workspace.datasets),
        "due": _due(world),
        "blobs": sorted(f"{container}/{name}" for container, name in world.files._blobs),
    }
