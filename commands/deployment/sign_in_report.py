"""`./dev doctor --sign-in`: what was tried, for people: against a stack of this machine, or what the variables name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from commands import ROOT
from commands.deployment.sign_in_check import Place, Tried, check
from commands.stack import access
from commands.stack.errors import StackError
from commands.stack.settings import no_proxy, sdk_settings
from commands.stack.state import Stack
from shared.resources import assignments as on
from shared.resources.identities import DEPLOYER, IDENTITIES, WORK

SERVICES = ("blob", "queue", "table")
PLACE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE")
PUBLIC_ARM = "https://management.azure.com"
EXIT_REFUSED = 1


def main(arguments: list[str]) -> int:
    """1 when something was refused or gave no answer."""
    made = argparse.ArgumentParser(prog="./dev doctor --sign-in", description=__doc__)
    made.add_argument("identity", nargs="?", choices=[each.name for each in IDENTITIES])
    made.add_argument(
        "--state", type=Path, default=Path(os.environ.get("CAMPANHA_STATE") or ROOT / ".campanha")
    )
    given = made.parse_args(arguments)
    stack = Stack(given.state)
    runs = stack.process("workspace") is not None
    try:
        tried = list(_of_stack(stack, given.identity) if runs else _of_variables(os.environ, given.identity))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"Against {'the embedded Azure in ' + str(stack.state) if runs else 'Azure'}:\n")
    print("\n".join(line for one in tried for line in _lines(one)))
    return EXIT_REFUSED if any(one.verdict in ("refused", "no answer") for one in tried) else 0


def _of_stack(stack: Stack, identity: str | None) -> Iterator[Tried]:
    who = next(each for each in IDENTITIES if each.name == (identity or WORK.name))
    variables = {**sdk_settings(stack, who), **no_proxy()}
    os.environ.update(variables)  # azure-identity and requests read them there
    addresses = {f"{name}s": access.data_address(stack, name) for name in SERVICES} if stack.roles else {}
    place = Place(
        arm=stack.workspace_url,
        workspace=stack.workspace_id,
        resource_id=lambda kind, name: access.resource_id(stack, kind, name),
        **addresses,
    )
    return check(variables, who.name, place)


def _of_variables(variables: Mapping[str, str], identity: str | None) -> Iterator[Tried]:
    """raises: StackError that says what is missing"""
    missing = [name for name in PLACE if not variables.get(name)]
    if missing:
        raise StackError(
            f"nothing runs here, and {', '.join(missing)} are not set: `./dev up`, or the variables of a deployment"
            ' (eval "$(azd env get-values)").'
        )
    return check(variables, identity or DEPLOYER.name, _place_of(variables))


def _place_of(variables: Mapping[str, str]) -> Place:
    group = f"/subscriptions/{variables[PLACE[0]]}/resourceGroups/{variables[PLACE[1]]}/providers"
    workspace = f"{group}/Microsoft.MachineLearningServices/workspaces/{variables[PLACE[2]]}"
    addresses = {f"{name}s": variables.get(f"CAMPANHA_STORAGE__{name}ServiceUri", "") for name in SERVICES}
    account = addresses["blobs"].partition("://")[2].partition(".")[0] or "ACCOUNT"
    data = f"{group}/Microsoft.Storage/storageAccounts/{account}"
    below = {
        on.CONTAINER: f"{data}/blobServices/default/containers/",
        on.QUEUE: f"{data}/queueServices/default/queues/",
        on.TABLE: f"{data}/tableServices/default/tables/",
    }

    def resource_id(kind: str, name: str) -> str:
        return f"{below[kind]}{name}" if kind in below else workspace if kind == on.WORKSPACE else data

    arm = variables.get("AZUREML_DEV_URL_MFE") or PUBLIC_ARM
    return Place(arm=arm, workspace=workspace, resource_id=resource_id, **addresses)


def _lines(one: Tried) -> Iterator[str]:
    yield f"  {one.verdict:<10} {one.what}{f': {one.why}' if one.why else ''}"
    if one.mend:
        yield f"             {one.mend}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
