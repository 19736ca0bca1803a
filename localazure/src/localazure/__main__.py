"""The command `localazure`: one subcommand for each part, and `up` for storage, events and workspace together."""

from __future__ import annotations

import importlib
import sys

from localazure import __version__

COMMANDS = {
    "up": (
        "localazure.up.__main__",
        "storage, events and workspace together, and what clients need to reach them",
    ),
    "storage": ("localazure.storage.__main__", "a storage account alone: blobs, queues, tables"),
    "events": ("localazure.events.__main__", "Event Grid alone: topics, storage events, subscriptions"),
    "workspace": ("localazure.workspace.__main__", "an Azure Machine Learning workspace alone"),
    "host": ("localazure.host.__main__", "an Azure Functions host for a Python app"),
    "faults": (
        "localazure.faults.__main__",
        "faults of what runs: throttled, lost, late, by rate or by count",
    ),
    "setup": ("localazure.storage.installation", "install what storage needs now, not at its first start"),
    "environment": (
        "localazure.workspace.processes.environments",
        "build a conda file's environment ahead of jobs",
    ),
}


def main() -> int:
    """The exit code of the subcommand; its module is imported alone, so that each starts fast."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(_usage())
        return 0
    if name == "--version":
        print(f"localazure {__version__}")
        return 0
    if name not in COMMANDS:
        print(f"localazure has no command {name!r}.\n{_usage()}", file=sys.stderr)
        return 2
    return int(importlib.import_module(COMMANDS[name][0]).main(arguments))


def _usage() -> str:
    lines = [f"  {name:<12} {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(["usage: localazure COMMAND [options]     (COMMAND --help says more)", "", *lines])


if __name__ == "__main__":
    sys.exit(main())
