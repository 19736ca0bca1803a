"""Parts of localazure as processes of their own, for tests: started, asked, killed."""

from pathlib import Path

DISTRIBUTION = Path(__file__).resolve().parents[2]
"""The folder with localazure's pyproject.toml."""
PACKAGE = DISTRIBUTION / "src" / "localazure"
