"""Build the playground into the folder .playground: a page on which the visitor's own browser runs the flow, and faults
are a click away. Static files, for any web server; --serve is one. No server of ours is behind it."""

from __future__ import annotations

import sys

from commands.client.output import as_json
from commands.docs_site.static_server import parser, serve
from commands.playground_site.build import FOLDER, BuildFailed, build

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self';"
        " img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
"""Any server may send them: the page takes nothing from anywhere else."""


def main(arguments: list[str]) -> int:
    given = parser("playground", __doc__).parse_args(arguments)
    try:
        build()
    except BuildFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file())
    if given.json:
        as_json({"folder": str(FOLDER), "bytes": size})
    else:
        print(f"{FOLDER}  {size / 1e6:.0f} MB of static files")
    if given.serve or given.open:
        serve(FOLDER, given.port, opened=given.open, headers=HEADERS)
    elif not given.json:
        print("./dev playground --open shows it.")
    return 0
