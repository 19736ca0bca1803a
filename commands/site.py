"""Write the documentation as a site with search into the folder .site: static files, for any web server; --serve is one."""

from __future__ import annotations

from commands.client.output import as_json
from commands.docs_site.build import FOLDER, build
from commands.docs_site.static_server import parser, serve


def main(arguments: list[str]) -> int:
    given = parser("site", __doc__).parse_args(arguments)
    found = build()
    if given.json:
        as_json({"folder": str(FOLDER), "findings": list(found.lines)})
    else:
        print("\n".join([*found.lines, f"{FOLDER}  {found.figure}"]))
    if given.serve or given.open:
        serve(FOLDER, given.port, opened=given.open)
    return int(bool(found.lines))
