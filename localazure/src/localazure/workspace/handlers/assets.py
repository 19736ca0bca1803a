"""Versioned assets: data, models, environments, components; containers, versions, latest, archiving."""

from __future__ import annotations

from typing import Any

from localazure.workspace import bodies
from localazure.workspace.store.blobs import Place
from localazure.workspace.store.uris import UnknownPath
from localazure.workspace.wire.calls import (
    Call,
    Json,
    Refusal,
    Reply,
    check_query,
    in_view,
    listing,
    not_found,
)
from localazure.workspace.wire.resources import resource, stamp
from localazure.workspace.workspace import Workspace

_FIXED: dict[str, tuple[str, ...]] = {
    "data": ("dataUri", "dataType"),
    "models": ("modelUri",),
    "environments": ("image", "condaFile", "build"),
    "components": ("componentSpec",),
}
_BODIES = {
    "data": bodies.DATA,
    "models": bodies.MODEL,
    "environments": bodies.ENVIRONMENT,
    "components": bodies.COMPONENT,
}
_FOLDERS = ("uri_folder", "mltable")
"""The types of data whose paths in a datastore the service tells with a slash at their end."""
_COSMETIC = ("description", "display_name", "tags", "version", "_source", "$schema", "sourceJobId")
"""Parts of a component that may change without a new version."""


def list_containers(workspace: Workspace, call: Call) -> Reply:
    check_query(call)
    kind = call.names["kind"]
    containers = workspace.store.all(kind)
    return listing(
        [_container(workspace, kind, one) for one in containers if _wanted(one["properties"], call)]
    )


def get_container(workspace: Workspace, call: Call) -> Reply:
    kind, name = call.names["kind"], call.names["name"]
    container = workspace.store.get(kind, name)
    if container is None:
        raise not_found(kind, name)
    return Reply(body=_container(workspace, kind, container))


def put_container(workspace: Workspace, call: Call) -> Reply:
    """Archiving and restoring; also a container without versions."""
    kind, name = call.names["kind"], call.names["name"]
    given = call.json().get("properties") or {}
    _ensure_container(workspace, kind, name, given)
    container = workspace.store.change(kind, name, lambda one: one["properties"].update(given))
    if container is None:
        raise not_found(kind, name)
    return Reply(body=_container(workspace, kind, container))


def list_versions(workspace: Workspace, call: Call) -> Reply:
    check_query(
        call, "$orderBy", "orderBy", "$top", "top", *(["stage"] if call.names["kind"] == "models" else [])
    )
    kind, name = call.names["kind"], call.names["name"]
    newest_first = "desc" in call.query.get("$orderBy", call.query.get("orderBy", "desc")).lower()
    versions = workspace.store.all(f"{kind}/versions", family=name, newest_first=newest_first)
    top = call.query.get("$top") or call.query.get("top")
    wanted = [one for one in versions if _wanted(one["properties"], call)][: int(top) if top else None]
    return listing([_version(workspace, kind, one) for one in wanted])


def get_version(workspace: Workspace, call: Call) -> Reply:
    kind, name, version = call.names["kind"], call.names["name"], call.names["version"]
    if kind == "components" and version == "azureml_default":
        version = _latest(workspace, kind, name) or version
    found = workspace.store.get(f"{kind}/versions", f"{name}:{version}")
    if found is None:
        raise not_found(kind, f"{name}:{version}")
    return Reply(body=_version(workspace, kind, found))


def put_version(workspace: Workspace, call: Call) -> Reply:
    """Creates a version, or edits what may be edited of one: tags, description, archiving."""
    kind, name, version = call.names["kind"], call.names["name"], call.names["version"]
    properties = call.json().get("properties")
    if not isinstance(properties, dict):
        raise Refusal(400, "UserError", "the body has no `properties`")
    properties = _accepted(workspace, kind, version, properties)
    with workspace.store.together():  # of two at once, the second is a change of what the first made
        return _put_version(workspace, kind, name, version, properties)


def _put_version(workspace: Workspace, kind: str, name: str, version: str, properties: Json) -> Reply:
    before = workspace.store.get(f"{kind}/versions", f"{name}:{version}")
    if before is not None and properties["isAnonymous"]:
        return Reply(body=_version(workspace, kind, before))  # its version is a hash of what matters
    if before is not None and kind == "environments" and "environments-stay" in workspace.strict:
        properties |= {name: before["properties"].get(name) for name in _FIXED[kind]}
    if before is not None:
        _check_unchanged(kind, before["properties"], properties)
        if job := before["properties"].get("jobName"):
            properties["jobName"] = properties.get("jobName") or job
    document = {
        "name": name,
        "version": version,
        "properties": properties,
        "made": stamp((before or {}).get("made")),
    }
    new = workspace.store.put(f"{kind}/versions", f"{name}:{version}", document, family=name)
    if not properties.get("isAnonymous"):
        _ensure_container(workspace, kind, name, properties)
    if new and kind == "models":
        workspace.events.model_registered(document)
    return Reply(status=201 if new else 200, body=_version(workspace, kind, document))


def delete_version(workspace: Workspace, call: Call) -> Reply:
    kind, name, version = call.names["kind"], call.names["name"], call.names["version"]
    removed = workspace.store.remove(f"{kind}/versions", f"{name}:{version}")
    if not workspace.store.all(f"{kind}/versions", family=name):
        workspace.store.remove(kind, name)
    return Reply(status=200 if removed else 204)


def _accepted(workspace: Workspace, kind: str, version: str, given: Json) -> Json:
    """The properties as the service keeps them."""
    _BODIES[kind].check(given)
    properties: Json = {"tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False} | given
    properties["tags"], properties["properties"] = (
        _texts(properties["tags"]),
        _texts(properties["properties"]),
    )
    if kind == "data":
        _need(properties, "dataUri")
        properties["dataUri"] = workspace.resolver.long_form(properties["dataUri"])
        if properties.get("dataType", "uri_folder") in _FOLDERS and "/datastores/" in properties["dataUri"]:
            properties["dataUri"] = f"{properties['dataUri'].rstrip('/')}/"
    if kind == "models":
        _need(properties, "modelUri")
        properties |= _model(workspace, properties)
    if kind == "components":
        _need(properties, "componentSpec")
        spec = dict(properties["componentSpec"])
        if not properties["isAnonymous"]:
            spec["version"] = version
        properties["componentSpec"] = spec
    if kind == "environments":
        properties |= {"environmentType": "UserCreated", "osType": properties.get("osType", "Linux")}
    return properties


def _model(workspace: Workspace, properties: Json) -> Json:
    """Where a model's files are, and the job they came from."""
    uri = properties["modelUri"]
    try:
        long_form = workspace.resolver.long_form(uri)
        place = workspace.resolver.place(long_form)
    except UnknownPath as cause:
        raise Refusal(400, "UserError", f"modelUri {uri!r}: {cause}") from cause
    if isinstance(place, Place) and not workspace.blobs.holds(place):
        raise Refusal(400, "UserError", f"modelUri {uri!r}: there is nothing at {place} to register")
    mlflow = properties.get("modelType") == "mlflow_model"
    return {
        "modelUri": long_form,
        "jobName": workspace.resolver.job_of(uri) or properties.get("jobName"),
        "modelType": properties.get("modelType") or "custom_model",
        "flavors": properties.get("flavors") or ({"python_function": {"data": {}}} if mlflow else {}),
    }


def _need(properties: Json, name: str) -> None:
    if not properties.get(name):
        raise Refusal(400, "UserError", f"properties.{name} is missing")


def _texts(given: Any) -> dict[str, str]:
    return {key: "" if value is None else str(value) for key, value in (given or {}).items()}


def _check_unchanged(kind: str, before: Json, after: Json) -> None:
    """A version's content is fixed when it is made."""
    for name in _FIXED[kind]:
        if _essence(before.get(name)) == _essence(after.get(name)):
            continue
        if name in ("dataUri", "modelUri"):
            raise Refusal(409, "UserError", "Asset paths cannot be updated.")
        raise Refusal(
            409, "UserError", f"`{name}` of an existing version cannot change; register a new version"
        )


def _essence(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if key not in _COSMETIC}
    return value.rstrip("/") if isinstance(value, str) else value


def _ensure_container(workspace: Workspace, kind: str, name: str, properties: Json) -> None:
    about = {"tags": {}, "properties": {}, "isArchived": False}
    if kind == "data":
        about["dataType"] = properties.get("dataType", "uri_folder")
    workspace.store.add(kind, name, {"name": name, "properties": about, "made": stamp()})


def _latest(workspace: Workspace, kind: str, name: str) -> str | None:
    """The version made last."""
    found = workspace.store.newest(
        f"{kind}/versions", family=name, wanted=lambda one: not one["properties"]["isArchived"]
    )
    return found["version"] if found else None


def _container(workspace: Workspace, kind: str, container: Json) -> Json:
    name = container["name"]
    numbers = [key.rpartition(":")[2] for key in workspace.store.keys(f"{kind}/versions", family=name)]
    highest = max((int(number) for number in numbers if number.isdecimal()), default=0)
    properties = container["properties"] | {
        "latestVersion": _latest(workspace, kind, name),
        "nextVersion": str(highest + 1),
    }
    return resource(workspace.settings, f"{kind}/{name}", kind, properties, container["made"])


def _version(workspace: Workspace, kind: str, one: Json) -> Json:
    path = f"{kind}/{one['name']}/versions/{one['version']}"
    properties = one["properties"] | {"provisioningState": "Succeeded"}
    if kind == "components":
        spec = properties["componentSpec"]
        inputs = {name: {"optional": False} | given for name, given in (spec.get("inputs") or {}).items()}
        properties["componentSpec"] = spec | ({"inputs": inputs} if inputs else {})
    return resource(workspace.settings, path, f"{kind}/versions", properties, one["made"])


def _wanted(properties: Json, call: Call) -> bool:
    stage = call.query.get("stage")
    if stage and str(properties.get("stage") or "").lower() != stage.lower():
        return False
    return in_view(call, bool(properties.get("isArchived")))
