"""Write the documentation as a site with search into the folder .site: static files, for any web server; --serve is one."""

from __future__ import annotations

import argparse
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from commands.client.output import as_json
from commands.docs_site.build import FOLDER, build

HOST = "127.0.0.1"


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
        _serve(FOLDER, given.port, opened=given.open)
    return int(bool(found.lines))


def _serve(folder: Path, port: int, *, opened: bool) -> None:
    with ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(folder))) as server:
        url = f"http://{HOST}:{server.server_port}/"
        print(f"{url}   (Ctrl+C ends it)", flush=True)
        if opened and not webbrowser.open(url):
            print("There is no browser here; the address above works in one that reaches this machine.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


class _Quiet(SimpleHTTPRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Requests of a reader are nobody's business."""
