"""Resources held against Microsoft's types: properties, enums, required and read-only fields, lengths and patterns.

Every enum is taken as closed: Microsoft's compiler takes most as open, and lets each typo in them pass.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.infrastructure.evaluation import Resource
from commands.infrastructure.values import Later

FACTS = ROOT / "infra" / "facts"
Node = dict[str, Any]
KINDS: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}


@lru_cache(maxsize=1)
def types(file: Path = FACTS / "azure-types.json.gz") -> dict[str, Node]:
    """By the type's name in small letters."""
    with gzip.open(file, "rt", encoding="utf-8") as opened:
        return {name.lower(): node for name, node in json.load(opened).items()}


def faults(resource: Resource) -> Iterator[str]:
    """What of the resource its type does not allow, each with the property's path."""
    known = types().get(resource.type.lower())
    if known is None:
        yield f"type {resource.type} is not among Microsoft's types"
        return
    if resource.api not in (known["apiVersion"], *known["newest"]):
        yield f"the API version {resource.api} of {resource.type} is not known; newest: {known['apiVersion']}"
    elif resource.api != known["apiVersion"]:
        yield f"the API version {resource.api} is not the newest, {known['apiVersion']}"
    yield from _Check(known["defs"]).faults(resource.body, known["body"], "")


@dataclass(frozen=True)
class _Check:
    defs: dict[str, Node]

    def faults(self, value: Any, node: Node, path: str) -> Iterator[str]:
        node = self._resolved(node)
        if value is None:
            return
        if "anyOf" in node:
            yield from self._any(value, node["anyOf"], path)
        elif "enum" in node or "const" in node:
            allowed = node.get("enum") or [node["const"]]
            if not isinstance(value, Later) and value not in allowed:
                yield f"{path} is {value!r}: one of {', '.join(map(str, allowed))}"
        elif node.get("t") in KINDS:
            yield from self._kind(value, node, path)

    def _resolved(self, node: Node) -> Node:
        while "ref" in node:
            node = self.defs[node["ref"]]
        return node

    def _any(self, value: Any, nodes: list[Node], path: str) -> Iterator[str]:
        tried = [list(self.faults(value, node, path)) for node in nodes]
        if all(tried):
            yield min(tried, key=len)[0]

    def _kind(self, value: Any, node: Node, path: str) -> Iterator[str]:
        kind = node["t"]
        if isinstance(value, Later) and kind in ("object", "array"):
            return
        if not isinstance(value, KINDS[kind]) or (kind == "int" and isinstance(value, bool)):
            yield f"{path} is {value!r}: {kind} is wanted"
        elif isinstance(value, str):
            yield from self._string(value, node, path)
        elif isinstance(value, list):
            yield from self._array(value, node, path)
        elif isinstance(value, dict):
            yield from self._object(value, node, path)
        elif kind == "int":
            yield from self._int(int(str(value)), node, path)

    def _string(self, value: str, node: Node, path: str) -> Iterator[str]:
        if isinstance(value, Later):
            return
        if not node.get("min", 0) <= len(value) <= node.get("max", len(value)):
            yield f"{path} is {value!r}: {node.get('min', 0)} to {node.get('max', 'any')} characters"
        if "pattern" in node and not re.search(node["pattern"], value):
            yield f"{path} is {value!r}: it does not match {node['pattern']}"

    def _int(self, value: int, node: Node, path: str) -> Iterator[str]:
        if not node.get("min", value) <= value <= node.get("max", value):
            yield f"{path} is {value}: {node.get('min', 'any')} to {node.get('max', 'any')}"

    def _array(self, value: list[Any], node: Node, path: str) -> Iterator[str]:
        for number, item in enumerate(value):
            yield from self.faults(item, node.get("items", {}), f"{path}.{number}")

    def _object(self, value: dict[str, Any], node: Node, path: str) -> Iterator[str]:
        props = dict(node.get("props", {}))
        extra = node.get("additional")
        if "discriminator" in node:
            key = node["discriminator"]
            chosen = node["elements"].get(value.get(key))
            if chosen is None:
                told = ", ".join(node["elements"])
                yield f"{_joined(path, key)} is {value.get(key)!r}: one of {told}"
                return
            more = self._resolved(chosen)
            if "discriminator" in more:
                yield from self._object(value, {**more, "props": props | more.get("props", {})}, path)
                return
            props |= more.get("props", {})
            extra = extra or more.get("additional")
        yield from self._properties(value, props, extra, path)

    def _properties(
        self, value: dict[str, Any], props: dict[str, Node], extra: Node | None, path: str
    ) -> Iterator[str]:
        for name, node in props.items():
            if node.get("required") and value.get(name) is None and not node.get("readOnly"):
                yield f"{_joined(path, name)} is missing"
        for name, given in value.items():
            here = _joined(path, name)
            known = props.get(name)
            if known is None and extra is None:
                yield f"{here} is no property of it"
            elif known is not None and known.get("readOnly") and given is not None:
                yield f"{here} is read-only"
            else:
                yield from self.faults(given, known or extra or {}, here)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
