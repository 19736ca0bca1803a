"""Show the log of the model's deployment, or the app's own; turn on Application Insights for the deployment.

In Azure the deployment's log needs AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP and AZUREML_WORKSPACE, and a sign-in
(`az login`); on this machine nothing.
"""

from __future__ import annotations

import os
from typing import Any

from commands.client.output import as_json
from commands.client.status_api import Client
from commands.client.target import FINE, command, find, parser
from commands.stack.errors import StackError
from commands.stack.settings import no_proxy, sdk_settings
from commands.stack.state import Stack

WORKSPACE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE")


@command
def main(arguments: list[str]) -> int:
    made = parser("logs", __doc__)
    made.add_argument("--app", action="store_true", help="the app's own log, not the deployment's")
    made.add_argument("--dataset", help="whose deployment (default: the only one that answers)")
    made.add_argument("--deployment", help="another than the one that answers")
    made.add_argument(
        "--lines", type=int, default=100, metavar="N", help="how many, from the end (default: 100)"
    )
    made.add_argument(
        "--app-insights", action="store_true", help="turn on Application Insights for the deployment, and end"
    )
    given = made.parse_args(arguments)
    target = find(given)
    if given.app:
        lines = _app_log(target.stack, given.lines)
        return _print("app", lines, given_json=given.json)
    endpoint, serving = _serving(target.client, given.dataset)
    deployment = given.deployment or serving
    deployments = _deployments(target.stack)
    if given.app_insights:
        return _turn_on(deployments, endpoint, deployment, given_json=given.json)
    text = _asked(lambda: deployments.get_logs(deployment, endpoint, lines=given.lines))
    return _print(f"{endpoint}/{deployment}", str(text), given_json=given.json)


def _print(of: str, text: str, *, given_json: bool) -> int:
    if given_json:
        as_json({"of": of, "lines": text.splitlines()})
    else:
        print(text.rstrip("\n"))
    return FINE


def _app_log(stack: Stack | None, lines: int) -> str:
    if stack is None:
        raise StackError(
            "a deployed app's log is in its Application Insights: the tables traces, requests and exceptions."
            " `./dev logs` without --app shows the model's deployment."
        )
    text = stack.log("host").read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def _serving(client: Client, dataset: str | None) -> tuple[str, str]:
    """Endpoint and deployment that answer."""
    rows = [
        row
        for row in client.get("status")["datasets"]
        if row.get("serving") and dataset in (None, row["dataset"])
    ]
    if len(rows) == 1:
        return rows[0]["serving"]["endpoint"], rows[0]["serving"]["deployment"]
    if rows:
        raise StackError(
            f"models of {', '.join(row['dataset'] for row in rows)} answer: choose by --dataset."
        )
    whose = f" of {dataset}" if dataset else ""
    raise StackError(f"no model{whose} answers yet, so there is no log. `./dev logs --app` shows the app's.")


def _deployments(stack: Stack | None) -> Any:
    """The online deployments of the workspace, by the unmodified SDK."""
    if stack is not None:
        os.environ.update({**sdk_settings(stack), **no_proxy()})
    missing = [name for name in WORKSPACE if not os.environ.get(name)]
    if missing:
        raise StackError(f"set {', '.join(missing)}: the workspace whose deployment's log is wanted.")
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(DefaultAzureCredential(), *(os.environ[name] for name in WORKSPACE)).online_deployments


def _turn_on(deployments: Any, endpoint: str, deployment: str, *, given_json: bool) -> int:
    found = _asked(lambda: deployments.get(deployment, endpoint))
    was_on = bool(found.app_insights_enabled)
    if not was_on:
        found.app_insights_enabled = True
        found = _asked(lambda: deployments.begin_create_or_update(found).result())
    if given_json:
        as_json({"of": f"{endpoint}/{deployment}", "appInsightsEnabled": bool(found.app_insights_enabled)})
    else:
        print(f"Application Insights {'was on already' if was_on else 'is on'} for {endpoint}/{deployment}.")
    return FINE


def _asked(asking: Any) -> Any:
    """What the SDK answers; its own sentence when it does not."""
    from azure.core.exceptions import AzureError

    try:
        return asking()
    except AzureError as problem:
        message = getattr(problem, "message", None) or str(problem)
        raise StackError(f"Azure ML: {str(message).splitlines()[0]}") from problem
