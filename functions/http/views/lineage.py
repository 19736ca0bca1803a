"""Lineage: what became of a file, forward and back: upload, dataset version, run, model, deployment, batches, outcomes."""

from __future__ import annotations

from functools import partial
from typing import Any

from functions.http.views.concurrent_reads import both, together
from functions.http.views.records import shown
from shared.domain import names
from shared.ledger import Ledger, Record
from shared.ledger.records import Records
from shared.procedures.batch_outcomes import OUTCOMES as BATCH_OUTCOMES

Json = dict[str, Any]
UPLOADS = 20
NEWEST_OUTCOMES = 20


def lineage(key: str, ledger: Ledger) -> Json | None:
    """The lineage of a file, by its name (with or without its container), its SHA-256, or its content's hash; None when
    nothing like it was ever seen."""
    found = _led_to(key, ledger.records)
    if not found:
        return None
    ((kind, id_),) = found.items()
    links = _FROM[kind](id_, ledger)
    return {"key": key, **{name: _shown(link) for name, link in links.items() if link}}


def _led_to(key: str, records: Records) -> dict[str, str]:
    """The likely first: mostly it is the first place that knows, and what costs is the number of reads."""
    places = [("hash", key.lower())] if _is_hash(key) else []
    containers = (f"{names.INCOMING}/", f"{names.SCORING}/", f"{names.OUTCOMES}/")
    whole = [("file", key)] if key.startswith(containers) else []
    places += [*whole, *(("file", f"{container}{key}") for container in containers)]
    return next((found for place in places if (found := records.led_to(*place))), {})


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(sign in "0123456789abcdefABCDEF" for sign in text)


def _from_upload(id_: str, ledger: Ledger) -> Json:
    records = ledger.records
    links: Json = {"upload": records.find("upload", id_)}
    upload = links["upload"]
    if upload and upload.values.get("same_as"):
        upload = links["firstUpload"] = records.find("upload", upload.values["same_as"])
    version = upload.values.get("dataset_version") if upload else None
    if version:
        batches, others = both(partial(records.scored_by, version), partial(_of_version, version, records))
        links |= {**others, "batches": batches}
    return links


def _from_batch(id_: str, ledger: Ledger) -> Json:
    records = ledger.records
    batch = records.find("batch", id_)
    links: Json = {"batch": batch}
    if batch and batch.values.get("outcomes"):
        joined = ledger.documents.read(BATCH_OUTCOMES, id_)
        members = [member["outcome"] for member in joined.value.members] if joined else []
        links["outcomes"] = _all("outcome", members[-NEWEST_OUTCOMES:], records)
    if batch and batch.values.get("model_version"):
        links |= _of_version(f"{batch.values['dataset']}:{batch.values['model_version']}", records)
        members = links["dataset"].values.get("uploads", []) if links["dataset"] else []
        links["uploads"] = _all("upload", members[:UPLOADS], records)
    return links


def _from_outcome(id_: str, ledger: Ledger) -> Json:
    """Back from what calls brought: the batch that was called, then as of that."""
    outcome = ledger.records.find("outcome", id_)
    batch = outcome.values.get("batch") if outcome else None
    links = _from_batch(batch, ledger) if batch else {}
    return {"outcome": outcome, **{kind: link for kind, link in links.items() if kind != "outcomes"}}


_FROM = {"upload": _from_upload, "batch": _from_batch, "outcome": _from_outcome}


def _of_version(version: str, records: Records) -> Json:
    """Dataset version and model share one id; the run and the deployment are named in them."""
    dataset, model = together(records.find, [("dataset", version), ("model", version)])
    run = dataset.values.get("run") if dataset else None
    at = model.values if model else {}
    deployment = (
        f"{at['endpoint']}/{at['deployment']}" if at.get("deployment") and at.get("endpoint") else None
    )
    wanted = [(kind, id_) for kind, id_ in (("run", run), ("deployment", deployment)) if id_]
    found = dict(zip([kind for kind, _ in wanted], together(records.find, wanted), strict=True))
    return {
        "dataset": dataset,
        "run": found.get("run"),
        "model": model,
        "deployment": found.get("deployment"),
    }


def _all(kind: str, ids: list[str], records: Records) -> list[Record]:
    found = together(records.find, [(kind, id_) for id_ in ids])
    return [record for record in found if record is not None]


def _shown(link: Record | list[Record]) -> Any:
    return [shown(record) for record in link] if isinstance(link, list) else shown(link)
