"""What the template would change in Azure, for whoever reads a pull request; and whether Azure is still what it says.

What Azure cannot predict is no change: a resource whose name only a deployment knows (a role assignment's is made of the
identity's id), and a property whose value still is an expression. **Never tried**: the stand-in answers as is described.

source: https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-what-if (the change types), and
https://aka.ms/WhatIfUnidentifiableResource
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.stack.errors import StackError

TEMPLATE = ROOT / "infra" / "main.bicep"
PARAMETERS = ROOT / "infra" / "main.parameters.json"
DECLARED = re.compile(r"^param (\w+) (\w+)", re.MULTILINE)
"""A parameter of the template and its type."""
PLACEHOLDER = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")
KINDS = {"int": int, "bool": bool, "object": dict, "array": list}
"""Types that are no texts, and what each is in JSON."""
UNCHANGED = ("NoChange", "Ignore")
"""`Ignore`: it is in Azure, and no template's."""
UNPREDICTED = "Unsupported"
"""In Azure's words."""
ACCESS = "Microsoft.Authorization/"
EXPRESSION = re.compile(r"\[[A-Za-z]\w*\(")
"""How a value begins that was not calculated: `[reference(...).outputs.x]`; a text that begins with `[` may be a list."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A resource that would not stay as it is."""

    kind: str
    """As Azure says it: Create, Modify, Delete, Deploy, Unsupported."""
    resource: str
    properties: tuple[str, ...]

    @property
    def is_predicted(self) -> bool:
        return self.kind != UNPREDICTED

    @property
    def is_grave(self) -> bool:
        """Whether it takes something away, or changes who may do what."""
        if not self.is_predicted:
            return False
        return self.kind == "Delete" or (ACCESS in self.resource and self.kind != "Create")


def bicep() -> int:
    """The template as Bicep itself compiles and lints it; the exit code."""
    for step in ("build", "lint"):
        more = ["--stdout"] if step == "build" else []
        done = _az("bicep", step, "--file", str(TEMPLATE), *more)
        print(done.stderr.strip() or f"az bicep {step}: nothing to say")
        if done.returncode != 0:
            return done.returncode
    return 0


def changes(environment: Mapping[str, str]) -> list[Change]:
    """raises: StackError where Azure cannot say it"""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "parameters.json"
        filled = parameters(PARAMETERS.read_text(encoding="utf-8"), environment)
        given.write_text(typed(filled, TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
        done = _az(
            "deployment", "sub", "what-if", "--location", environment.get("AZURE_LOCATION", ""),
            "--template-file", str(TEMPLATE), "--parameters", f"@{given}",
            "--validation-level", "ProviderNoRbac", "--no-pretty-print", "--output", "json",
        )  # fmt: skip
    if done.returncode != 0:
        raise StackError(f"az could not say what would change:\n{done.stderr.strip()[-2000:]}")
    return read(done.stdout)


def parameters(text: str, environment: Mapping[str, str]) -> str:
    """The file as azd fills it in. raises: StackError that names all variables that have no value"""
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, default = found.groups()
        given = environment.get(name) or default
        if given is None:
            missing.append(name)
        return json.dumps(given or "")[1:-1]

    filled = PLACEHOLDER.sub(value, text)
    if missing:
        raise StackError(f"not set: {', '.join(missing)}. docs/azure.md says what each is.")
    return filled


def typed(filled: str, template: str) -> str:
    """The same with numbers, flags and objects in place of their texts, as azd has it: Azure takes no text for them.

    raises: StackError that names what is none
    """
    types, file, wrong = dict(DECLARED.findall(template)), json.loads(filled), []
    for name, each in list(file["parameters"].items()):
        wanted = KINDS.get(types.get(name, ""))
        if wanted is None:
            continue
        if each["value"] == "":
            del file["parameters"][name]  # the template's own default
            continue
        try:
            each["value"] = json.loads(each["value"])
        except ValueError:
            wrong.append(f"{name} ({types[name]})")
        else:
            wrong += [f"{name} ({types[name]})"] if type(each["value"]) is not wanted else []
    if wrong:
        raise StackError(
            f"not what main.bicep asks for: {', '.join(wrong)}. docs/azure.md says what each is."
        )
    return json.dumps(file)


def read(text: str) -> list[Change]:
    """What stays as it is left out; raises: StackError where the text is no answer of Azure's"""
    try:
        told: list[dict[str, Any]] = json.loads(text)["changes"]
        found = [_change(each) for each in told if not _is_only_unresolved(each)]
    except (ValueError, KeyError, TypeError) as fault:
        raise StackError(f"az answered what cannot be read: {fault!r}") from fault
    return [each for each in found if each.kind not in UNCHANGED]


def _change(told: dict[str, Any]) -> Change:
    paths = tuple(part["path"] for part in told.get("delta") or () if not _is_unresolved(part))
    return Change(kind=told["changeType"], resource=told["resourceId"], properties=paths)


def _is_only_unresolved(told: dict[str, Any]) -> bool:
    """A change of nothing but values that nobody knows yet."""
    delta = told.get("delta") or ()
    return told["changeType"] == "Modify" and bool(delta) and all(_is_unresolved(part) for part in delta)


def _is_unresolved(part: dict[str, Any]) -> bool:
    """Of a list or an object: all in it that would change."""
    if within := part.get("children"):
        return all(_is_unresolved(each) for each in within)
    after = part.get("after")
    return isinstance(after, str) and EXPRESSION.match(after) is not None


def report(found: Sequence[Change]) -> str:
    """In Markdown; what is grave comes first."""
    unpredicted = sum(not each.is_predicted for each in found)
    rest = f" Not predicted: {unpredicted}, whose names only a deployment knows." if unpredicted else ""
    found = [each for each in found if each.is_predicted]
    if not found:
        return f"**Azure**: nothing would change.{rest}"
    grave = sum(each.is_grave for each in found)
    told = f", **{grave} of which take something away or change who may do what**" if grave else ""
    rows = [
        f"| {'**' + each.kind + '**' if each.is_grave else each.kind} | `{_short(each.resource)}` | {_listed(each)} |"
        for each in sorted(found, key=lambda one: (not one.is_grave, one.kind, one.resource))
    ]
    head = [
        f"**Azure**: {len(found)} resources would change{told}.{rest}",
        "",
        "| | resource | properties |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def _short(resource: str) -> str:
    return resource.rpartition("/providers/")[2] or resource


def _listed(change: Change) -> str:
    return ", ".join(f"`{name}`" for name in change.properties)


def _az(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("az")
    if program is None:
        raise StackError("the Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli")
    return subprocess.run(
        [program, *arguments], capture_output=True, encoding="utf-8", check=False, env=dict(os.environ)
    )
