"""What localazure does, and where it differs from Azure: its README.md, from the parts' tables and the tests.

    python -m localazure.support            # writes the page
    python -m localazure.support --check    # says whether it is up to date

Each part's `support.py` has `SUPPORT`: (feature, state, the test that shows it, the difference from Azure). A test
that is not there, or a row that should have one and has none, is an error. Further tables are optional.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from localazure.faults.kinds import KINDS
from localazure.faults.kinds import PARTS as PARTS_OF_FAULTS
from localazure.strict import UNKINDNESSES

ROOT = Path(__file__).resolve().parents[2]
"""The folder of the distribution; of use in a checkout alone, so no wheel has this file."""
PAGE = ROOT / "README.md"
PARTS = {
    "workspace": "Azure Machine Learning workspace",
    "storage": "Storage account",
    "events": "Event Grid",
    "host": "Functions host",
}
STATES = {"yes": "yes", "partial": "partly", "no-refused": "refused by name", "no": "no"}
_LISTS = {
    "DIFFERENCES": "different from Azure",
    "DISAGREEMENTS": "where Microsoft's documents, its OpenAPI and this differ",
    "UNVERIFIED": "not verified against Azure",
}
_FIELDS = {"KEPT": "fields that are kept, without effect", "REFUSED": "fields that are refused by name"}

STRICT = """\
`--strict` of `up`, `storage`, `events` and `workspace` turns all of these on, `--strict NAME,NAME` some; chance is seeded.
Test an app with them before Azure does: what is green without and red with is a bug that would be met there first."""

FAULTS = """\
`localazure up --faults` puts a front before each part, at the part's own address; without it nothing is on the way of a
call. A fault is asked for by command, or in a test by Python, and hits what an app calls (not what the embedded Azure
calls of itself): each request that fits, some by `rate`, or the first by `count`; by part, method and path; until it is
cleared, or for a time. With the same `seed`, the same of the requests that fit are hit.

```
localazure faults add throttle --part table --rate 0.1 --seed 7 --for 2m
localazure faults add reply-lost --part blob --method PUT --path '*/incoming/*' --count 3
localazure faults list
localazure faults clear
```

```python
from localazure import faults

with faults.injected(part="table", kind="throttle", rate=0.1, seed=7) as fault:
    ...  # what the app does
assert fault.hit  # of fault.fitting
```

Orders are taken on 127.0.0.1 from whoever has the state folder's secret; a new start of the front forgets them. The
workspace has some of its own beside them (`PUT /__localazure/...`: requests that arrive after their caller has given up,
lists that lag behind, operations that are accepted and fail), and so has Event Grid (`POST /faults`: events that come out
of order)."""

Support = tuple[str, str, str, str]
Fields = dict[str, dict[str, str]]


class NotTrue(Exception):
    """The matrix would say what no test shows."""


def page() -> str:
    """The whole README; raises when a row is not backed by a test that is there."""
    introduction = (ROOT / "introduction.md").read_text(encoding="utf-8")
    lines = [introduction.rstrip(), "", "## Support", "", *_contents()]
    lines += _strict()
    lines += _faults()
    for name, title in PARTS.items():
        module = importlib.import_module(f"localazure.{name}.support")
        lines += [f"### {title}", "", *_matrix(name, module.SUPPORT), *_extras(title, module)]
    return "\n".join(lines).rstrip() + "\n"


def _contents() -> Iterator[str]:
    """How many rows there are of each state, by part."""
    yield from ("| part | " + " | ".join(STATES.values()) + " |", "|---|" + "---|" * len(STATES))
    for name, title in PARTS.items():
        rows: tuple[Support, ...] = importlib.import_module(f"localazure.{name}.support").SUPPORT
        counts = [sum(row[1] == state for row in rows) for state in STATES]
        link = f"[{title}](#{title.lower().replace(' ', '-')})"
        yield f"| {link} | " + " | ".join(str(one) for one in counts) + " |"
    yield ""


def _strict() -> Iterator[str]:
    """What can be asked for that is less kind than the rest."""
    yield from ("### As unkind as Azure", "", STRICT, "")
    yield from ("| name | what it does | shown by | where that is said |", "|---|---|---|---|")
    for one in UNKINDNESSES:
        check("strict", (one.name, "yes", one.shown_by, ""))
        when = " (always)" if one.always else ""
        yield f"| `{one.name}` | {_cell(one.does)}{when} | {_link(one.shown_by)} | {_cell(one.source)} |"
    yield ""


def _faults() -> Iterator[str]:
    """What can be made to go wrong while it runs."""
    yield from ("### Faults by command", "", FAULTS, "")
    yield from ("| kind | what it does | shown by |", "|---|---|---|")
    for kind in KINDS.values():
        check("faults", (kind.name, "yes", kind.shown_by, ""))
        yield f"| `{kind.name}` | {_cell(kind.does)} | {_link(kind.shown_by)} |"
    yield from ("", "| part | which calls |", "|---|---|")
    yield from (f"| `{name}` | {_cell(what)} |" for name, what in PARTS_OF_FAULTS.items())
    yield ""


def _matrix(part: str, rows: tuple[Support, ...]) -> Iterator[str]:
    yield from ("| feature | here | shown by | difference |", "|---|---|---|---|")
    for feature, state, test, difference in rows:
        check(part, (feature, state, test, difference))
        yield f"| {_cell(feature)} | {STATES[state]} | {_link(test)} | {_cell(difference)} |"
    yield ""


def _cell(text: str) -> str:
    """What a table of Markdown shows as it stands."""
    return text.replace("<", "&lt;").replace("|", "\\|")


def check(part: str, row: Support) -> None:
    """A row that says something is so needs a test, and it must be there."""
    feature, state, test, _ = row
    if state not in STATES:
        raise NotTrue(f"{part}: {feature!r} is {state!r}; it must be one of {', '.join(STATES)}")
    if not test:
        if state != "no":
            raise NotTrue(f"{part}: {feature!r} is {state}, and no test shows it")
        return
    file, _, name = test.partition("::")
    if name not in _tests(file):
        raise NotTrue(f"{part}: {feature!r} is shown by {test}, which is not there")


@cache
def _tests(file: str) -> frozenset[str]:
    """The names of a file's tests; read, not imported."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    module = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}]({file})" if test else ""


def _extras(title: str, module: ModuleType) -> Iterator[str]:
    for name, says in _LISTS.items():
        lines: tuple[str, ...] = getattr(module, name, ())
        if lines:
            yield from (f"#### {title}: {says}", "", *(f"- {line}" for line in lines), "")
    for name, says in _FIELDS.items():
        fields: Fields = getattr(module, name, {})
        if fields:
            yield from (f"#### {title}: {says}", "", "| of | fields | why |", "|---|---|---|")
            yield from (line for where, those in fields.items() for line in _by_reason(where, those))
            yield ""


def _by_reason(where: str, fields: dict[str, str]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for name, why in fields.items():
        reasons.setdefault(why, []).append(f"`{name}`")
    yield from (f"| {where} | {', '.join(names)} | {why} |" for why, names in reasons.items())


def main() -> int:
    try:
        text = page()
    except NotTrue as problem:
        print(problem, file=sys.stderr)
        return 1
    if "--check" in sys.argv[1:]:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        print(
            f"{PAGE.relative_to(ROOT)} is {'up to date' if same else 'out of date: run python -m localazure.support'}"
        )
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
