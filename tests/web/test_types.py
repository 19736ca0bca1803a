"""The page knows the API by its description alone: what is renamed there, and not in the page, is found.

Tried literally, in a copy, in one go: each renaming has to give findings of its own.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from commands.linters import javascript

ROOT = Path(__file__).resolve().parents[2]
VERSION = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["info"]["version"]
DESCRIPTION = Path("docs/openapi.json")
KINDS = Path("web/js/core/kinds.js")
RENAMED = {
    "a field": (DESCRIPTION, '"lastModifiedAt"', '"changedAt"', "web/js/views/files.js"),
    "a field of a field": (DESCRIPTION, '"trafficPercent"', '"share"', "web/js/views/endpoint.js"),
    "a field of an event": (DESCRIPTION, '"pausedBecause"', '"why"', "web/js/parts/happened.js"),
    "a parameter of a query": (DESCRIPTION, '"maxpagesize"', '"top"', "web/js/views/now.js"),
    "a parameter of a path": (DESCRIPTION, "{batch}", "{id}", "web/js/views/batches.js"),
    "the version": (DESCRIPTION, f'"const": "{VERSION}"', '"const": "2030-01-01"', "web/public/js/api.js"),
    "a path": (DESCRIPTION, '"/api/audit"', '"/api/trail"', "web/js/views/audit.js"),
    "a state, in the API": (DESCRIPTION, '"scoring"', '"at-work"', "web/js/parts/progress.js"),
    "a state, in the page": (KINDS, '"rolled-back"', '"reverted"', "web/js/parts/quality.js"),
    "a kind, in the page": (KINDS, '"quarantine": {', '"held": {', "web/js/parts/attention.js"),
}
"""What is renamed: in which file, from what, to what, and who has to notice."""


@pytest.fixture(scope="module")
def findings(linters: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What TypeScript says of a copy of the page in which all of RENAMED is."""
    assert linters
    copy = tmp_path_factory.mktemp("renamed")
    (copy / DESCRIPTION).parent.mkdir()
    shutil.copy(ROOT / DESCRIPTION, copy / DESCRIPTION)
    shutil.copytree(ROOT / "web", copy / "web", ignore=shutil.ignore_patterns("css", "plex", "swagger-ui"))
    for file, old, new, _ in RENAMED.values():
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    return "\n".join(javascript.types(copy).lines)


@pytest.mark.parametrize("what", RENAMED)
def test_what_is_renamed_in_one_place_alone_is_found(what: str, findings: str) -> None:
    _, old, _, where = RENAMED[what]
    name = re.sub(r"[^\w-]", " ", old).split()[-1]
    assert re.search(rf"{re.escape(where)}\(\d+,\d+\): error TS\d+: .*\b{name}\b", findings), findings
