"""The manifest of a dataset version that a run is to be started on."""

from __future__ import annotations

from shared.domain import names
from shared.errors import Transient
from shared.services import Services


def manifest_text(dataset: str, version: int, services: Services) -> bytes:
    """raises: Transient when it is missing: a run of that version could learn nothing"""
    name = names.manifest_blob(dataset, version)
    text = services.files.content(names.DATASETS, name)
    if text is None:
        raise Transient(f"the manifest {name} is missing from the {names.DATASETS} container")
    return text
