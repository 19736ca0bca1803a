"""What the tests of clients share: the generated Python package, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients.generated import python_client


@pytest.fixture(scope="session")
def python_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the package `campanha`."""
    return python_client(tmp_path_factory.mktemp("python"))
