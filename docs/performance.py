"""Writes the README's performance section and the charts from bench/results: `python docs/performance.py`.

With `--check` nothing is written; the exit code is 1 when one of them is not what the results give.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from typing import Any

import kept
from kept import ROOT

RESULTS = ROOT / "bench" / "results"
README = ROOT / "README.md"
BEGIN, END = "<!-- performance -->", "<!-- /performance -->"
MEASURES = (
    "latency",
    "flow",
    "endpoint",
    "scoring",
    "scoring-10000000",
    "reading",
    "status",
    "pollers",
    "embedded",
    "setup",
)

WIDTH, ROW, LABEL_RIGHT, BAR_LEFT, BAR_WIDTH, TOP = 760, 30, 300, 312, 340, 52
STYLE = """
  .page { fill: #ffffff }
  .title { font: bold 14px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2328 }
  .text { font: 12.5px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #424a53 }
  .bar { fill: #9db4d6 }
  .ours { fill: #0b3d91 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .title { fill: #e6edf3 } .text { fill: #adbac7 } .bar { fill: #3d5a80 } .ours { fill: #79b8ff }
  }
"""


def results() -> dict[str, dict[str, Any]]:
    """What was measured, by measure; those never run are left out."""
    files = {measure: RESULTS / f"{measure}.json" for measure in MEASURES}
    return {
        measure: json.loads(file.read_text(encoding="utf-8"))
        for measure, file in files.items()
        if file.exists()
    }


def section(found: dict[str, dict[str, Any]]) -> str:
    """Goals and what was measured, with the machine; and each measure's chart."""
    lines = ["| `./dev bench` | goal | measured | |", "|---|---|---|---|"]
    for measure, result in found.items():
        for goal in result["goals"]:
            met = {True: "met", False: "**missed**", None: "not measured"}[goal["met"]]
            lines.append(f"| {measure} | {goal['goal']} | {_number(goal['measured'])} | {met} |")
    machines = {_machine(result["machine"]) for result in found.values()}
    busy = ", ".join(f"{measure} {_load(result['machine'])}" for measure, result in found.items())
    lines += [
        "",
        f"Measured on {'; and on '.join(sorted(machines))}, all parts on the one machine. Load averages at the"
        f" start, of which nothing is ours: {busy}.",
    ]
    charts = [measure for measure, result in found.items() if "chart" in result]
    lines += [f"\n![{found[measure]['chart']['title']}](bench/results/{measure}.svg)" for measure in charts]
    return "\n".join(lines)


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['cores']} cores, Python {machine['python']}, {machine['platform'].split()[0]}"


def _load(machine: dict[str, Any]) -> str:
    before = machine.get("loadBefore")
    return f"{before[0]:g}" if before else "not known"


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:,.10g}"


def chart(drawn: dict[str, Any]) -> str:
    """Horizontal bars. drawn: title, unit, bars (label, value, ours)"""
    bars = drawn["bars"]
    height = TOP + ROW * len(bars) + 14
    most = max(bar["value"] for bar in bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img">',
        f"<title>{escape(drawn['title'])}</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="16" y="28">{escape(drawn["title"])}</text>',
    ]
    for at, bar in enumerate(bars):
        y = TOP + ROW * at
        width = max(1.0, BAR_WIDTH * bar["value"] / most)
        kind = "bar ours" if bar.get("ours") else "bar"
        parts += [
            f'<text class="text" x="{LABEL_RIGHT}" y="{y + 15}" text-anchor="end">{escape(bar["label"])}</text>',
            f'<rect class="{kind}" x="{BAR_LEFT}" y="{y}" width="{width:.1f}" height="20" rx="3"/>',
            f'<text class="text" x="{BAR_LEFT + width + 8:.1f}" y="{y + 15}">'
            f"{bar['value']:,.10g} {escape(drawn['unit'])}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])


def wanted() -> dict[Path, str]:
    """What each file should hold."""
    found = results()
    charts = {RESULTS / f"{m}.svg": chart(r["chart"]) for m, r in found.items() if "chart" in r}
    return {README: kept.between(README.read_text(encoding="utf-8"), BEGIN, END, section(found)), **charts}


if __name__ == "__main__":
    sys.exit(kept.main(__doc__, wanted()))
