"""Writes `docs/openapi.json`, the HTTP API's description as the app gives it: `python docs/openapi.py`.

With `--check` nothing is written; the exit code is 1 when the file is not what the app gives.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

FILE = ROOT / "docs" / "openapi.json"


def described() -> str:
    """The description as text; no setting shows in it."""
    from pydantic import SecretStr

    from functions.http.app import assemble
    from functions.http.auth.credentials import from_settings
    from functions.http.openapi import describe
    from shared import wiring
    from shared.settings import Settings

    settings = Settings(
        campanha_storage=SecretStr("-"),
        azure_subscription_id="-",
        azure_resource_group="-",
        azureml_workspace="-",
        reader_key=SecretStr("only to make the description"),
    )
    app = assemble(settings, from_settings(settings), wiring.services, wiring.model_api)
    return json.dumps(describe(app), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Writes what is not current; with --check only says so."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    given = made.parse_args(arguments)
    text = described()
    stale = not FILE.exists() or FILE.read_text(encoding="utf-8") != text
    if stale and not given.check:
        FILE.write_text(text, encoding="utf-8")
    if stale:
        print(f"{FILE.relative_to(ROOT)} {'is not current' if given.check else 'written'}")
    return int(given.check and stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
