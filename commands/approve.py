"""Approve a release that waits for a person, or reject it; who asked for it cannot approve it."""

from __future__ import annotations

from commands.client.output import acted
from commands.client.target import command, find, model_path, parser


@command
def main(arguments: list[str]) -> int:
    made = parser("approve", __doc__)
    made.add_argument(
        "model", metavar="DATASET:VERSION", help="whose release waits (`./dev status` names it)"
    )
    made.add_argument("--reject", action="store_true", help="take its deployment down instead")
    made.add_argument("--reason", required=True, help="why; kept in the model's record and the audit trail")
    given = made.parse_args(arguments)
    path = model_path(made, given.model)
    client = find(given).client
    if given.reject:
        done = f"The release of model {given.model} is rejected."
        return acted(client, f"{path}/reject", reason=given.reason, given_json=given.json, done=done)
    done = f"The release of model {given.model} goes on. `./dev watch` shows it."
    return acted(client, f"{path}/approve", reason=given.reason, given_json=given.json, done=done)
