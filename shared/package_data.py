"""Package data: the folders and files that the deployed app opens by path.

Azure runs what `.funcignore` leaves of this repository. No other deployed code reads files by their place, so this
list, which the package is tested against, is all of it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

CONTRACTS = _PACKAGE / "contracts"
"""The data contracts, read when the app meets its first message."""
RECIPES = _PACKAGE / "recipes"
"""The recipes that models are made by, read with the contracts."""
SERVING = _PACKAGE / "serving"
"""The code behind a scoring endpoint, uploaded with each deployment."""
WEB = _PACKAGE / "web"
"""The dashboard and the page that shows the API's description."""
API_EXAMPLES = _PACKAGE / "functions" / "http" / "examples.json"
"""Answers of the API as it gave them, for its description."""


RELEASE_FILE = "release.json"
"""Which release a package is, at its root; packing writes it, and a checkout has none."""
CHECKOUT = "checkout"
"""What runs where nothing was packed."""


@lru_cache(maxsize=1)
def release() -> str:
    """Which release runs: the name that packing has given its content."""
    try:
        return str(json.loads((_PACKAGE / RELEASE_FILE).read_text(encoding="utf-8"))["release"])
    except FileNotFoundError:
        return CHECKOUT
