"""Which hash-locked requirements there are. Standard library only.

The groups stand in pyproject.toml, `[dependency-groups]`: what the app needs, what it needs on one machine, and what
tests and checks add to that.
"""

from __future__ import annotations

from commands.catalog import CHECK, PACKAGE, TEST, UP

OF_GROUPS = {
    "app": "requirements.txt",
    UP: "requirements-up.txt",
    PACKAGE: "requirements-package.txt",
    TEST: "requirements-test.txt",
    CHECK: "requirements-check.txt",
}
"""The lock of each group, by the group's name."""
WITHIN = {UP: "app", PACKAGE: UP, TEST: PACKAGE, CHECK: UP}
"""The group that each includes: its lock takes the versions of that one's."""
HOST = "commands/packaging/host-requirements.txt"
"""Of the embedded host alone, which runs an unpacked package: what localazure's own pyproject.toml asks for."""
UV = "commands/setup/uv-requirements.txt"
"""Of what makes all the others, and installs from them."""
