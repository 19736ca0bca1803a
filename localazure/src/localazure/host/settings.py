"""The app's settings: a file like local.settings.json, and the process's environment, which wins."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localazure.host.errors import BadSetting

STORAGE = "AzureWebJobsStorage"
"""The connection for the host's own blobs, and for triggers that name none."""


def apply(file: Path | None, environ: MutableMapping[str, str], *, port: int, app: Path) -> None:
    """Put the file's settings into `environ`, where a name that already has a value keeps it."""
    for name, value in (read(file) if file else {}).items():
        if not environ.get(name):
            environ[name] = value
    environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    environ["WEBSITE_HOSTNAME"] = f"127.0.0.1:{port}"
    environ["AzureWebJobsScriptRoot"] = str(app)


def read(file: Path) -> dict[str, str]:
    """`Values` and `ConnectionStrings` as environment variables; nulls are left out."""
    content = read_json(file, f"give --settings a file like local.settings.json, not {file}")
    if content.get("IsEncrypted"):
        raise BadSetting(f"{file} is encrypted: run `func settings decrypt`, or write the values in plain.")
    values = _strings(content, "Values", file)
    connections = _strings(content, "ConnectionStrings", file)
    return {**values, **{f"ConnectionStrings__{name}": value for name, value in connections.items()}}


def read_json(file: Path, remedy: str) -> dict[str, Any]:
    """The JSON object in `file`; raises BadSetting, which ends with `remedy`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as cause:
        raise BadSetting(f"{file} cannot be read ({cause.strerror}): {remedy}.") from cause
    except ValueError as cause:
        raise BadSetting(f"{file} is not JSON ({cause}).") from cause
    if not isinstance(content, dict):
        raise BadSetting(f"{file} must hold a JSON object, not {type(content).__name__}.")
    return content


def _strings(content: dict[str, Any], section: str, file: Path) -> dict[str, str]:
    found = content.get(section) or {}
    if not isinstance(found, dict) or any(isinstance(value, dict | list) for value in found.values()):
        raise BadSetting(f"{file}: {section} must be an object of plain values.")
    return {name: _as_text(value) for name, value in found.items() if value is not None}


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def resolve(text: str, environ: Mapping[str, str], *, where: str) -> str:
    """`text` with each %NAME% replaced by that setting; `where` names the place for the error."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        found = _named(name.replace(":", "__"), environ)
        if found is None:
            raise BadSetting(f"{where}: the setting {name} is missing. Add it to the settings file.")
        return found

    return re.sub(r"%([^%]+)%", value, text)


def _named(name: str, environ: Mapping[str, str]) -> str | None:
    """A setting by its name, whatever its case: to Azure's host they are all the same."""
    if name in environ:
        return environ[name]
    return next((value for key, value in environ.items() if key.lower() == name.lower()), None)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A storage account that a trigger or a binding names."""

    string: str
    """A connection string; of an identity-based one, its addresses without any key."""
    client: str | None = None
    """Of an identity-based one: the client id of the managed identity that signs in, empty for the only one."""


def is_named(name: str, environ: Mapping[str, str]) -> bool:
    """Whether there is a storage account of that name."""
    try:
        connection(name, environ, where="")
    except BadSetting:
        return False
    return True


_SERVICES = {
    "blobServiceUri": "BlobEndpoint",
    "queueServiceUri": "QueueEndpoint",
    "tableServiceUri": "TableEndpoint",
}


def connection(name: str, environ: Mapping[str, str], *, where: str) -> Connection:
    """The storage account called `name` (empty: the host's own storage)."""
    names = (f"AzureWebJobs{name or 'Storage'}", name or "Storage")
    for candidate in names:
        for prefix in ("ConnectionStrings__", ""):
            if value := environ.get(prefix + candidate):
                return Connection(string=value)
    for candidate in names:
        if any(key.startswith(f"{candidate}__") for key in environ):
            return _by_identity(candidate, environ, where=where)
    raise BadSetting(f"{where}: the setting {name or STORAGE} is missing. Set it to a connection string.")


def _by_identity(name: str, environ: Mapping[str, str], *, where: str) -> Connection:
    """source: https://learn.microsoft.com/azure/azure-functions/functions-reference#common-properties-for-identity-based-connections"""
    given = {key.partition("__")[2]: value for key, value in environ.items() if key.startswith(f"{name}__")}
    credential = given.get("credential", "")
    if credential.lower() != "managedidentity":
        raise BadSetting(
            f"{where}: {name}__credential is {credential!r}: this host signs in by `managedidentity` only, or takes a"
            f" connection string as {name}."
        )
    addresses = {kind: given[field] for field, kind in _SERVICES.items() if given.get(field)}
    if account := given.get("accountName"):
        for field, kind in _SERVICES.items():
            addresses.setdefault(kind, f"https://{account}.{field.partition('Service')[0]}.core.windows.net")
    if not addresses:
        raise BadSetting(f"{where}: {name} is identity-based and names no account: set {name}__accountName.")
    text = ";".join(f"{kind}={address}" for kind, address in addresses.items())
    return Connection(string=text, client=given.get("clientId", ""))


def is_on(value: str | None) -> bool:
    """How Azure reads a switch: `1` and `true` are on."""
    return (value or "").strip().lower() in {"1", "true"}
