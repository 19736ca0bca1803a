"""Which of the locked libraries have a known vulnerability: those of the app, of set-up and tests, and of each environment.

It asks PyPI's advisory database, so the internet has to be reached: where it is not, that is an error, and never "none".
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.client import tables
from commands.client.output import as_json
from commands.setup import locks
from commands.stack.errors import StackError

COLUMNS = ("lock", "library", "version", "id", "fixedBy")
ENVIRONMENTS = "pipelines/environments/*.txt"


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev vulnerabilities", description=__doc__)
    made.add_argument("--json", action="store_true")
    given = made.parse_args(arguments)
    files = [ROOT / name for name in locks.OF_GROUPS.values()] + sorted(ROOT.glob(ENVIRONMENTS))
    found = [each for file in files for each in known_of(file)]
    if given.json:
        as_json({"locks": len(files), "value": found})
    elif found:
        tables.show("Known vulnerabilities", found, COLUMNS)
    else:
        print(f"None is known of what {len(files)} locks name.")
    return int(bool(found))


def known_of(lock: Path) -> list[dict[str, str]]:
    """One for each advisory; raises: StackError where it cannot be found out"""
    name = lock.relative_to(ROOT).as_posix() if lock.is_relative_to(ROOT) else lock.name
    print(f"  {name}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes", "--strict",
         "--progress-spinner", "off", "--format", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as broken:
        raise StackError(f"{name} could not be looked up: {done.stderr.strip()[-500:]}") from broken
    return [
        {
            "lock": name,
            "library": each["name"],
            "version": each["version"],
            "id": fault["id"],
            "fixedBy": ", ".join(fault["fix_versions"]),
        }
        for each in told
        for fault in each.get("vulns", ())
    ]
