"""Records as the API shows them: only what is named here, with links to what they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from shared.journal import Entry
from shared.ledger import Record

Json = dict[str, Any]

PLURALS = {
    "upload": "uploads",
    "dataset": "datasets",
    "run": "runs",
    "model": "models",
    "deployment": "deployments",
    "batch": "batches",
    "quarantine": "quarantine",
    "failure": "failures",
}
FIELDS: dict[str, tuple[str, ...]] = {
    "upload": (
        "name", "etag", "dataset", "rows", "rejected_rows", "content_hash", "sha256", "same_as", "released_from",
        "reason", "dataset_version",
    ),
    "dataset": ("dataset", "version", "rows", "uploads", "run", "model", "waiting_for", "reason"),
    "run": ("dataset", "version", "batch", "reason", "model", "status", "steps"),
    "model": ("dataset", "version", "run", "reason", "endpoint", "deployment", "previous_deployment", "accepted"),
    "deployment": ("endpoint", "deployment", "dataset", "version", "traffic", "since", "health"),
    "batch": (
        "name", "etag", "dataset", "model_version", "deployment", "rows", "refused_rows", "shards", "shards_scored",
        "bytes", "bytes_done", "rows_per_second", "eta_seconds", "started", "output", "parquet", "manifest",
        "decile_counts", "run", "steps", "reason",
    ),
    "quarantine": ("name", "upload", "dataset", "rows", "whole", "reason", "decided_by", "decided_because"),
    "failure": ("queue", "about", "reason"),
}  # fmt: skip
"""What is shown of each kind's values: an allow-list, so that nothing new gets out by accident."""


def shown(record: Record) -> Json:
    """The record as JSON; what is not known is not there."""
    head = {"id": record.id, "kind": record.kind, "state": record.state, "seq": record.seq}
    times = {"created": record.created, "updated": record.updated, "history": record.values["history"]}
    values = {
        name: record.values[name] for name in FIELDS[record.kind] if record.values.get(name) is not None
    }
    more = MORE[record.kind](record) if record.kind in MORE else {}
    return {**head, **times, **values, **more, "links": _links(record)}


def shown_event(entry: Entry) -> Json:
    """An event, with its number in the list of all: later ones have higher numbers."""
    return {**entry.value, "sequence": entry.number}


def _model(record: Record) -> Json:
    """The verdict's figures apart: the model's own, those of the one it had to beat, and the comparison."""
    found = record.values.get("figures") or {}
    more: Json = {}
    for name, key in (("figures", "challenger"), ("champion_figures", "champion")):
        if found.get(key):
            more[name] = {k: v for k, v in found[key].items() if k not in ("name", "version")}
            more[name]["rows"] = found.get("rows")
    if found.get("champion"):
        more["champion"] = int(found["champion"]["version"])
    more |= {name: found[name] for name in ("comparison", "baseline", "drift") if found.get(name)}
    return more | _times(record, released_at="released", rolled_back_at="rolled-back")


def _batch(record: Record) -> Json:
    return _times(record, sealed="scored")


def _times(record: Record, **states: str) -> Json:
    """When the record last came into each of these states."""
    entered = dict(record.values["history"])
    return {name: entered[state] for name, state in states.items() if state in entered}


MORE: Mapping[str, Callable[[Record], Json]] = {"model": _model, "batch": _batch}


def _links(record: Record) -> Json:
    """Where this, and what it belongs to, is found."""
    values, of = record.values, record.kind
    links = {"self": address(of, record.id, values)}
    if of == "upload" and (record.state == "rejected" or values.get("rejected_rows")):
        links["quarantine"] = held(values["name"], record.id)
    if values.get("dataset_version"):
        links["dataset"] = versioned("datasets", values["dataset_version"])
    if of in ("run", "model") and values.get("version"):
        links["dataset"] = versioned("datasets", f"{values['dataset']}:{values['version']}")
    if values.get("run") and of != "run":
        links["run"] = f"/api/runs/{quote(values['run'], safe='')}"
    if values.get("batch"):
        links["batch"] = f"/api/batches/{quote(values['batch'], safe='')}"
    if values.get("model") and of != "model":
        links["model"] = versioned("models", values["model"])
    if of == "batch" and values.get("model_version"):
        links["model"] = versioned("models", f"{values['dataset']}:{values['model_version']}")
        links["rows"] = f"{links['self']}/rows"
    if of == "deployment":
        links["model"] = versioned("models", f"{values['dataset']}:{values['version']}")
    if of in ("upload", "batch") and values.get("name"):
        links["trace"] = f"/api/trace/{'incoming' if of == 'upload' else 'scoring'}/{quote(values['name'])}"
    return links


def address(kind: str, id_: str, values: Mapping[str, Any]) -> str:
    """Where one thing is asked for."""
    if kind in ("dataset", "model"):
        return versioned(PLURALS[kind], id_)
    if kind == "quarantine":
        return held(values["name"], values["upload"])
    if kind == "upload":
        return f"/api/{PLURALS[kind]}/{quote(values['name'])}"
    return f"/api/{PLURALS[kind]}/{quote(id_, safe='/' if kind == 'deployment' else '')}"


def held(name: str, upload: str) -> str:
    """Where what an upload left in quarantine is asked for: a newer file of the name does not hide it."""
    return f"/api/quarantine/{quote(name)}?upload={quote(upload, safe='')}"


def versioned(plural: str, id_: str) -> str:
    name, _, version = id_.rpartition(":")
    return f"/api/{plural}/{quote(name, safe='')}/{version}"
