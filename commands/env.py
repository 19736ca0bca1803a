"""Print the variables with which any program on the unmodified Azure SDKs talks to the running stack.

eval "$(./dev env)"
"""

from __future__ import annotations

import json
import shlex

from commands.stack.arguments import parser, running
from commands.stack.settings import script_environment


def main(arguments: list[str]) -> int:
    made = parser("env", __doc__)
    made.add_argument("--json", action="store_true", help="as one JSON object")
    given = made.parse_args(arguments)
    variables = script_environment(running(given.state))
    if given.json:
        print(json.dumps(variables, indent=1))
    else:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    return 0
