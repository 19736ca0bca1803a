"""Kusto queries as Microsoft's own language service reads them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence

from commands import ROOT
from commands.linters.tools import HERE, LinterBroke


def read(queries: Sequence[tuple[str, str]], tables: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with the queries, a line each.

    queries: place and text; tables: by name their columns, as `(name:type, ...)`
    raises: LinterBroke
    """
    from localazure.storage import node

    asked = {"tables": dict(tables), "queries": [{"place": place, "text": text} for place, text in queries]}
    done = subprocess.run(
        [str(node.find_or_install().binary), str(HERE / "kql.mjs")],
        cwd=ROOT, env=dict(os.environ), input=json.dumps(asked), capture_output=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise LinterBroke(f"kql.mjs ended with {done.returncode}:\n{done.stderr}")
    return tuple(f"{each['place']}: {each['code']} {each['message']}" for each in json.loads(done.stdout))
