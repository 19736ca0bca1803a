"""Draft a data contract of a CSV that the app does not know yet: types, bounds, categories, and the answer to predict.

What looks like personal data is left out, and what gives the answer away is kept from the model; each with a comment
that says so. The file itself is then checked against the draft, as a dropped one would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.client import tables
from commands.client.output import as_json
from commands.stack.arguments import parser
from commands.stack.errors import StackError
from shared.adapters.contracts import load_contracts
from shared.domain.tables.admission import Tally, check_rows
from shared.domain.tables.contract import Contract
from shared.domain.tables.csv_reader import read_blocks
from shared.domain.tables.dialect import FileProblem, read_header
from shared.errors import ConfigurationError
from shared.package_data import CONTRACTS

if TYPE_CHECKING:
    from commands.drafting.draft import Draft
    from commands.drafting.profile import Profile

MOST_ROWS = 200_000
"""That are looked at: bounds of more are hardly others."""
PIECE = 1 << 20
COLUMNS = ("name", "type", "values", "reason")


def main(arguments: list[str]) -> int:
    made = parser("new-contract", __doc__)
    made.add_argument("file", type=Path, help="a CSV with a header")
    made.add_argument("--dataset", help="name of dataset and model (default: made of the file's name)")
    made.add_argument(
        "--target", default="", help="the column with the answer (default: found by name or place)"
    )
    made.add_argument(
        "--positive", default="", help="the answer that is looked for (default: yes, 1, or the rarer)"
    )
    made.add_argument("--out", type=Path, help="the contract's file (default: contracts/DATASET.yaml)")
    made.add_argument("--json", action="store_true", help="print the draft as JSON, and write no file")
    given = made.parse_args(arguments)
    try:
        draft = _drafted(given.file, given.dataset or _slug(given.file.stem), given.target, given.positive)
        contract = Contract.from_json(draft.to_json())
    except ConfigurationError as no:
        raise StackError(str(no)) from no
    tally = _checked(given.file, contract)
    if given.json:
        as_json(
            {
                "contract": draft.to_json(),
                "rows": tally.records,
                "fit": tally.accepted,
                "faults": tally.by_rule,
            }
        )
        return 0
    from commands.drafting.written import yaml_of

    out = given.out or CONTRACTS / f"{draft.dataset}.yaml"
    _write(out, yaml_of(draft, given.file.name))
    _show(draft, tally, out)
    return 0


@dataclass(frozen=True, kw_only=True)
class _Table:
    names: tuple[str, ...]
    rows: list[list[str]]

    def column(self, place: int) -> list[str]:
        return [row[place] for row in self.rows]


def _drafted(file: Path, dataset: str, target: str, positive: str) -> Draft:
    # Not at the top: `--help` is said before anything is installed.
    import numpy as np

    from commands.drafting.draft import doubt_about, drafted, positive_of, target_among
    from commands.drafting.profile import beside_answers, profiled

    table = _read(file)
    plain = [profiled(name, table.column(place)) for place, name in enumerate(table.names)]
    answer = target_among(plain, target)
    word, note = positive_of(answer, positive)
    doubt = "" if target else doubt_about(answer, plain)
    place = table.names.index(answer.name)
    answers = np.array([text.strip() == word for text in table.column(place)], dtype=np.float64)
    others: list[Profile] = [
        beside_answers(one, table.column(at), answers) for at, one in enumerate(plain) if at != place
    ]
    notes = "; ".join(each for each in (doubt, note) if each)
    return drafted(dataset, f"Draft of {file.name}", others, answer, (word, notes))


def _read(file: Path) -> _Table:
    """raises: StackError for what is no CSV, or has no rows"""
    header, rest = read_header(_pieces(file))
    if isinstance(header, FileProblem):
        raise StackError(f"{file}: {header.message}")
    there = (row for block in read_blocks(rest, header) for row in block.rows)
    rows = list(islice(there, MOST_ROWS))
    if not rows:
        raise StackError(f"{file} has a header and no rows; export it again with its rows.")
    return _Table(names=header.names, rows=rows)


def _pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            yield from iter(lambda: opened.read(PIECE), b"")
    except OSError as cause:
        raise StackError(f"{file} cannot be read: {cause.strerror}.") from cause


def _checked(file: Path, contract: Contract) -> Tally:
    """The file, as the app would read it when it is dropped. raises: StackError"""
    admission = check_rows(_pieces(file), [contract])
    for _ in admission.batches():
        pass
    if admission.problem:
        raise StackError(f"{file} does not fit its own draft: {admission.problem}")
    return admission.tally


def _write(out: Path, text: str) -> None:
    """raises: StackError for a file that is there, and for a contract that the others cannot stand beside"""
    if out.exists():
        raise StackError(f"{out} is there already; give another --out, or another --dataset.")
    try:
        out.write_text(text, encoding="utf-8")
        load_contracts(out.parent)
    except OSError as cause:
        raise StackError(f"{out} cannot be written: {cause.strerror}.") from cause
    except ConfigurationError as no:
        out.unlink()
        raise StackError(str(no)) from no


def _show(draft: Draft, tally: Tally, out: Path) -> None:
    rows = [{"name": each.name, **_said(each.body), "reason": each.note} for each in draft.columns]
    tables.show(f"Draft of {draft.dataset}", rows, COLUMNS)
    print(
        f"\nanswer: {draft.target['name']}, looked for: {draft.target['positive']}. {draft.target_note}".rstrip()
    )
    print(f"{tally.accepted:,} of {tally.records:,} rows fit it.")
    for rule, count in [*tally.by_rule.items()][:5]:
        print(f"  {count:,} times  {rule}")
    print(
        f"Written to {out}. Look at its comments, then: ./dev down; ./dev up; ./dev publish; ./dev drop FILE"
        "\n(The app reads contracts at its start.)"
    )


def _said(body: dict[str, Any] | None) -> dict[str, str]:
    if body is None:
        return {"type": "ignored"}
    if "values" in body:
        words = ", ".join(body["values"][:6]) + (" ..." if len(body["values"]) > 6 else "")
        return {"type": "category", "values": words}
    return {"type": body["type"], "values": f"{body['minimum']:g} to {body['maximum']:g}"}


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40] or "dataset"
