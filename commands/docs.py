"""Print, or open in a browser, the addresses of the dashboard and of both APIs' descriptions."""

from __future__ import annotations

import webbrowser
from urllib.parse import quote

from commands.client.output import as_json
from commands.client.status_api import Json
from commands.client.target import FINE, Target, command, find, parser


@command
def main(arguments: list[str]) -> int:
    made = parser("docs", __doc__)
    made.add_argument("--open", action="store_true", help="open the dashboard in the browser")
    given = made.parse_args(arguments)
    target = find(given)
    places = addresses(target, target.client.get("status"))
    if given.json:
        as_json({"addresses": [{"name": name, "url": url} for name, url in places.items()]})
    else:
        wide = max(map(len, places))
        print("\n".join(f"{name:<{wide}}  {url}" for name, url in places.items()))
    if given.open and not webbrowser.open(places["dashboard"]):
        print("There is no browser here; the address above works in one that reaches this machine.")
    return FINE


def addresses(target: Target, status: Json) -> dict[str, str]:
    """Where each is; on this machine the dashboard's address signs in by itself."""
    url = target.client.url
    # The key goes after the #: browsers send that to nobody, and the page takes it out of the address at once.
    key = f"#key={quote(target.stack.keys['operator'])}" if target.stack else ""
    served = [row["dataset"] for row in status["datasets"] if row.get("serving")]
    return {
        "dashboard": f"{url}/dashboard/{key}",
        "swagger": f"{url}/api/docs",
        "openapi": f"{url}/api/openapi.json",
        **{f"model {name}": f"{url}/dashboard/#/api?dataset={quote(name)}" for name in served},
        **{f"swagger of {name}": f"{url}/api/endpoints/{quote(name)}/swagger" for name in served},
    }
