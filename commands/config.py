"""Show the choices that change without a restart, or change some: `./dev config set RUNS_PER_DAY=5 --reason WHY`.

`NAME=` gives a choice back to the app setting. `PAUSED=true` and `PAUSED=false` are `./dev status --pause` and `--resume`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from commands.client import live_settings, tables
from commands.client.output import acted, as_json
from commands.client.status_api import Client
from commands.client.target import FINE, command, find, parser

PAUSED = {"true": "pause", "false": "resume"}


@command
def main(arguments: list[str]) -> int:
    made = parser("config", __doc__)
    made.add_argument("do", nargs="?", choices=["show", "set"], default="show")
    made.add_argument("changes", nargs="*", metavar="NAME=VALUE")
    made.add_argument("--reason", help="why it is changed; kept with it")
    made.add_argument("--version", type=int, help="refuse when it is not at this version any more")
    given = made.parse_args(arguments)
    if given.do == "show":
        if given.changes:
            made.error("to change something: ./dev config set NAME=VALUE --reason WHY")
        return _show(find(given).client, given_json=given.json)
    if not given.changes or not given.reason:
        made.error("say what to change and why: ./dev config set NAME=VALUE --reason WHY")
    changes = _changes(made, given.changes)
    client = find(given, scope="admin").client
    if "PAUSED" in changes:
        return _pause(made, client, changes, given)
    body = {
        "settings": {name: value for name, value in changes.items() if value is not None},
        "reset": [name for name, value in changes.items() if value is None],
        "reason": given.reason,
    }
    if given.version is not None:
        body["version"] = given.version
    operation = client.act("config", body)
    if given.json:
        as_json(operation)
    else:
        print("Changed; in force everywhere within seconds. `./dev config` shows it.")
    return FINE


def _show(client: Client, *, given_json: bool) -> int:
    config = client.get("config")
    status = client.get("status")
    if given_json:
        as_json({**config, "paused": status["paused"]})
        return FINE
    tables.show(
        f"Config, version {config['version']}",
        list(live_settings.rows(config["settings"])),
        live_settings.COLUMNS,
    )
    print(live_settings.WHILE_PAUSED if status["paused"] else "Not paused.")
    return FINE


def _pause(
    made: argparse.ArgumentParser, client: Client, changes: dict[str, Any], given: argparse.Namespace
) -> int:
    action = PAUSED.get(str(changes["PAUSED"]).lower())
    if action is None or len(changes) > 1:
        made.error("PAUSED is true or false, and is set alone")
    done = live_settings.WHILE_PAUSED if action == "pause" else "Going on."
    return acted(client, action, reason=given.reason, given_json=given.json, done=done)


def _changes(made: argparse.ArgumentParser, pairs: Sequence[str]) -> dict[str, Any]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        made.error(f"a change is NAME=VALUE, not {wrong[0]!r}")
    return {name: _value(text) for name, text in (pair.split("=", 1) for pair in pairs)}


def _value(text: str) -> int | float | str | None:
    """As JSON has it: a number where it is one."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text or None
