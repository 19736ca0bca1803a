"""Run the embedded Functions host alone, in the foreground."""

from __future__ import annotations

from commands.stack import alone


def main(arguments: list[str]) -> int:
    return alone.run("host", arguments)
