"""Draws `docs/flow.svg`, and the table in the README, from `shared.flow.FLOW`: `python docs/flow_picture.py`.

With `--check` nothing is written; the exit code is 1 when either of them is not what the table gives.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from shared.flow import Rule

PICTURE = ROOT / "docs" / "flow.svg"
README = ROOT / "README.md"
BEGIN, END = "<!-- flow -->", "<!-- /flow -->"

EXTERNAL = (
    "UploadArrived", "OperationRequested", "RunMoved", "ScoringDue", "ReconcileDue", "RetrainDue",
    "NotificationDue", "AlertCheckDue",
)  # fmt: skip
"""Facts that come from outside: an event, a clock, or an operator."""

WIDTH, TOP, GAP, PAD = 900, 76, 14, 12
WHEN_RIGHT, BOX_LEFT, BOX_WIDTH, LEADS_LEFT = 180, 220, 440, 700
PILL_HEIGHT, PILL_STEP, LETTER = 22, 28, 7.3
LINE, LINE_LETTERS = 16, 62

STYLE = """
  .page { fill: #ffffff }
  .name { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
  .step { font: bold 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #0b3d91 }
  .text { font: 12.5px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #424a53 }
  .head { font: bold 13px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2328 }
  .box { fill: #f2f6fc; stroke: #9db7dd }
  .pill { fill: #eaeef2; stroke: #afb8c1 }
  .outside { fill: #fff1d6; stroke: #c98a1b }
  .end { fill: #ffffff; stroke: #8c959f; stroke-dasharray: 4 3 }
  .line { stroke: #8c959f; stroke-width: 1.4; fill: none }
  .point { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    .name { fill: #e6edf3 }
    .step { fill: #8ab8ff }
    .text { fill: #b1bac4 }
    .head { fill: #e6edf3 }
    .box { fill: #161f2e; stroke: #3d5a88 }
    .pill { fill: #262c36; stroke: #59636e }
    .outside { fill: #3a2c10; stroke: #c98a1b }
    .end { fill: #0d1117; stroke: #7d8590 }
    .line { stroke: #7d8590 }
    .point { fill: #7d8590 }
  }
"""


@dataclass(frozen=True)
class Row:
    """One rule of the flow, as names and a sentence."""

    when: tuple[str, ...]
    step: str
    sentence: str
    leads_to: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        return textwrap.wrap(self.sentence, LINE_LETTERS)

    @property
    def height(self) -> int:
        pills = max(len(self.when), len(self.leads_to)) * PILL_STEP
        return max(pills, 2 * PAD + LINE * (1 + len(self.lines)) + 2)


def rows() -> list[Row]:
    """The flow table, row by row."""
    return [_row(rule) for rule in importlib.import_module("shared.flow").FLOW]


def _row(rule: Rule) -> Row:
    about = sys.modules[rule.do.__module__].__doc__ or ""
    return Row(
        when=tuple(fact.__name__ for fact in rule.when),
        step=rule.do.__name__,
        sentence=about.strip().partition("\n")[0],
        leads_to=tuple(fact.__name__ for fact in rule.leads_to),
    )


def picture(table: list[Row]) -> str:
    """The flow as SVG: facts on the left, the step that is done in the middle, what it led to on the right."""
    awaited = {fact for row in table for fact in row.when}
    body, top = [*_head()], TOP
    for row in table:
        body += _drawn(row, top, awaited)
        top += row.height + GAP
    height = top + 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
            f' height="{height}" role="img" aria-label="The flow of Campanha: when, do, leads to">',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _head() -> list[str]:
    return [
        *_pill("from outside", 20, 22, "outside"),
        *_pill("a step follows", 150, 22, "pill"),
        *_pill("recorded, an end", 292, 22, "end"),
        f'<text class="head" x="{WHEN_RIGHT}" y="62" text-anchor="end">when</text>',
        f'<text class="head" x="{BOX_LEFT}" y="62">do</text>',
        f'<text class="head" x="{LEADS_LEFT}" y="62">leads to</text>',
    ]


def _drawn(row: Row, top: int, awaited: set[str]) -> list[str]:
    middle, box_height = top + row.height / 2, 2 * PAD + LINE * (1 + len(row.lines)) + 2
    box_top = middle - box_height / 2
    drawn = [
        f'<rect class="box" x="{BOX_LEFT}" y="{box_top:g}" width="{BOX_WIDTH}" height="{box_height}" rx="6"/>',
        f'<text class="step" x="{BOX_LEFT + PAD}" y="{box_top + PAD + 12:g}">{escape(row.step)}</text>',
    ]
    for number, line in enumerate(row.lines, start=1):
        y = box_top + PAD + 13 + LINE * number
        drawn.append(f'<text class="text" x="{BOX_LEFT + PAD}" y="{y:g}">{escape(line)}</text>')
    for name, y in _spread(row.when, middle):
        drawn += _pill(name, WHEN_RIGHT - _width(name), y, "outside" if name in EXTERNAL else "pill")
        drawn += _arrow(WHEN_RIGHT, y, BOX_LEFT, middle)
    for name, y in _spread(row.leads_to, middle):
        drawn += _arrow(BOX_LEFT + BOX_WIDTH, middle, LEADS_LEFT, y)
        drawn += _pill(name, LEADS_LEFT, y, "pill" if name in awaited else "end")
    return drawn


def _spread(names: tuple[str, ...], middle: float) -> list[tuple[str, float]]:
    """The names with the heights of their pills' middles, one under the other around `middle`."""
    first = middle - PILL_STEP * (len(names) - 1) / 2
    return [(name, first + PILL_STEP * number) for number, name in enumerate(names)]


def _width(name: str) -> float:
    return round(len(name) * LETTER + 20, 1)


def _pill(name: str, left: float, middle: float, kind: str) -> list[str]:
    width = _width(name)
    return [
        f'<rect class="{kind}" x="{left:g}" y="{middle - PILL_HEIGHT / 2:g}" width="{width:g}"'
        f' height="{PILL_HEIGHT}" rx="11"/>',
        f'<text class="name" x="{left + width / 2:g}" y="{middle + 4:g}" text-anchor="middle">{escape(name)}</text>',
    ]


def _arrow(left: float, start: float, right: float, end: float) -> list[str]:
    tip, bend = right - 6, (left + right - 6) / 2
    return [
        f'<path class="line" d="M{left:g} {start:g} C{bend:g} {start:g} {bend:g} {end:g} {tip:g} {end:g}"/>',
        f'<path class="point" d="M{tip:g} {end - 4:g} L{right:g} {end:g} L{tip:g} {end + 4:g} Z"/>',
    ]


def table(flow: list[Row]) -> str:
    """The flow as a markdown table; each step links to its file."""
    lines = ["| when | do | leads to |", "|---|---|---|"]
    for row in flow:
        do = f"[`{row.step}`](shared/steps/{row.step}.py): {row.sentence}"
        lines.append(f"| {_names(row.when)} | {do} | {_names(row.leads_to)} |")
    return "\n".join(lines)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def with_table(readme: str, flow: list[Row]) -> str:
    """The README's text with the current table between its two marks."""
    before, found, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"the README lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table(flow)}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Writes what is not current; with --check only names it."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is stale")
    given = made.parse_args(arguments)
    flow, readme = rows(), README.read_text(encoding="utf-8")
    wanted = {PICTURE: picture(flow), README: with_table(readme, flow)}
    stale = [f for f, text in wanted.items() if not f.exists() or f.read_text(encoding="utf-8") != text]
    for file in stale:
        if not given.check:
            file.write_text(wanted[file], encoding="utf-8")
        print(f"{file.relative_to(ROOT)} {'is not current' if given.check else 'written'}")
    return int(given.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
