"""Reads the data contracts from their folder of YAML files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

from shared.domain import names
from shared.domain.policy import Policy
from shared.domain.tables.contract import KEYS, Contract, Purpose
from shared.errors import ConfigurationError

EXPECTS = re.compile(r"\b(expects(?:\.\w+)*): ")
"""How a fault of what is expected names its key."""


def load_contracts(
    folder: str | Path, *, endpoint_prefix: str = Policy.endpoint_prefix
) -> tuple[Contract, ...]:
    """Every `*.yaml` of the folder, by dataset name.

    endpoint_prefix: what the endpoints of their models begin with
    raises: ConfigurationError that names the file, or the datasets that cannot stand beside each other
    """
    import yaml

    contracts = []
    for path in sorted(Path(folder).glob("*.yaml")):
        text = ""
        try:
            text = path.read_text(encoding="utf-8")
            body = yaml.safe_load(text)
            contracts.append(Contract.from_json(body))
            _only_known(body)
        except RecursionError as cause:
            raise ConfigurationError(f"{path}: it is nested too deeply to be a contract") from cause
        except (yaml.YAMLError, ValueError) as cause:  # ValueError: no UTF-8, or no such date
            raise ConfigurationError(f"{path}: {cause}") from cause
        except ConfigurationError as cause:
            raise ConfigurationError(f"{path}{_line(text, str(cause))}: {cause}") from cause
    if not contracts:
        raise ConfigurationError(f"{folder} holds no contract (*.yaml); without one no file can be admitted")
    twice = [name for name, count in Counter(c.dataset for c in contracts).items() if count > 1]
    if twice:
        raise ConfigurationError(
            f"{folder}: more than one contract for dataset {', '.join(map(repr, twice))}"
        )
    for one, other in combinations(contracts, 2):
        for purpose in get_args(Purpose):
            if one.can_be_taken_for(other, purpose):
                raise ConfigurationError(
                    f"{folder}: one header can fit both {one.dataset!r} and {other.dataset!r} (for {purpose}); give one of"
                    " them a column that the other does not know"
                )
    _check_endpoints(folder, [contract.dataset for contract in contracts], endpoint_prefix)
    return tuple(sorted(contracts, key=lambda contract: contract.dataset))


def _check_endpoints(folder: str | Path, datasets: Sequence[str], prefix: str) -> None:
    """Two datasets behind one endpoint would take each other's models down."""
    taken: dict[str, str] = {}
    for dataset in datasets:
        name = names.endpoint_name(prefix, dataset)
        if not re.fullmatch(names.ENDPOINT, name):
            raise ConfigurationError(
                f"{folder}: the endpoint of dataset {dataset!r} would be {name!r}, and Azure takes letters, digits and"
                " dashes, the first a letter; call the dataset so, or mend ENDPOINT_PREFIX"
            )
        other = taken.setdefault(name.casefold(), dataset)
        if other != dataset:
            raise ConfigurationError(
                f"{folder}: datasets {other!r} and {dataset!r} would share the endpoint {name!r}, which has room for"
                f" {names.LONGEST_ENDPOINT} characters, whatever their case; call the newer one otherwise, or give"
                " ENDPOINT_PREFIX fewer characters where no model is released yet"
            )


def _only_known(body: Mapping[str, Any]) -> None:
    """A misspelt key would be silently none: nothing that `expect` expects would ever be late."""
    unknown = sorted(set(body) - KEYS)
    if unknown:
        known = ", ".join(sorted(KEYS))
        raise ConfigurationError(
            f"{', '.join(map(repr, unknown))} means nothing in a contract; there is {known}"
        )


def _line(text: str, fault: str) -> str:
    """Where in the file the key is that the fault names; empty where it names none."""
    import yaml

    named = EXPECTS.search(fault)
    node, line = yaml.compose(text) if named else None, 0
    for key in named[1].split(".") if named else ():
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next(((name, value) for name, value in pairs if name.value == key), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return f", line {line}" if line else ""
