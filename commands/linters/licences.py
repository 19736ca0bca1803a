"""The licences of the libraries that run in Azure, on one machine, or in the playground: each must allow commercial use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from commands import ROOT
from commands.catalog import UP
from commands.linters.finding import Findings
from commands.setup import locks

LOCKS = (locks.OF_GROUPS["app"], locks.OF_GROUPS[UP])
FROM_NPM = "playground/package-lock.json"
"""What a visitor's browser runs."""
ALLOWED = frozenset(
    {
        "0BSD", "Apache Software License", "Apache-2.0", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0",
        "3-Clause BSD License", "ISC", "MIT", "MIT License", "MIT-0", "MPL-2.0",
        "Mozilla Public License 2.0 (MPL 2.0)", "PSF-2.0", "Zlib",
    }
)  # fmt: skip
"""As SPDX and as PyPI's classifiers name them. MPL-2.0 asks for its own files' source alone, which is on the index."""
_LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)
_EITHER = re.compile(r" OR ")
_EACH = re.compile(r" AND |; ")


def licences(root: Path = ROOT) -> Findings:
    """Those that are installed of what is locked; what another system or Python alone takes is looked at there."""
    names = sorted({name for lock in LOCKS for name in _LOCKED.findall((root / lock).read_text("utf-8"))})
    found = [(name, licence_of(one)) for name in names if (one := _installed(name)) is not None]
    found += from_npm((root / FROM_NPM).read_text(encoding="utf-8"))
    return Findings(lines=tuple(refused(found)), read=f"{len(found)} libraries")


def from_npm(lock: str) -> list[tuple[str, str]]:
    """The packages that a lock of npm's names, with the licence that each has there."""
    packages = json.loads(lock)["packages"]
    return [
        (name.removeprefix("node_modules/"), each.get("license", ""))
        for name, each in packages.items()
        if name
    ]


def refused(found: Iterable[tuple[str, str]]) -> Iterable[str]:
    """found: libraries and what they say of their licence"""
    for name, licence in found:
        if not is_allowed(licence):
            said = f"has the licence {licence!r}" if licence else "does not say its licence"
            yield f"{name} {said}: look whether a bank may use it, then name it in {Path(__file__).name} or do without it"


def is_allowed(licence: str) -> bool:
    """An SPDX expression, or classifiers: one side of each OR, and each that is joined by AND, must be allowed."""
    choices = _EITHER.split(licence)
    return any(all(_is_named(part.strip()) for part in _EACH.split(choice)) for choice in choices)


def _is_named(part: str) -> bool:
    return part in ALLOWED or part.strip("()") in ALLOWED


def licence_of(library: Distribution) -> str:
    """The expression where there is one, else the classifiers, else the free text's first line."""
    told = library.metadata
    classifiers = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or [] if one.startswith("License ::")
    ]
    expression, text = (
        next(iter(told.get_all(name) or []), "") for name in ("License-Expression", "License")
    )
    return (expression or "; ".join(classifiers) or text).partition("\n")[0].strip()


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
