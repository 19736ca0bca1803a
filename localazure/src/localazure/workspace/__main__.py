"""`localazure workspace`: the Azure ML workspace over TLS, and its identity endpoint over http."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from functools import partial
from pathlib import Path

from azure.core.exceptions import AzureError

from localazure import strict
from localazure.access.access import BadAccess
from localazure.certificates import server_context
from localazure.ending import Ending
from localazure.private import private_folder
from localazure.storage import program
from localazure.workspace.handlers import datastores, schedules
from localazure.workspace.identity.front import BlobFront
from localazure.workspace.identity.managed_identity import IdentityServer
from localazure.workspace.routes import Router, described
from localazure.workspace.settings import Settings
from localazure.workspace.store.blobs import DEVELOPMENT
from localazure.workspace.wire.server import WorkspaceServer
from localazure.workspace.workspace import Workspace, assemble

_ABOUT = """An Azure Machine Learning workspace on 127.0.0.1, for the unmodified SDKs: over TLS, with an identity
endpoint over http beside it. It needs a storage account: localazure storage, or any Azurite."""
MANAGED_IDENTITY, SERVICE_PRINCIPAL = "managed-identity", "service-principal"


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    given = _arguments(arguments)
    if given.routes:
        print("\n".join(described()))
        return 0
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    ending = Ending().on_signals()
    settings = _settings(given)
    private_folder(settings.folder)
    try:
        workspace = assemble(settings, given.identity_header)
    except BadAccess as problem:
        print(f"workspace: {problem}", file=sys.stderr)
        return 1
    if given.print_environment:
        of, secret = workspace.settings, workspace.issuer.secret
        is_principal = given.print_environment == SERVICE_PRINCIPAL
        told = of.principal_environment(secret) if is_principal else of.client_environment(secret)
        print("\n".join(f"{name}={value}" for name, value in told.items()))
        return 0
    try:
        server, identity = _servers(workspace)
        datastores.prepare(workspace)
    except OSError as problem:
        print(f"workspace: a port is taken or a folder cannot be written: {problem}", file=sys.stderr)
        return 1
    except AzureError as problem:
        print(f"workspace: the storage account does not answer: {problem}", file=sys.stderr)
        return 1
    workspace.start()
    workspace.timetable.start(partial(schedules.fire, workspace))
    for one in (server, identity):
        threading.Thread(target=one.serve_forever, args=(0.1,), daemon=True).start()
    print(f"ready: workspace {workspace.settings.base}", flush=True)
    ending.wait()
    for one in (server, identity):
        one.shutdown()
    workspace.stop()
    return 0


def _servers(workspace: Workspace) -> tuple[WorkspaceServer, IdentityServer]:
    """Both ports taken, nobody served yet."""
    server = WorkspaceServer(
        workspace.settings.listen_port or workspace.settings.port,
        tls=server_context(workspace.settings.state / "tls"),
        dispatch=Router(workspace).dispatch,
        faults=workspace.faults,
        account=workspace.blobs.account,
        blob_endpoint=workspace.blobs.endpoint,
        opened=BlobFront(
            workspace.blobs.account_access, workspace.strict, roles=workspace.guard.access is not None
        ).opened,
    )
    identity_port = workspace.settings.identity_listen_port or workspace.settings.identity_port
    return server, IdentityServer(identity_port, workspace.guard)


def _settings(given: argparse.Namespace) -> Settings:
    state: Path = given.state.resolve()
    return Settings(
        state=state,
        port=given.port,
        identity_port=given.identity_port,
        listen_port=given.listen_port,
        identity_listen_port=given.identity_listen_port,
        storage=given.storage,
        events=given.events,
        events_key=given.events_key,
        access=given.access,
        environments=(given.environments or program.home() / "environments").resolve(),
        subscription=given.subscription,
        resource_group=given.resource_group,
        workspace=given.workspace,
        strict=given.strict,
    )


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localazure workspace", description=_ABOUT)
    parser.add_argument("--state", type=Path, default=Path(".localazure"), help="folder of the embedded Azure's "
                        "state (default: .localazure)")  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=18443, help="TLS: ARM, data plane, blob front, scoring (18443)"
    )
    parser.add_argument(
        "--identity-port", type=int, default=18080, help="http: managed-identity tokens (18080)"
    )
    for name in ("", "identity-"):
        parser.add_argument(
            f"--{name}listen-port",
            type=int,
            metavar="PORT",
            help=f"where something else has --{name}port, and passes on",
        )
    parser.add_argument(
        "--storage", default=DEVELOPMENT, help=f"connection string of the storage account ({DEVELOPMENT})"
    )
    parser.add_argument("--events", help="Event Grid topic that run events are posted to (default: none are)")
    parser.add_argument("--events-key", default="", help="its key")
    parser.add_argument(
        "--environments",
        type=Path,
        help="folder of built environments, shared by states (default: the user's cache)",
    )
    parser.add_argument(
        "--access",
        type=Path,
        metavar="FILE",
        help="identities, roles and their assignments, which then count",
    )
    parser.add_argument("--subscription", default=Settings.subscription)
    parser.add_argument("--resource-group", default=Settings.resource_group)
    parser.add_argument("--workspace", default=Settings.workspace)
    parser.add_argument(
        "--identity-header",
        help="secret of the identity endpoint (default: made once, STATE/workspace/identity-header)",
    )
    parser.add_argument(
        "--print-environment", nargs="?", const=MANAGED_IDENTITY, choices=[MANAGED_IDENTITY, SERVICE_PRINCIPAL],
        help=f"print the variables clients need to sign in so (default: {MANAGED_IDENTITY}), and end",
    )  # fmt: skip
    strict.add_option(parser)
    parser.add_argument("--routes", action="store_true", help="list what is emulated, and end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
