"""Which app a command talks to: the one in a state folder, or a deployed one by address and key."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

from commands import ROOT
from commands.client.status_api import Client, Unreachable
from commands.stack.errors import StackError
from commands.stack.state import Stack

FINE, BAD, CANNOT_REACH = 0, 1, 3
ENDS = (
    "exit codes: 0 fine; 1 not found, refused, or in a bad state; 2 wrong usage; 3 the app cannot be reached"
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """An app, and the stack it belongs to when it is one of this machine's."""

    client: Client
    stack: Stack | None


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `./dev NAME` that knows `--state`, `--url`, `--key` and `--json`."""
    made = argparse.ArgumentParser(
        prog=f"./dev {name}", description=description, epilog=ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.add_argument("--json", action="store_true", help="the app's answer as it is, for programs")
    where = made.add_argument_group("which app")
    where.add_argument(
        "--state", type=Path, metavar="DIR",
        help="the embedded Azure in this folder (default: $CAMPANHA_URL if set, else $CAMPANHA_STATE or .campanha)",
    )  # fmt: skip
    where.add_argument("--url", help="a deployed app's address, such as https://NAME.azurewebsites.net")
    where.add_argument(
        "--key",
        help="its key; better in $CAMPANHA_KEY, which no process list shows; or an Entra token in $CAMPANHA_TOKEN",
    )
    return made


def model_path(made: argparse.ArgumentParser, model: str) -> str:
    """The address of a model that an argument names; ends the command where it names none."""
    return version_path(made, "model", "models", model)


def version_path(made: argparse.ArgumentParser, what: str, plural: str, named: str) -> str:
    """The address of a thing that has its dataset's name and version; ends the command where an argument names none."""
    if ":" not in named:
        made.error(f"a {what} is named DATASET:VERSION, such as bank:2, not {named}")
    return f"{plural}/{'/'.join(named.rsplit(':', 1))}"


def find(given: argparse.Namespace, *, scope: str = "operator") -> Target:
    """The app the arguments name; else the one in the environment; else the one in the usual state folder.

    scope: of the key that is taken for an app of this machine when none is given

    raises: Unreachable when it does not run, StackError when no key is known
    """
    stack = Stack(given.state or Path(os.environ.get("CAMPANHA_STATE") or ROOT / ".campanha"))
    url = given.url or (None if given.state else os.environ.get("CAMPANHA_URL"))
    runs = stack.process("host") is not None
    if url and not (runs and url.rstrip("/") == stack.host_url):
        return Target(client=_deployed(url, given.key), stack=None)
    if not runs:
        raise Unreachable(
            f"nothing runs in {stack.state}. `./dev up` starts the embedded Azure; --state DIR names another"
            " folder, --url a deployed app."
        )
    client = Client(stack.host_url, key=given.key) if given.key else Client.of(stack, scope)
    return Target(client=client, stack=stack)


def _deployed(url: str, key: str | None) -> Client:
    key, token = key or os.environ.get("CAMPANHA_KEY"), os.environ.get("CAMPANHA_TOKEN")
    if not (key or token) and (audience := os.environ.get("CAMPANHA_API_AUDIENCE")):
        from shared.adapters.sign_in import credential

        token = credential().get_token(f"{audience}/.default").token
    if not (key or token):
        raise StackError(
            f"no credential for {url}: set CAMPANHA_KEY to one of its keys, CAMPANHA_TOKEN to an Entra access token"
            " (`az account get-access-token --resource CLIENT_ID --query accessToken -o tsv`), or CAMPANHA_API_AUDIENCE to"
            " the API's client id, to sign in as SIGN_IN says."
        )
    return Client(url, key=key, token=token)


def command(doing: Callable[[list[str]], int]) -> Callable[[list[str]], int]:
    """Makes what goes wrong an exit code, with a sentence for people."""

    @wraps(doing)
    def main(arguments: list[str]) -> int:
        try:
            return doing(arguments)
        except Unreachable as problem:
            return _say(problem, CANNOT_REACH)
        except StackError as problem:
            return _say(problem, BAD)
        except BrokenPipeError:
            # Whoever read our output has seen enough; Python must not try to flush the rest at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FINE

    return main


def _say(problem: StackError, code: int) -> int:
    print(problem, file=sys.stderr)
    return code
