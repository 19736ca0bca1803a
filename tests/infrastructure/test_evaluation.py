"""Bicep evaluated without Azure: what infra/ uses of the language means what it means to Microsoft's compiler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands.infrastructure.azure_types import faults
from commands.infrastructure.evaluation import SUBSCRIPTION, Deployment, Resource, evaluate, unused
from commands.infrastructure.syntax import BicepError, Source, check_with_pycep
from commands.infrastructure.values import Guid, Later

GROUP = """
targetScope = 'subscription'
param name string
resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: name
  location: 'westeurope'
}
"""
ACCOUNT = "Microsoft.Storage/storageAccounts@2026-09-01"


def made(tmp_path: Path, main: str, parameters: dict[str, Any] | None = None, **others: str) -> Deployment:
    """What `main` makes in a group; others: further files, by name without `.bicep`, or with another ending."""
    for name, text in {"main": main, **others}.items():
        (
            tmp_path / f"{name.replace('_json', '.json')}{'' if name.endswith('_json') else '.bicep'}"
        ).write_text(text)
    return evaluate(Source(tmp_path), "main.bicep", {"name": "rg", **(parameters or {})})


def in_group(text: str) -> str:
    """`inner.bicep` deployed into the group, and an `out` of it."""
    return (
        f"{GROUP}module inner 'inner.bicep' = {{\n  scope: group\n}}\noutput out string = inner.outputs.out\n"
    )


def out(tmp_path: Path, expression: str, before: str = "") -> Any:
    """The value of an expression within a group."""
    inner = f"{before}\noutput out string = {expression}\n"
    return made(tmp_path, in_group(""), inner=inner).outputs["out"]


@pytest.mark.parametrize(
    ("expression", "before", "value"),
    [
        ("'a${b} ${b}c'", "var b = 'x'", "ax xc"),
        (r"'it\'s'", "", "it's"),
        ("a == 'x' ? 'yes' : 'no'", "var a = 'x'", "yes"),
        ("!a || false ? 'yes' : 'no'", "var a = true", "no"),
        ("a && empty('') ? 'yes' : 'no'", "var a = true", "yes"),
        ("a.b[1].c", "var a = { b: [{ c: '0' }, { c: '1' }] }", "1"),
        ("a[b]", "var a = { 'x y': 'found' }\nvar b = 'x y'", "found"),
        ("union({ a: '1', b: '1' }, { b: '2' }).b", "", "2"),
        ("toLower('ABC')", "", "abc"),
        ("resourceGroup().name", "", "rg"),
        ("subscription().subscriptionId", "", SUBSCRIPTION),
        ("'privatelink.blob.${environment().suffixes.storage}'", "", "privatelink.blob.core.windows.net"),
    ],
)
def test_an_expression_has_its_value(tmp_path: Path, expression: str, before: str, value: str) -> None:
    assert out(tmp_path, expression, before) == value


def test_what_only_azure_knows_is_named_by_where_it_is_read(tmp_path: Path) -> None:
    account = f"resource a '{ACCOUNT}' = {{\n  name: 'stx'\n}}"
    address = out(tmp_path, "'${a.properties.primaryEndpoints.blob}x'", account)
    assert isinstance(address, Later)
    assert address == "stx.properties.primaryEndpoints.blobx"


def test_names_are_the_same_for_the_same_and_others_for_others(tmp_path: Path) -> None:
    assert out(tmp_path, "uniqueString('a')") == out(tmp_path, "uniqueString('a')")
    assert out(tmp_path, "uniqueString('a')") != out(tmp_path, "uniqueString('b')")
    guid = out(tmp_path, "guid('a', 'b')")
    assert isinstance(guid, Guid)
    assert (len(guid), guid.parts) == (36, ("a", "b"))


LOOP = f"""
param private bool
var names = loadJsonContent('names.json')
resource a '{ACCOUNT}' = {{
  name: 'stx'
  resource blobs 'blobServices' = {{
    name: 'default'
  }}
}}
resource each '{ACCOUNT.replace("@", "/blobServices/containers@")}' = [
  for (name, i) in names: {{
    parent: a::blobs
    name: '${{name}}${{i}}'
    properties: {{ publicAccess: private ? 'None' : 'Blob' }}
  }}
]
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (private) {{
  name: 'keep'
  scope: a
  properties: {{ level: 'CanNotDelete' }}
  dependsOn: [each]
}}
"""


@pytest.mark.parametrize("private", [True, False])
def test_loops_conditions_children_and_extensions(tmp_path: Path, private: bool) -> None:
    main = f"""{GROUP}param private bool
module inner 'inner.bicep' = {{
  scope: group
  params: {{ private: private }}
}}
"""
    found = made(tmp_path, main, {"private": private}, inner=LOOP, names_json='["in", "out"]')
    root = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    account = f"{root}/providers/Microsoft.Storage/storageAccounts/stx"
    ids = [each.id for each in found.resources]
    assert ids == [
        root,
        account,
        f"{account}/blobServices/default",
        f"{account}/blobServices/default/containers/in0",
        f"{account}/blobServices/default/containers/out1",
        *([f"{account}/providers/Microsoft.Authorization/locks/keep"] if private else []),
    ]
    assert [each.type.rpartition("/")[2] for each in found.resources][2:5] == [
        "blobServices",
        "containers",
        "containers",
    ]
    assert found.resources[3].at("properties.publicAccess") == ("None" if private else "Blob")
    if private:
        assert found.resources[-1].scope == account
        before = found.waits_for("inner/lock")
        assert {"inner/each[0]", "inner/each[1]", "inner/a", "group"} <= before


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        ("output out string = a", "there is no a"),
        ("var a = b\nvar b = a\noutput out string = a", "depends on itself"),
        ("param a string\noutput out string = a", "the parameter a of inner.bicep is not given"),
        ("param a int = 'x'\noutput out string = '${a}'", "int is wanted"),
        ("@minLength(3)\nparam a string = 'x'\noutput out string = a", "@minLength(3)"),
        ("@allowed(['y'])\nparam a string = 'x'\noutput out string = a", "@allowed"),
        ("output out string = nothing()", "the function nothing is not known here"),
        ("output out string = 'a' ?? 'b'", "is not known here"),
        ("var a = { b: '1' }\noutput out string = a.c", "a.c"),
        ("output out string = loadTextContent('x.txt')", "there is no such file"),
        ("output out string = ", "it does not parse"),
        (
            f"resource a '{ACCOUNT}' = {{\n  name: 'x'\n  name: 'y'\n}}\noutput out string = a.id",
            "stands there twice",
        ),
        (f"resource a '{ACCOUNT}' = {{\n  kind: 'x'\n}}\noutput out string = a.id", "has no name"),
        (
            f"resource a '{ACCOUNT.replace('@', '/blobServices@')}' = {{\n  name: 'x'\n}}\noutput out string = a.id",
            "has no parent",
        ),
    ],
)
def test_what_cannot_be_is_said_with_its_file(tmp_path: Path, inner: str, says: str) -> None:
    with pytest.raises(BicepError) as raised:
        made(tmp_path, in_group(""), inner=inner)
    assert says in str(raised.value)
    assert raised.value.place.partition(":")[0] in ("inner.bicep", "inner", "x.txt")


def test_a_module_takes_no_parameter_that_it_has_not(tmp_path: Path) -> None:
    main = f"{GROUP}module inner 'inner.bicep' = {{\n  scope: group\n  params: {{ other: 'x' }}\n}}\n"
    with pytest.raises(BicepError, match="other is no parameter"):
        made(tmp_path, main, inner="output out string = 'x'")


def test_what_nothing_reads_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.bicep").write_text("param a string\nvar b = a\nvar c = 1\noutput d string = b\n")
    assert [str(each) for each in unused(Source(tmp_path), "a.bicep")] == [
        "a.bicep:3: nothing reads the var c"
    ]


def test_both_parsers_have_to_take_a_file() -> None:
    check_with_pycep("param a string\n", "a.bicep")
    with pytest.raises(BicepError, match="pycep does not parse it"):
        check_with_pycep("resource a 'x@y' = [for b in c: if (d) { name: b }]", "a.bicep")


# --- Microsoft's types --------------------------------------------------------------------------------------


def queue(**body: Any) -> Resource:
    return Resource(
        type="Microsoft.Storage/storageAccounts/queueServices/queues", api=body.pop("api", "2026-09-01"),
        name="x", id="x", body=body, scope="", place="", path="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "steps"}, ""),
        ({"name": Later("x.name")}, ""),
        ({}, "name is missing"),
        ({"name": "s"}, "3 to 63 characters"),
        ({"name": "Steps"}, "does not match"),
        ({"name": 7}, "string is wanted"),
        ({"name": "steps", "propertys": {}}, "propertys is no property"),
        ({"name": "steps", "id": "x"}, "id is read-only"),
        (
            {"name": "steps", "properties": {"metadata": {"a": 1}}},
            "properties.metadata.a is 1: string is wanted",
        ),
        ({"name": "steps", "api": "2025-08-01"}, "not the newest"),
        ({"name": "steps", "api": "2024-01-01"}, "is not known"),
    ],
)
def test_a_resource_is_held_against_its_type(given: dict[str, Any], says: str) -> None:
    found = list(faults(queue(**given)))
    assert (says in found[0]) if says else found == []


def test_enums_are_closed_and_discriminators_chosen() -> None:
    def subscription(destination: dict[str, Any]) -> list[str]:
        body = {"name": "runs", "properties": {"deliveryWithResourceIdentity": {"destination": destination}}}
        kind = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
        return list(
            faults(
                Resource(
                    type=kind, api="2025-02-15", name="x", id="x", body=body, scope="", place="", path=""
                )
            )
        )

    queue_ = {"endpointType": "StorageQueue", "properties": {"queueName": "steps"}}
    assert subscription(queue_) == []
    assert "endpointType is 'Queue': one of" in subscription({**queue_, "endpointType": "Queue"})[0]
    assert "queue is no property" in subscription({**queue_, "properties": {"queue": "steps"}})[0]
