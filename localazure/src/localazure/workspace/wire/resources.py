"""The envelope of every ARM resource: id, name, type, properties, systemData."""

from __future__ import annotations

from localazure.workspace.settings import Settings
from localazure.workspace.wire.calls import Json
from localazure.workspace.wire.timestamps import now

PROVIDER = "Microsoft.MachineLearningServices/workspaces"


def resource(
    settings: Settings, path: str, of_type: str, properties: Json, made: Json, **more: object
) -> Json:
    """`path` is below the workspace, `of_type` the resource type, `made` what `stamp` gave."""
    return {
        "id": f"{settings.resource_id}/{path}",
        "name": path.rsplit("/", 1)[-1],
        "type": f"{PROVIDER}/{of_type}",
        "properties": properties,
        "systemData": made,
        **more,
    }


def stamp(before: Json | None = None) -> Json:
    """Who made a resource and when; given what it was before, when it changed."""
    moment = now()
    return {
        "createdAt": (before or {}).get("createdAt", moment),
        "createdBy": "localazure",
        "createdByType": "Application",
        "lastModifiedAt": moment,
        "lastModifiedBy": "localazure",
        "lastModifiedByType": "Application",
    }
