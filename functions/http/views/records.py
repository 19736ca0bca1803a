"""Records as the API shows them: what their kind calls public, with links to what they belong to."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import quote

from functions.http.views.learned_from import models_of
from shared import telemetry
from shared.domain.kinds import field
from shared.domain.kinds.kind import Thing
from shared.domain.names import INCOMING, OUTCOMES, SCORING
from shared.kinds import BY_NAME
from shared.ledger import Record

Json = dict[str, Any]

VERSIONED = ("dataset", "model")
"""Kinds addressed by name and version."""
DROPPED = {"upload": INCOMING, "batch": SCORING, "outcome": OUTCOMES}
"""Kinds that are a dropped file, and its container."""


def shown(record: Record) -> Json:
    """The record as JSON; what is not known is not there. One that cannot be shown says so, and fails no list."""
    try:
        return _shown(record)
    except Exception as fault:  # noqa: BLE001  (whatever is wrong with one, the others are shown)
        telemetry.say(
            telemetry.Action.RECORDS,
            f"A record of {record.kind} cannot be shown: {type(fault).__name__}.",
            level=logging.ERROR,
            key=str(record.id),
        )
        return _unreadable(record, fault)


def _unreadable(record: Record, fault: Exception) -> Json:
    """What can be said of any record. Text that is always there is there, as JSON where it is something else."""
    kind = BY_NAME[record.kind]
    always = {part.name: part.wire_name for part in kind.parts if part.required and part.hint is str}
    texts = {wire: _as_text(record.values.get(name)) for name, wire in always.items()}
    return {
        "id": str(record.id),
        "kind": record.kind,
        "state": str(record.state),
        "seq": record.seq,
        "createdAt": record.created,
        "lastModifiedAt": record.updated,
        "history": [],
        **texts,
        "unreadable": f"what it holds is not what a {record.kind} holds ({type(fault).__name__})",
        "links": {"self": address(record.kind, str(record.id), texts.get("name"))},
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(record: Record) -> Json:
    kind, history = BY_NAME[record.kind], record.values["history"]
    known = {**record.values, **kind.times(history)}
    moves = [{"state": state, "enteredAt": time} for state, time in history]
    head = {"id": record.id, "kind": record.kind, "state": record.state, "seq": record.seq}
    head |= {"traceId": record.trace.trace_id} if record.trace else {}
    times = {"createdAt": record.created, "lastModifiedAt": record.updated, "history": moves}
    thing = Thing(id=record.id, state=record.state, values=field.read(kind.values, known))
    return {**head, **times, **field.shown(kind.values, known), "links": _links(record.kind, thing)}


def _links(kind: str, thing: Thing[Any]) -> Json:
    """Where this, and what it belongs to, is found."""
    name = getattr(thing.values, "name", None)
    links = {"self": address(kind, thing.id, name)}
    related = BY_NAME[kind].links(thing)
    links |= {other: address(other, id_, name) for other, id_ in related.items() if id_}
    if kind == "batch" and ("batch" in links or "model" in links):
        scored = links.get("batch", links["self"])  # a duplicate's rows are those of the first
        links["rows"] = f"{scored}/rows"
    if kind == "model":
        links["batches"] = scored_by(thing.id)
    if kind == "upload" and "dataset" in links:
        links["models"] = models_of(thing.id)
    if kind in DROPPED and name:
        links["lineage"] = f"/api/lineage/{DROPPED[kind]}/{quote(name)}"
    return links


def address(kind: str, id_: str, name: str | None) -> str:
    """The URL of one record. name: of its file, for the kinds that are addressed by it"""
    plural = f"/api/{BY_NAME[kind].plural}"
    if kind in VERSIONED:
        of, _, version = id_.rpartition(":")
        return f"{plural}/{quote(of, safe='')}/{version}"
    if kind == "quarantine":  # a newer file of the name does not hide what this upload left
        return f"{plural}/{_file(name)}?upload={quote(id_, safe='')}"
    if kind == "upload":
        return f"{plural}/{_file(name)}"
    return f"{plural}/{quote(id_, safe='/' if kind == 'deployment' else '')}"


def _file(name: str | None) -> str:
    """The name of a file in `incoming`, with its container where it would be taken for a name with one."""
    container = f"{INCOMING}/"
    return quote(f"{container}{name}" if name and name.startswith(container) else name or "")


def scored_by(model: str) -> str:
    """The URL of the batches that a model version scores. model: name:version"""
    return f"/api/batches?model={quote(model, safe=':')}"
