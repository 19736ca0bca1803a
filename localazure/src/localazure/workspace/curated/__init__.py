"""Environments of Azure's own registry, `azureml`, by the names that samples use: what stands for each here.

Each is a set of packages locked with hashes for every Python and system; the images themselves are not here.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

STANDINS = {
    "sklearn-1.5": "sklearn-1.5.txt",
    "minimal-py311-inference": "inference.txt",
    "minimal-ubuntu20.04-py38-cpu-inference": "inference.txt",
    "minimal-ubuntu20.04-py39-cpu-inference": "inference.txt",
    "minimal-ubuntu22.04-py39-cpu-inference": "inference.txt",
}
"""By the environment's name: the lock of the packages that are installed for it."""
_REGISTERED = re.compile(
    r"(?:azureml:)?.*/registries/(?P<registry>[^/]+)/environments/(?P<name>[^/:@]+)(?:[/:@].*)?", re.I
)


class NotHere(Exception):
    """An environment of a registry that nothing stands for; the message names it, and those there are."""


def in_registry(reference: str) -> bool:
    return _REGISTERED.fullmatch(reference) is not None


def conda_file(reference: str) -> str | None:
    """The conda file that stands for an environment of a registry, whatever its version; None when `reference` names
    none of a registry. raises: NotHere"""
    found = _REGISTERED.fullmatch(reference)
    if found is None:
        return None
    lock = STANDINS.get(found["name"]) if found["registry"].lower() == "azureml" else None
    if lock is None:
        raise NotHere(
            f"the environment {found['name']!r} of the registry {found['registry']!r} is not here; of the registry"
            f" 'azureml' there are {', '.join(STANDINS)}; register another one in the workspace, with a conda file"
        )
    requirements = Path(__file__).with_name(lock).read_text(encoding="utf-8")
    return yaml.safe_dump({"dependencies": ["pip", {"pip": [requirements]}]})
