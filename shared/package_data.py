"""Package data: the folders and files that the deployed app opens by path.

Azure runs what `.funcignore` leaves of this repository. No other deployed code reads files by their place, so this
list, which the package is tested against, is all of it.
"""

from __future__ import annotations

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
