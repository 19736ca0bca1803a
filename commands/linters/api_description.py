"""The API's description as others' tools read it: redocly, Spectral's rules for OpenAPI, and our own API style."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.linters.finding import Findings
from commands.linters.tools import HERE, lines

DESCRIPTION = ROOT / "docs" / "openapi.json"
REDOCLY = "@redocly/cli/bin/cli.js"
SPECTRAL = "@stoplight/spectral-cli/dist/index.js"
OPENAPI_RULES = HERE / "openapi-rules.yaml"
STYLE = HERE / "api-style.mjs"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exempt:
    """A rule that some parts of the description need not hold."""

    rule: str
    parts: tuple[str, ...]
    """Paths, or names of schemas."""
    reason: str


EXEMPT_OF_REDOCLY = (
    Exempt(
        rule="no-invalid-media-type-examples",
        parts=("/api/events",),
        reason="it reads no discriminator with a choice for kinds to come; the tests hold the examples against it",
    ),
)
EXEMPT_OF_STYLE = (
    Exempt(
        rule="version-is-asked-for",
        parts=("/api/health", "/api/session"),
        reason="they are the same in every version",
    ),
    Exempt(
        rule="nothing-is-null",
        parts=("ScoreRequest", "ScoreResponse"),
        reason="a feature that is not known, and a record without a score, are null as at the model's own endpoint",
    ),
    Exempt(
        rule="no-array-in-an-array",
        parts=("ScoreResponse",),
        reason="a record's reasons are a value of that record, as at the model's own endpoint",
    ),
    Exempt(
        rule="object-says-what-it-holds",
        parts=("ModelCard",),
        reason="what training wrote of a model is passed through",
    ),
    Exempt(
        rule="nothing-is-untyped",
        parts=("ModelCard",),
        reason="what training wrote of a model is passed through",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A place of the description that breaks a rule."""

    rule: str
    place: tuple[str, ...]
    message: str
    file: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}  ({' > '.join(self.place)})"


def redocly(file: Path = DESCRIPTION) -> Findings:
    """Its rule set `recommended`, warnings counted too."""
    found: list[Fault] = []

    def read(given: Json) -> list[str]:
        found.extend(_problems(given))
        return [str(fault) for fault in found]

    lines(
        REDOCLY, "lint", str(file), "--config", str(HERE / "redocly.yaml"), "--format", "json",
        "--max-problems", "10000", read=read,
    )  # fmt: skip
    return _judged(found, EXEMPT_OF_REDOCLY, file)


def _problems(given: Json) -> Iterator[Fault]:
    for each in given["problems"]:
        location = each["location"][0]
        steps = location["pointer"].removeprefix("#/").split("/")
        place = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
        yield Fault(rule=each["ruleId"], place=place, message=each["message"], file=location["source"]["ref"])


def openapi_rules(file: Path = DESCRIPTION) -> Findings:
    """Spectral's own rules for OpenAPI, hints and warnings counted too."""
    return Findings(lines=tuple(map(str, faults([file], OPENAPI_RULES))), read=_operations(file))


def style(file: Path = DESCRIPTION) -> Findings:
    """Our rules."""
    return _judged(faults([file], STYLE), EXEMPT_OF_STYLE, file)


def _judged(broken: list[Fault], exempted: tuple[Exempt, ...], file: Path) -> Findings:
    """What is exempt is left out; an exemption that nothing needs is a finding itself."""
    held = [fault for fault in broken if not any(_spares(exempt, fault) for exempt in exempted)]
    stale = [
        f"{exempt.rule}: nothing in {part} needs to be exempt from it any more"
        for exempt in exempted
        for part in exempt.parts
        if not any(_spares(exempt, fault, part) for fault in broken)
    ]
    return Findings(
        lines=(*map(str, held), *stale),
        read=_operations(file),
        remarks=tuple(
            f"{exempt.rule} is not asked of {', '.join(exempt.parts)}: {exempt.reason}" for exempt in exempted
        ),
    )


def faults(files: Iterable[Path], ruleset: Path) -> list[Fault]:
    """What Spectral finds in these descriptions, in one run."""
    found: list[Fault] = []

    def read(given: list[Json]) -> list[str]:
        found.extend(_faults(given))
        return [str(fault) for fault in found]

    names = [str(file) for file in files]
    lines(
        SPECTRAL, "lint", *names, "--ruleset", str(ruleset), "--format", "json", "--quiet",
        "--fail-severity", "hint", read=read,
    )  # fmt: skip
    return found


def _faults(given: list[Json]) -> Iterator[Fault]:
    for each in given:
        place = tuple(str(step) for step in each["path"])
        yield Fault(rule=each["code"], place=place, message=each["message"], file=each["source"])


def _spares(exempt: Exempt, fault: Fault, part: str | None = None) -> bool:
    """part: the one that is asked about; else any of the exempt ones"""
    parts = exempt.parts if part is None else (part,)
    return fault.rule == exempt.rule and any(
        fault.place[: len(of) + 1] == (*of, part)
        for of in (("paths",), ("components", "schemas"))
        for part in parts
    )


def _operations(file: Path) -> str:
    described = json.loads(file.read_text(encoding="utf-8"))
    return f"{sum(map(len, described['paths'].values()))} operations"
