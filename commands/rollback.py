"""Roll a dataset's endpoint back: a model that is watched loses its share, else the model before answers again."""

from __future__ import annotations

from commands.client.output import acted
from commands.client.target import command, find, parser


@command
def main(arguments: list[str]) -> int:
    made = parser("rollback", __doc__)
    made.add_argument("dataset", help="whose endpoint")
    made.add_argument("--reason", required=True, help="why; kept in the model's record and the audit trail")
    given = made.parse_args(arguments)
    path, done = (
        f"endpoints/{given.dataset}/rollback",
        "The model before is on its way. `./dev watch` shows it.",
    )
    return acted(find(given).client, path, reason=given.reason, given_json=given.json, done=done)
