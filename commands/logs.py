"""Show the log of the model's deployment, or the app's own; turn on Application Insights for the deployment.

In Azure the deployment's log needs AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP and AZUREML_WORKSPACE, and a sign-in
(`az login`); on this machine nothing.
"""

from __future__ import annotations

from typing import Any

from commands.client.answering import answering
from commands.client.output import as_json
from commands.client.target import FINE, command, find, parser
from commands.client.workspace import answer_of, workspace
from commands.stack.errors import StackError
from commands.stack.state import Stack


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
    serving = answering(target.client, given.dataset)
    endpoint, deployment = serving.endpoint, given.deployment or serving.deployment
    deployments = workspace(target.stack).online_deployments
    if given.app_insights:
        return _turn_on(deployments, endpoint, deployment, given_json=given.json)
    text = answer_of(lambda: deployments.get_logs(deployment, endpoint, lines=given.lines))
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


def _turn_on(deployments: Any, endpoint: str, deployment: str, *, given_json: bool) -> int:
    found = answer_of(lambda: deployments.get(deployment, endpoint))
    was_on = bool(found.app_insights_enabled)
    if not was_on:
        found.app_insights_enabled = True
        found = answer_of(lambda: deployments.begin_create_or_update(found).result())
    if given_json:
        as_json({"of": f"{endpoint}/{deployment}", "appInsightsEnabled": bool(found.app_insights_enabled)})
    else:
        print(f"Application Insights {'was on already' if was_on else 'is on'} for {endpoint}/{deployment}.")
    return FINE
