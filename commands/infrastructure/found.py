"""What the checks look at: the deployment of `infra/` for each value of the network switch, and what they find in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from commands.infrastructure.evaluation import Deployment, Resource, evaluate
from commands.infrastructure.syntax import Source

PARAMETERS: dict[str, Any] = {
    "environmentName": "bank",
    "location": "westeurope",
    "network": "public",
    "generation": "1",
    "deployerId": "00000000-0000-0000-0000-0000000000d1",
    "deployerType": "User",
    "alertEmail": "owner@example.org",
    "apiAudience": "00000000-0000-0000-0000-00000000000a",
    "alertChannels": "@Microsoft.KeyVault(SecretUri=https://bank.vault.azure.net/secrets/alert-channels)",
    "moreSettings": {"CALL_COST": "4", "LEDGER_TABLE": "none: the template sets this one itself"},
    "pythonVersion": "3.13",
    "clusterSize": "Standard_D4as_v4",
    "clusterMost": 2,
    "budgetStart": "2027-01-01",
    "budgetAmount": 500,
}
"""Any; what must hold, must hold for all."""
TOKEN = re.compile(r"u[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it must be: where, and what."""

    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


@dataclass(frozen=True)
class Infrastructure:
    """The files, and what they make."""

    source: Source

    @cached_property
    def public(self) -> Deployment:
        return self.with_parameters(network="public")

    @cached_property
    def private(self) -> Deployment:
        return self.with_parameters(network="private")

    def with_parameters(self, **other: Any) -> Deployment:
        return evaluate(self.source, "main.bicep", {**PARAMETERS, **other})


@dataclass(frozen=True)
class Network:
    """The deployment for one value of the network switch."""

    deployment: Deployment
    private: bool

    def of(self, type_: str) -> list[Resource]:
        return self.deployment.of(type_)

    def named(self, type_: str, name: str) -> Resource | None:
        """The one of a type whose name is this, `*` being the token."""
        return next((each for each in self.of(type_) if short(each) == name), None)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Something that must hold for each value of the network switch."""

    name: str
    says: str
    traps: tuple[str, ...]
    """Of the first deployment, as docs/azure.md numbers them, that it holds against."""
    check: Callable[[Network], Iterator[Finding]]


RULES: list[Rule] = []
Check = Callable[[Network], Iterator[Finding]]


def rule(*traps: str) -> Callable[[Check], Check]:
    """Makes a function a rule: its name, its first line, and the traps that it holds against."""

    def registered(check: Check) -> Check:
        says = (check.__doc__ or "").splitlines()[0].removesuffix(".")
        RULES.append(Rule(name=check.__name__, says=says, traps=traps, check=check))
        return check

    return registered


def short(resource: Resource) -> str:
    """What the resource is called, with what it belongs to before it, and `*` for the token: `stdata*/default/incoming`."""
    return short_id(resource.id)


def short_id(id_: str) -> str:
    """The same of a resource's id."""
    before, _, last = id_.rpartition("/providers/")
    names = last.split("/")[2::2]
    if "/providers/" in before:
        names.insert(0, short_id(before))
    elif not last or "/" not in last or not before:
        names = [id_.rpartition("/")[2]]
    return TOKEN.sub("*", "/".join(names))


def wrong(resource: Resource, says: str) -> Finding:
    return Finding(place=resource.place, says=f"{resource.type.rpartition('/')[2]} {short(resource)}: {says}")


def wants(resource: Resource, wanted: dict[str, Any], why: str) -> Iterator[Finding]:
    """Each property, by its dotted path, that has not the value wanted."""
    for path, value in wanted.items():
        given = resource.at(path)
        if given != value:
            yield wrong(resource, f"{path} is {_shown(given)}, {_shown(value)} is wanted: {why}")


def _shown(value: Any) -> str:
    return "missing" if value is None else TOKEN.sub("*", repr(value))
