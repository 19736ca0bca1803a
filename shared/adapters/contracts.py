"""Reads the data contracts from their folder of YAML files."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import get_args

from shared.domain.tables.contract import Contract, Purpose
from shared.errors import ConfigurationError


def load_contracts(folder: str | Path) -> tuple[Contract, ...]:
    """Every `*.yaml` of the folder, by dataset name; raises: ConfigurationError that names the file."""
    import yaml

    contracts = []
    for path in sorted(Path(folder).glob("*.yaml")):
        try:
            body = yaml.safe_load(path.read_text(encoding="utf-8"))
            contracts.append(Contract.from_json(body))
        except (yaml.YAMLError, UnicodeDecodeError, ConfigurationError) as cause:
            raise ConfigurationError(f"{path}: {cause}") from cause
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
    return tuple(sorted(contracts, key=lambda contract: contract.dataset))
