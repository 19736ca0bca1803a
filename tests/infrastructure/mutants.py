"""Mistakes in `infra/`, made one at a time and by rule: what is there is left out, or weakened, each in turn.

Every property, resource, module, parameter and output of every Bicep file; every entry of the lists in JSON; and by hand
the kinds of mistake that Microsoft's compiler was found to say nothing about.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.infrastructure.syntax import Source, declarations, text_of

FOLDER = ROOT / "infra"
LEFT_ALONE = ("description", "displayName", "friendlyName", "says", "notes")
"""Words for people: a check of them would only say them again."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A file with one mistake in it."""

    name: str
    file: str
    text: str
    words: tuple[str, ...]
    """One of them stands in the finding that names the mistake."""

    @property
    def source(self) -> Source:
        return Source(FOLDER, ((self.file, self.text),))


def mutants() -> list[Mutant]:
    """All of them."""
    found = [*_of_bicep(), *_of_resources(), *_of_queries(), *_of_parameters(), *_by_hand()]
    return list({each.name: each for each in found}.values())


# --- Bicep --------------------------------------------------------------------------------------------------


def _of_bicep() -> Iterator[Mutant]:
    source = Source(FOLDER)
    for file in source.names():
        text = source.read(file)
        root = source.tree(file)
        for each in declarations(root):
            yield from _of_declaration(file, text, each)


def _of_declaration(file: str, text: str, declared: Any) -> Iterator[Mutant]:
    symbol, node = declared.symbol, declared.node
    existing = any(text_of(child) == "existing" for child in node.children)
    if declared.kind != "param" or not declared.decorators:
        name = f"{file}: without the {declared.kind} {symbol}"
        yield _cut(name, file, text, node, words=_words_of(file, declared))
    if declared.kind == "output":
        return
    for decorator in declared.decorators:
        if not text_of(decorator).startswith("@description"):
            yield _cut(
                f"{file}: {symbol} without {text_of(decorator)}", file, text, decorator, words=(symbol,)
            )
    if not existing and declared.kind in ("resource", "module"):
        yield from _of_object(file, text, node, symbol)
        yield from _of_conditions(file, text, node, symbol)


def _words_of(file: str, declared: Any) -> tuple[str, ...]:
    """What a finding may call it: its symbol, its name, its type; of a module, the types of what it makes."""
    words = [declared.symbol]
    for each in declared.node.named_children:
        if each.type != "string":
            continue
        told = text_of(each).strip("'")
        words.append(told.partition("@")[0].rpartition("/")[2])
        if declared.kind == "module":
            words += _types_in(posixpath.normpath(posixpath.join(posixpath.dirname(file), told)))
    return tuple(words)


def _types_in(module: str) -> Iterator[str]:
    """Of the resources of a module; one of roles assigns them on what it is called by."""
    if module.startswith("roles/"):
        yield f" on {module.removeprefix('roles/').removesuffix('.bicep')} "
        return
    for each in declarations(Source(FOLDER).tree(module)):
        if each.kind == "resource":
            yield text_of(each.node.named_children[1]).strip("'").partition("@")[0].rpartition("/")[2]


ALSO = {
    "dependsOn": ("wait for",),
    "scope": ("is missing",),
    "params": ("is not given",),
    "subnetId": ("virtualNetworkSubnetId",),
    "name": ("is missing", "is not in the list"),
    "hostAccount": ("AzureWebJobsStorage__accountName",),
}
"""What findings call some properties by."""


def _of_conditions(file: str, text: str, node: Any, symbol: str) -> Iterator[Mutant]:
    """A resource without its condition."""
    for each in node.named_children:
        if each.type == "if_statement":
            body = each.named_children[-1]
            changed = _with(text, each.start_byte, body.start_byte, "")
            words = (symbol, "in the list", "nobody", "there is no deployer")
            yield Mutant(name=f"{file}: {symbol} without its condition", file=file, text=changed, words=words)


def _of_object(file: str, text: str, node: Any, path: str) -> Iterator[Mutant]:
    """Each property cut, and each value that can be weakened."""
    for each in node.children:
        if each.type == "object_property" and each.named_child_count == 2:
            key = text_of(each.named_children[0]).strip("'")
            value = each.named_children[1]
            here = f"{path}.{key}"
            if key in LEFT_ALONE:
                continue
            words = (path.rpartition(".")[2] if key.startswith("${") else key, *ALSO.get(key, ()))
            yield _cut(f"{file}: without {here}", file, text, each, words=(*words, *_within(value)))
            for other in _weaker(value):
                changed = _with(text, value.start_byte, value.end_byte, other)
                yield Mutant(name=f"{file}: {here} is {other}", file=file, text=changed, words=words)
            yield from _of_object(file, text, value, here)
        elif each.type in ("object", "array", "for_statement", "if_statement", "ternary_expression"):
            yield from _of_object(file, text, each, path)
        elif each.type == "object_property":
            inner = each.named_children[0]
            symbol = text_of(inner.named_children[0])
            yield _cut(f"{file}: without {path}.{symbol}", file, text, each, words=(symbol, "subnets"))
            yield from _of_object(file, text, inner, f"{path}.{symbol}")


def _within(value: Any) -> Iterator[str]:
    """What is lost with a property: the properties below it, and, of settings, the names."""
    for each in value.named_children:
        if each.type == "object_property" and each.named_child_count == 2:
            yield text_of(each.named_children[0]).strip("'")
        yield from _within(each)
    if value.type == "call_expression":
        yield "the setting "


def _weaker(value: Any) -> Iterator[str]:
    """The opposite of a flag, a text with a typo, a number beyond what is allowed."""
    text = text_of(value)
    if value.type == "boolean":
        yield "false" if text == "true" else "true"
    elif value.type == "number":
        yield "99999"
    elif value.type == "string" and "$" not in text and len(text) > 2:
        yield f"'{text.strip(chr(39))}x'"
    elif value.type == "ternary_expression" and "\n" not in text:
        yield text_of(value.named_children[2])


def _cut(name: str, file: str, text: str, node: Any, *, words: tuple[str, ...]) -> Mutant:
    """Without the node, and without a comma that parted it from the next."""
    data = text.encode()
    start, end = node.start_byte, node.end_byte
    after = data[end:].lstrip(b" ")
    if after.startswith(b","):
        end = len(data) - len(after) + 1
    elif data[:start].rstrip(b" ").endswith(b","):
        start = len(data[:start].rstrip(b" ")) - 1
    return Mutant(name=name, file=file, text=(data[:start] + data[end:]).decode(), words=words)


def _with(text: str, start: int, end: int, other: str) -> str:
    data = text.encode()
    return (data[:start] + other.encode() + data[end:]).decode()


# --- lists in JSON ------------------------------------------------------------------------------------------


def _of_resources() -> Iterator[Mutant]:
    listed = json.loads((FOLDER / "resources.json").read_text(encoding="utf-8"))
    for path, other, words in _changes(listed, ()):
        yield Mutant(
            name=f"resources.json: {path}",
            file="resources.json",
            text=json.dumps(other, indent=2) + "\n",
            words=words,
        )


def _changes(listed: Any, path: tuple[Any, ...]) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Each entry left out, each role widened, each text misspelt; all within one list."""
    at = _at(listed, path)
    if isinstance(at, dict):
        for key in at:
            if key not in LEFT_ALONE:
                yield from _changes(listed, (*path, key))
    elif isinstance(at, list):
        for number, each in enumerate(at):
            other = deepcopy(listed)
            del _at(other, path)[number]
            said = json.dumps(each)
            words = tuple(each.values()) if isinstance(each, dict) and "role" in each else ()
            named = words[0] if words else (each if isinstance(each, str) else each["name"])
            yield f"{'.'.join(map(str, path))} without {said[:70]}", other, (str(named),)
            if isinstance(each, dict) and "role" in each:
                yield from _wider(listed, path, number, each)
            elif isinstance(each, dict):
                yield from _changes(listed, (*path, number))
    elif isinstance(at, str):
        other = deepcopy(listed)
        _at(other, path[:-1])[path[-1]] = f"{at}x"
        yield f"{'.'.join(map(str, path))} is {at}x", other, (f"{at}x", at)


def _wider(
    listed: Any, path: tuple[Any, ...], number: int, each: dict[str, str]
) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """The same identity with more than it needs."""
    wide = {
        "container": "Storage Blob Data Owner",
        "account": "Storage Blob Data Owner",
        "queue": "Storage Queue Data Contributor",
    }.get(path[-1])
    if wide and wide != each["role"]:
        other = deepcopy(listed)
        _at(other, path)[number]["role"] = wide
        yield f"{'.'.join(path)}: {each['identity']} is {wide} on {each['on']}", other, (wide,)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


MISREAD = (
    ("where", "were"), ("traces", "trace"), ("requests", "request"), ("message", "msg"),
    ("said.action", "said.act"), ("said.problem", "said.fault"), ("'dead_letter'", "'give_up'"),
    ("'reconcile_due'", "'reconcile'"), ("resultCode", "result"), ("parse_json", "parse_jsn"),
    ("'http_api'", "'http'"),
)  # fmt: skip
"""Words of queries, and what they may be mistaken for."""


def _of_queries() -> Iterator[Mutant]:
    listed = json.loads((FOLDER / "queries.json").read_text(encoding="utf-8"))
    for number, alert in enumerate(listed["alerts"]):
        name = alert["name"]
        other = deepcopy(listed)
        del other["alerts"][number]
        yield Mutant(
            name=f"queries.json: without {name}", file="queries.json", text=json.dumps(other), words=(name,)
        )
        for key in sorted(alert.keys() - {"says"}):
            value = f"{alert[key]}x" if isinstance(alert[key], str) else alert[key] + 7
            other = deepcopy(listed)
            other["alerts"][number][key] = value
            words = (name, {"every": "evaluationFrequency", "window": "windowSize"}.get(key, key))
            yield Mutant(
                name=f"queries.json: {name}.{key} is {value}",
                file="queries.json",
                text=json.dumps(other),
                words=words,
            )
        for before, after in MISREAD:
            if before in alert["query"]:
                other = deepcopy(listed)
                other["alerts"][number]["query"] = alert["query"].replace(before, after, 1)
                yield Mutant(
                    name=f"queries.json: {name} with {after} for {before}",
                    file="queries.json",
                    text=json.dumps(other),
                    words=(name,),
                )


def _of_parameters() -> Iterator[Mutant]:
    listed = json.loads((FOLDER / "main.parameters.json").read_text(encoding="utf-8"))
    for name, each in listed["parameters"].items():
        other = deepcopy(listed)
        del other["parameters"][name]
        file = "main.parameters.json"
        yield Mutant(name=f"{file}: without {name}", file=file, text=json.dumps(other), words=(name,))
        other = deepcopy(listed)
        variable = each["value"]
        other["parameters"][name]["value"] = (
            variable.partition("=")[0] + "}" if "=" in variable else variable.replace("}", "=}")
        )
        yield Mutant(name=f"{file}: {name} the other way", file=file, text=json.dumps(other), words=(name,))


# --- by hand ------------------------------------------------------------------------------------------------

SURVIVORS = {
    "alerts.bicep: storageUnavailable.properties.criteria.allOf.name is 'availabilityx'": "a label within the alert",
    "monitoring.bicep: people.properties.groupShortName is 'campanhax'": "what messages are signed with",
    "monitoring.bicep: people.properties.emailReceivers.name is 'ownerx'": "a label within the group",
    "campanha.bicep: vnet.workSubnet.properties.delegations.name is 'flexx'": "Azure wants a name, whatever it is",
    "campanha.bicep: vnet.apiSubnet.properties.delegations.name is 'flexx'": "Azure wants a name, whatever it is",
    "private-endpoints.bicep: zoneGroups.properties.privateDnsZoneConfigs.name is 'apix'": "the same",
    "private-endpoints.bicep: zoneGroups.properties.privateDnsZoneConfigs.name is 'notebooksx'": "the same",
    "campanha.bicep: token without @minLength(8)": "tells the compiler how long names are, which we evaluate",
}
"""What no rule minds, and why."""
MISTAKES = Path(__file__).with_name("mistakes.json")
"""What each is, the file, what stands there, what instead, and a word of the finding."""


def _by_hand() -> Iterator[Mutant]:
    for each in json.loads(MISTAKES.read_text(encoding="utf-8")):
        name, file = f"{each['file']}: {each['mistake']}", each["file"]
        beside = (ROOT if file == "azure.yaml" else FOLDER) / file
        text = beside.read_text(encoding="utf-8")
        assert each["before"] in text, f"{name}: {each['before']} is not there"
        changed = text.replace(each["before"], each["after"], 1)
        yield Mutant(name=name, file=file, text=changed, words=(each["word"],))
