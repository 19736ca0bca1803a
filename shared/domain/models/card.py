"""The model card: all that is known of one model version, from its data to who released it, in one document.

source: Mitchell and others, Model Cards for Model Reporting, Proceedings of FAT* 2019
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from shared.domain.datasets.manifest import Manifest

Json = Mapping[str, Any]

_TOLD = frozenset({"features", "list_columns", "variants", "importance", "model_sha256", "name", "version"})
"""Parts of a model's description that a card has in a place of its own."""


def model_card(record: Json, manifest: bytes, documents: Mapping[str, Json]) -> dict[str, Any]:
    """Sections that training wrote (evaluation, training, drift baseline) are passed through, whatever they hold.

    record: the model's, as it is shown; manifest: of the dataset version it learned from, as it is stored
    documents: the JSON documents of its folder, by name
    """
    data = Manifest.from_json(manifest)
    said, evaluation = documents.get("model", {}), documents.get("evaluation", {})
    variants = said.get("variants", {})
    return {
        "id": record["id"],
        "model": record,
        "data": {
            "version": data.version,
            "rows": data.rows,
            "repeats": data.repeats,
            "members": [
                {
                    "upload": part.upload,
                    "rows": part.rows,
                    "contentHash": part.content_hash,
                    "sha256": part.sha256,
                }
                for part in data.parts
            ],
        },
        "features": said.get("features", []),
        "listColumns": said.get("list_columns", []),
        "variants": {name: variant["members"] for name, variant in variants.items()},
        "importance": said.get("importance", {}),
        "hashes": _hashes(said, evaluation, manifest),
        "training": {name: value for name, value in said.items() if name not in _TOLD},
        "evaluation": evaluation,
        "driftBaseline": documents.get("profile", {}),
    }


def _hashes(said: Json, evaluation: Json, manifest: bytes) -> dict[str, str]:
    """Of what it answers by, of the rows it was judged on, of all rows, and of the list of the files they came in."""
    found = {
        "model": said.get("model_sha256"),
        "dataset": evaluation.get("dataset_id"),
        "holdOut": evaluation.get("holdout_id"),
        "manifest": hashlib.sha256(manifest).hexdigest(),
    }
    return {name: value for name, value in found.items() if value}
