"""Rows under each other, each a value on a scale beside what it may be: drawn as an SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 780, 190, 540
TOP, ROW = 74, 24
LETTERS = 26
"""Of a label that there is room for."""
WRAPPED = 112
"""Letters of a line of text over the whole width."""
LINE = 17
STYLE = """
  .page { fill: #ffffff }
  .title { font: bold 14px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2328 }
  .text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #424a53 }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .may { fill: #dbe6f5 }
  .limit { stroke: #57606a; stroke-width: 1.5 }
  .expected { stroke: #0b3d91; stroke-width: 2 }
  .fine { fill: #0b3d91 } .beyond { fill: #cf222e } .text.beyond { font-weight: bold }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .title { fill: #e6edf3 } .text { fill: #adbac7 } .grid { stroke: #30363d }
    .may { fill: #1f3350 } .limit { stroke: #adbac7 } .expected { stroke: #79b8ff }
    .fine { fill: #79b8ff } .beyond { fill: #ff7b72 }
  }
"""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row of the picture."""

    label: str
    value: float
    low: float | None
    """What the value may be at least; None: anything down to the scale's end."""
    high: float | None
    """And at most."""
    beyond: bool
    """Whether it is not what it may be."""
    says: str
    """The figures in words, at the right."""
    expected: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From values to places between 0, left, and 1."""

    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]

    def x(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * min(max(self.place(value), 0.0), 1.0)


def drawn(title: str, about: str, scale: Scale, bars: Sequence[Bar], below: Sequence[str]) -> str:
    """The SVG. about: what the axis shows; below: sentences under the picture, each from a line of its own on"""
    foot = [line for sentence in below for line in wrapped(sentence)]
    bottom = TOP + ROW * len(bars)
    height = bottom + 14 + LINE * len(foot) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        _text(16, 24, title, "title"),
        _text(16, 44, about, "text"),
        *(_tick(scale.x(value), bottom, text) for value, text in scale.ticks),
        *(_row(scale, bar, TOP + ROW * at) for at, bar in enumerate(bars)),
        *(_text(16, bottom + 24 + LINE * at, line, "text") for at, line in enumerate(foot)),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _tick(x: float, bottom: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}"/>'
        f'<text class="text" x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{escape(text)}</text>'
    )


def _row(scale: Scale, bar: Bar, top: float) -> str:
    middle, tone = top + ROW / 2, "beyond" if bar.beyond else "fine"
    low = LEFT if bar.low is None else scale.x(bar.low)
    high = RIGHT if bar.high is None else scale.x(bar.high)
    label = bar.label if len(bar.label) <= LETTERS else f"{bar.label[: LETTERS - 1]}…"
    parts = [
        "<g>",
        f"<title>{escape(f'{bar.label}: {bar.says}')}</title>",
        f'<text class="text" x="{LEFT - 12}" y="{middle + 4:.1f}" text-anchor="end">{escape(label)}</text>',
        f'<rect class="may" x="{low:.1f}" y="{top + 5:.1f}" width="{max(high - low, 0):.1f}" height="{ROW - 10}"/>',
    ]
    ends = [scale.x(end) for end in (bar.low, bar.high) if end is not None]
    parts += [_upright("limit", x, top + 3, top + ROW - 3) for x in ends]
    if bar.expected is not None:
        parts.append(_upright("expected", scale.x(bar.expected), top + 3, top + ROW - 3))
    parts += [
        f'<circle class="{tone}" cx="{scale.x(bar.value):.1f}" cy="{middle:.1f}" r="5"/>',
        f'<text class="text {tone}" x="{RIGHT + 14}" y="{middle + 4:.1f}">{escape(bar.says)}</text>',
        "</g>",
    ]
    return "".join(parts)


def _upright(name: str, x: float, top: float, bottom: float) -> str:
    return f'<line class="{name}" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>'


def _text(x: float, y: float, text: str, name: str) -> str:
    return f'<text class="{name}" x="{x}" y="{y}">{escape(text)}</text>'


def wrapped(text: str, most: int = WRAPPED) -> list[str]:
    """Lines of at most so many letters; a word that is longer is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        short = word if len(word) <= most else f"{word[: most - 1]}…"
        if line and len(line) + 1 + len(short) > most:
            lines.append(line)
            line = short
        else:
            line = f"{line} {short}".strip()
    return [*lines, line] if line else lines
