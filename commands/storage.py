"""Run the embedded storage alone, in the foreground: blobs, queues and tables, by Azurite."""

from __future__ import annotations

from commands.stack import alone


def main(arguments: list[str]) -> int:
    return alone.run("storage", arguments)
