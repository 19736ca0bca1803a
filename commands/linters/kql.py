"""Kusto queries as Microsoft's own language service reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from commands.linters import tools


def read(queries: Sequence[tuple[str, str]], tables: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with the queries, a line each.

    queries: place and text; tables: by name their columns, as `(name:type, ...)`
    raises: LinterBroke
    """
    asked = {"tables": dict(tables), "queries": [{"place": place, "text": text} for place, text in queries]}
    done = tools.run("../kql.mjs", given=json.dumps(asked))
    if done.returncode != 0:
        raise tools.LinterBroke(f"kql.mjs ended with {done.returncode}:\n{done.stderr}")
    return tuple(f"{each['place']}: {each['code']} {each['message']}" for each in json.loads(done.stdout))
