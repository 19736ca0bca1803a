"""Where the registered models are that a run is given: folders, which Azure ML brings to its steps."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import Refused

Folders = Mapping[int, str]
"""By registered version, as `Workspace.model_folders` tells them."""


def newest_before(version: int, folders: Folders) -> str | None:
    """Of the newest model below the version, whatever became of it; None without one."""
    earlier = [known for known in folders if known < version]
    return folders[max(earlier)] if earlier else None


def folder_of(dataset: str, version: int, folders: Folders) -> str:
    """raises: Refused when the workspace does not have the model"""
    if version not in folders:
        raise Refused(
            f"model {dataset}:{version} is not in the workspace any more: register its folder again, or have another"
            " version answer"
        )
    return folders[version]
