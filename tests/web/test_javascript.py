"""The dashboard's own JavaScript, tested by Node's test runner: `node --test tests/web`, with no package of npm."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = (
    "--experimental-detect-module",
    "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    "--test",
    "--test-reporter=spec",
)


def run(node: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Numbers and dates are worded by the locale: here that of the browser's tests."""
    environment = {**os.environ, "LC_ALL": "en_GB.UTF-8", "TZ": "Europe/Lisbon", "NO_COLOR": "1"}
    return subprocess.run(
        [node, *FLAGS, *map(str, files)],
        cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def test_the_core_of_the_dashboard_does_as_its_tests_say(node: str) -> None:
    files = sorted(HERE.glob("*.test.js"))
    done = run(node, *files)
    failing = done.stdout.partition("✖ failing tests:")[2] or done.stdout
    assert done.returncode == 0, f"{failing}\n{done.stderr}"
    ran = re.search(r"^ℹ tests (\d+)$", done.stdout, re.MULTILINE)
    assert ran is not None
    assert int(ran[1]) > 15 * len(files)  # no file was passed over


def test_what_fails_there_fails_here_with_what_node_says(node: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.test.mjs"
    file.write_text(
        'import { test } from "node:test";\ntest("a claim", () => { throw new Error("not so"); });\n'
    )
    done = run(node, file)
    assert done.returncode == 1
    assert "a claim" in done.stdout
    assert "Error: not so" in done.stdout
