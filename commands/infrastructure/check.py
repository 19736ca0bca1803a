"""All that must hold of `infra/`, and what does not."""

from __future__ import annotations

from collections.abc import Iterator

from commands import ROOT
from commands.infrastructure.found import RULES, Finding, Infrastructure, Network, Rule
from commands.infrastructure.rules import (
    access,
    apps,
    events,
    inventory,
    monitoring,
    network,
    storage,
    workspace,
)
from commands.infrastructure.rules.files import FILE_RULES, FileRule, queries_ask_for_what_there_is
from commands.infrastructure.syntax import BicepError, Source
from commands.linters.finding import Findings

FOLDER = ROOT / "infra"
ABOUT = (access, apps, events, inventory, monitoring, network, storage, workspace)
"""What rules are about: each of these adds its own to RULES."""


def rules() -> list[Rule | FileRule]:
    """All, as they stand in their files."""
    return [*RULES, *FILE_RULES]


def findings() -> Findings:
    """Of this checkout, as `./dev check` shows them. raises: LinterBroke"""
    source = Source(FOLDER)
    found = list(dict.fromkeys(map(str, found_in(source))))
    return Findings(lines=tuple(found), read=f"{len(source.names())} Bicep files by {len(rules())} rules")


def found_in(source: Source, *, queries: bool = True) -> Iterator[Finding]:
    """What breaks a rule, or cannot be read at all.

    queries: whether those are read too, which takes a second
    """
    infrastructure = Infrastructure(source)
    try:
        for private in (False, True):
            deployment = infrastructure.private if private else infrastructure.public
            for rule in RULES:
                yield from rule.check(Network(deployment, private))
        for of_files in FILE_RULES:
            if queries or of_files.check is not queries_ask_for_what_there_is:
                yield from of_files.check(infrastructure)
    except BicepError as fault:
        yield Finding(place=fault.place, says=fault.says)
