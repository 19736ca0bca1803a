"""A Functions host on one port of 127.0.0.1: runs a Python v2 app and its triggers."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from localazure.host import logs
from localazure.host.errors import HostError
from localazure.host.host import load
from localazure.host.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 with a sentence when the app cannot run."""
    given = _arguments(arguments)
    lines = logs.begin()
    try:
        app = load(
            folder=given.app,
            settings_file=given.settings,
            port=given.port,
            state=given.state or given.app / ".localazure",
            auth=not given.no_auth,
            only=given.functions,
        )
        lines.keys = app.keys
        logs.set_level(app.host_json.log_level)
        return asyncio.run(serve(app, given.port))
    except HostError as problem:
        print(f"host: {problem}", file=sys.stderr)
        return 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localazure host", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path(), metavar="DIR", help="folder with function_app.py and "
                        "host.json (default: this one)")  # fmt: skip
    parser.add_argument("--port", type=int, default=7071, help="default: 7071")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="in the shape of local.settings.json "
                        "(default: APP/local.settings.json, if there is one)")  # fmt: skip
    parser.add_argument("--functions", nargs="+", metavar="NAME", help="run these only")
    parser.add_argument("--state", type=Path, help="folder for the keys (default: APP/.localazure)")
    parser.add_argument("--no-auth", action="store_true", help="every caller may call everything")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
