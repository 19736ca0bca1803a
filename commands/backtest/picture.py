"""The replay as a picture (SVG): cumulated profit by policy, and log loss by month with what became of each model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from commands.backtest.results import EVERYBODY, FLOW, LABELS, ONCE, RETRAINED

WIDTH, HEIGHT = 900, 900
LEFT, RIGHT = 84, 690
LEGEND = 704
DRAWN = (EVERYBODY, ONCE, RETRAINED, FLOW)
LABEL_STEP = 16
STYLE = """
  .page { fill: #ffffff }
  .title { font: bold 15px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2328 }
  .text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #424a53 }
  .small { font-size: 10px }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .zero { stroke: #8c959f; stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .everybody { stroke: #8c959f; stroke-dasharray: 5 4 } .name.everybody { fill: #57606a }
  .once { stroke: #c98a1b } .name.once { fill: #9a6700 }
  .retrained { stroke: #6a9bd8 } .name.retrained { fill: #3f6fb0 }
  .flow { stroke: #0b3d91; stroke-width: 3 } .name.flow { fill: #0b3d91; font-weight: bold }
  .name { stroke: none }
  .released { fill: #0b3d91 } .kept { fill: #ffffff; stroke: #cf222e; stroke-width: 2 }
  .switch { stroke: #2da44e; stroke-width: 1.5; stroke-dasharray: 2 3 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .title { fill: #e6edf3 } .text { fill: #adbac7 } .grid { stroke: #30363d }
    .name.everybody { fill: #adbac7 } .name.once { fill: #e3b341 } .name.retrained { fill: #8ab8ff }
    .flow { stroke: #79b8ff } .name.flow { fill: #79b8ff } .released { fill: #79b8ff } .kept { fill: #0d1117 }
    .retrained { stroke: #3d6da8 }
  }
"""

Json = dict[str, Any]
Line = dict[int, float]
"""A value by month; months without one are not there."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A chart with months from left to right."""

    title: str
    top: float
    bottom: float
    months: Sequence[int]
    lines: Mapping[str, Line]

    def x(self, month: int) -> float:
        first, last = self.months[0], self.months[-1]
        return LEFT + (RIGHT - LEFT) * (month - first) / max(1, last - first)

    def y(self, value: float) -> float:
        low, high = self._range()
        return self.bottom - (self.bottom - self.top) * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        low, high = self._range()
        step = _step(high - low)
        first = -int(-low // step) if low > 0 else int(low // step)
        return [step * place for place in range(first, int(high // step) + 1) if low <= step * place <= high]

    def _range(self) -> tuple[float, float]:
        values = [value for line in self.lines.values() for value in line.values()]
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = (high - low) * 0.05 or 1.0
        return low - room, high + room


def drawn(found: Json) -> str:
    """found: as `results.of` makes it"""
    months = found["months"]
    late = [month for month in months if month["number"] >= found["from"]] or months
    names = [name for name in DRAWN if name in found["titles"]]
    span = f"months {late[0]['number']} to {late[-1]['number']}"
    panels = [
        Panel(
            title=f"Profit so far, {span}, a call at 10 and a deposit at 80",
            top=56,
            bottom=290,
            lines=_cumulated(late, names, "profit10"),
            months=_numbers(late),
        ),
        Panel(
            title=f"Profit so far, {span}, a call at 20",
            top=366,
            bottom=560,
            lines=_cumulated(late, names, "profit20"),
            months=_numbers(late),
        ),
        Panel(
            title="Log loss of each month, scored before it was learned from",
            top=636,
            bottom=826,
            lines=_by_month(months, names, "logLoss"),
            months=_numbers(months),
        ),
    ]
    parts = [_plot(panel, {month["number"]: month["month"] for month in months}) for panel in panels]
    if FLOW in names:
        parts.append("\n".join(_marks(panels[-1], months)))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" role="img">',
        f"<title>A bank's past, replayed month by month</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        *parts,
        "</svg>",
        "",
    ])  # fmt: skip


def _numbers(months: Sequence[Json]) -> list[int]:
    return [month["number"] for month in months]


def _cumulated(months: Sequence[Json], names: Iterable[str], figure: str) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    for name in names:
        total, lines[name] = 0.0, {}
        for month in months:
            total += month["policies"][name][figure]
            lines[name][month["number"]] = total
    return lines


def _by_month(months: Sequence[Json], names: Iterable[str], figure: str) -> dict[str, Line]:
    lines = {
        name: {month["number"]: month["policies"][name][figure] for month in months
               if month["policies"][name].get(figure) is not None}
        for name in names
    }  # fmt: skip
    return {name: line for name, line in lines.items() if line}


def _plot(panel: Panel, words: Mapping[int, str]) -> str:
    parts = [f'<text class="title" x="16" y="{panel.top - 22}">{escape(panel.title)}</text>']
    for tick in panel.ticks():
        y = panel.y(tick)
        kind = "zero" if tick == 0 else "grid"
        parts += [
            f'<line class="{kind}" x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}"/>',
            f'<text class="text" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:,.10g}</text>',
        ]
    for month in panel.months:
        x = panel.x(month)
        parts += [
            f'<text class="text" x="{x:.1f}" y="{panel.bottom + 17}" text-anchor="middle">{month}</text>',
            f'<text class="text small" x="{x:.1f}" y="{panel.bottom + 30}" text-anchor="middle">{words[month]}</text>',
        ]
    for name, line in panel.lines.items():
        points = " ".join(f"{panel.x(month):.1f},{panel.y(value):.1f}" for month, value in line.items())
        parts.append(f'<polyline class="line {name}" points="{points}"/>')
    return "\n".join([*parts, *_names(panel)])


def _names(panel: Panel) -> list[str]:
    """Each line's name at its right end, moved apart where the ends lie close together."""
    ends = sorted((panel.y(list(line.values())[-1]), name) for name, line in panel.lines.items())
    parts, above = [], -LABEL_STEP * 1.0
    for y, name in ends:
        above = max(y, above + LABEL_STEP)
        value = list(panel.lines[name].values())[-1]
        said = f"{LABELS[name]} {value:,.0f}" if abs(value) > 10 else LABELS[name]
        parts.append(f'<text class="text name {name}" x="{LEGEND}" y="{above + 4:.1f}">{said}</text>')
    return parts


def _marks(panel: Panel, months: Sequence[Json]) -> Iterable[str]:
    """What became of the model that learned from a month, on the flow's line; and where another recipe began to answer."""
    line, before = panel.lines.get(FLOW, {}), None
    for month in months:
        number, learned = month["number"], month["flow"]["learned"]
        recipe = month["flow"]["answered"].get("recipe")
        if recipe and before and recipe != before:
            x = panel.x(number)
            yield f'<line class="switch" x1="{x:.1f}" y1="{panel.top}" x2="{x:.1f}" y2="{panel.bottom}"/>'
            yield f'<text class="text" x="{x + 4:.1f}" y="{panel.top + 10}">{escape(str(recipe))}</text>'
        before = recipe or before
        if number in line:
            kind = "released" if learned["state"] in ("released", "previous") else "kept"
            told = escape(f"{learned['what']} {learned['state']}: {learned.get('reason', '')}")
            yield (
                f'<circle class="{kind}" cx="{panel.x(number):.1f}" cy="{panel.y(line[number]):.1f}" r="4">'
                f"<title>month {number}: {told}</title></circle>"
            )
    yield from _key(panel.bottom + 56)


def _key(y: float) -> Iterable[str]:
    """What the marks mean, in one line at this height."""
    yield f'<circle class="released" cx="22" cy="{y - 4}" r="4"/>'
    yield f'<text class="text" x="32" y="{y}">the month made a model that was released</text>'
    yield f'<circle class="kept" cx="322" cy="{y - 4}" r="4"/>'
    yield f'<text class="text" x="332" y="{y}">it made none, or one that was refused</text>'
    yield f'<line class="switch" x1="602" y1="{y - 11}" x2="602" y2="{y + 3}"/>'
    yield f'<text class="text" x="612" y="{y}">another recipe answers from here on</text>'


def _step(span: float) -> float:
    """A round step of which four to eight lie in `span`."""
    size = 10.0 ** (len(str(int(span))) - 1) if span >= 1 else 0.1
    return next(size * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0) if span / (size * part) <= 8)
