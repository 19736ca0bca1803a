"""What `./dev` does: a module here for each command of the catalog; stack, client and setup are what they stand on."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""This checkout."""
