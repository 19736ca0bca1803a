"""Serves a folder of static files on this machine, until Ctrl+C."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"


def serve(folder: Path, port: int, *, opened: bool, headers: Mapping[str, str] | None = None) -> None:
    """port: 0 for a free one; headers: sent with every file"""
    with server_of(folder, port, headers) as server:
        url = f"http://{HOST}:{server.server_port}/"
        print(f"{url}   (Ctrl+C ends it)", flush=True)
        if opened and not webbrowser.open(url):
            print("There is no browser here; the address above works in one that reaches this machine.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """What every command takes that builds a folder of static files."""
    made = argparse.ArgumentParser(prog=f"./dev {name}", description=description)
    made.add_argument("--serve", action="store_true", help="serve it on this machine until Ctrl+C")
    made.add_argument("--open", action="store_true", help="serve it, and open it in the browser")
    made.add_argument("--port", type=int, default=0, help="to serve it at (default: a free one)")
    made.add_argument("--json", action="store_true")
    return made


def server_of(folder: Path, port: int = 0, headers: Mapping[str, str] | None = None) -> ThreadingHTTPServer:
    """Not yet serving; the caller's to close."""
    return _Server((HOST, port), partial(_Quiet, directory=str(folder), headers=headers or {}))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who leaves in the middle of a file is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Quiet(SimpleHTTPRequestHandler):
    """Logs nothing: requests of a reader are nobody's business."""

    def __init__(self, *given: Any, headers: Mapping[str, str], **named: Any) -> None:
        self._sent = headers
        super().__init__(*given, **named)

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        for name, value in self._sent.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None: ...
