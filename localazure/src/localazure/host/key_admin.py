"""The key management API: /admin/host/{keys,functionkeys,systemkeys} and /admin/functions/{name}/keys.

Source: https://github.com/Azure/azure-functions-host/wiki/Key-management-API and the host's KeysController
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from localazure.host.keys import DEFAULT, MASTER, Keys, new_key
from localazure.host.wire import Reply, Request, json_reply

HOST_SCOPES = frozenset({"keys", "functionkeys", "systemkeys"})


class KeyAdmin:
    """Lists, reads, makes, changes and deletes keys, and keeps them."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def of_host(self, scope: str, name: str | None, request: Request) -> Reply:
        """`scope` is one of HOST_SCOPES; `keys` is another word for `functionkeys`."""
        system = scope == "systemkeys"
        kept = self._keys.system if system else self._keys.host
        if name and name.lower() == MASTER and request.method in {"PUT", "POST"}:
            return self._set_master(request)
        if name and name.lower() == MASTER and request.method == "GET":
            return _shown(MASTER, self._keys.master, request) if system else Reply(status=404)
        return self._answer(kept, name, request, kept_name=None if system else DEFAULT)

    def of_function(self, function: str, name: str | None, request: Request) -> Reply:
        return self._answer(self._keys.functions.setdefault(function, {}), name, request)

    def _answer(
        self, kept: dict[str, str], name: str | None, request: Request, *, kept_name: str | None = None
    ) -> Reply:
        """`kept_name` is the key that may be changed, but not deleted."""
        if name is None:
            return _listed(kept, request) if request.method == "GET" else Reply(status=404)
        known = next((one for one in kept if one.lower() == name.lower()), None)
        if request.method == "GET":
            return _shown(known, kept[known], request) if known else Reply(status=404)
        if request.method in {"PUT", "POST"}:
            return self._set(kept, known or name, request, created=known is None)
        return self._delete(kept, known, name, kept_name) if request.method == "DELETE" else Reply(status=404)

    def _set(self, kept: dict[str, str], name: str, request: Request, *, created: bool) -> Reply:
        value = _value(request)
        if value is None:
            return _refused("Invalid key value")
        kept[name] = value
        self._keys.save()
        return _shown(name, value, request, status=201 if created else 200)

    def _set_master(self, request: Request) -> Reply:
        value = _value(request)
        if value is None:
            return _refused("Invalid key value")
        self._keys.master = value
        self._keys.save()
        return _shown(MASTER, value, request)

    def _delete(self, kept: dict[str, str], known: str | None, name: str, kept_name: str | None) -> Reply:
        if name.startswith("_"):
            return _refused("Invalid key name.")
        if known is None:
            return Reply(status=404)
        if known == kept_name:
            return _refused(f"The key {known} stays: scripts on this machine read it. PUT another value.")
        del kept[known]
        self._keys.save()
        return Reply(status=204)


def _value(request: Request) -> str | None:
    """What a PUT gives, or a new key for a POST; None when a PUT gives nothing."""
    if request.method == "POST":
        return new_key()
    try:
        value = json.loads(request.body)["value"]
    except (ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) and value else None


def _shown(name: str, value: str, request: Request, *, status: int = 200) -> Reply:
    return json_reply({"name": name, "value": value, "links": _links(request)}, status=status)


def _listed(kept: Mapping[str, str], request: Request) -> Reply:
    keys = [{"name": name, "value": value, "links": _links(request, name)} for name, value in kept.items()]
    return json_reply({"keys": keys, "links": _links(request)})


def _links(request: Request, name: str = "") -> list[dict[str, str]]:
    here = request.url.partition("?")[0].rstrip("/")
    return [{"rel": "self", "href": f"{here}/{name}" if name else here}]


def _refused(message: str) -> Reply:
    return json_reply({"message": message}, status=400)
