"""Write the documentation as a site with search into the folder .site: static files, for any web server; --serve is one."""

from __future__ import annotations

import argparse

from commands.client.output import as_json
from commands.docs_site.build import FOLDER, build
from commands.docs_site.static_server import serve


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev site", description=__doc__)
    made.add_argument("--serve", action="store_true", help="serve it on this machine until Ctrl+C")
    made.add_argument("--open", action="store_true", help="serve it, and open it in the browser")
    made.add_argument("--port", type=int, default=0, help="to serve it at (default: a free one)")
    made.add_argument("--json", action="store_true")
    given = made.parse_args(arguments)
    found = build()
    if given.json:
        as_json({"folder": str(FOLDER), "findings": list(found.lines)})
    else:
        print("\n".join([*found.lines, f"{FOLDER}  {found.figure}"]))
    if given.serve or given.open:
        serve(FOLDER, given.port, opened=given.open)
    return int(bool(found.lines))
