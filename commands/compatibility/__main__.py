"""Compares docs/openapi.json with the last release's: exit code 1 when it breaks clients under the same api-version."""

from __future__ import annotations

import sys

from commands import ROOT
from commands.compatibility.release import NothingKept, since_last_release


def main() -> int:
    try:
        verdict = since_last_release(ROOT / "docs")
    except NothingKept as problem:
        print(problem)
        return 1
    print(verdict)
    return int(not verdict.passes)


if __name__ == "__main__":
    sys.exit(main())
