"""Contracts: as the YAML says, through JSON unchanged, and found by a file's header."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.adapters.contracts import load_contracts
from shared.domain.names import endpoint_name
from shared.domain.tables.contract import Contract
from shared.domain.tables.header_match import HeaderProblem, match
from shared.domain.tables.values import Fault, judge
from shared.errors import ConfigurationError
from tests.unit.domain.clients import ADDITIONAL, BANK, CONTRACTS, NAMES

GOOD = {
    "dataset": "d",
    "target": {"name": "y", "values": ["no", "yes"], "positive": "yes"},
    "columns": [{"name": "age", "type": "integer", "minimum": 1, "maximum": 9}],
}


def test_the_contracts_are_the_published_variants() -> None:
    assert [contract.dataset for contract in CONTRACTS] == ["bank", "bank-additional"]
    assert (len(BANK.columns), len(ADDITIONAL.columns)) == (16, 20)
    assert {"duration"} == {c.name for c in BANK.columns} - {c.name for c in BANK.features}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.dataset)
def test_json_gives_the_contract_back(contract: Contract) -> None:
    assert Contract.from_json(json.loads(json.dumps(contract.to_json()))) == contract


def test_json_says_what_the_yaml_says() -> None:
    yaml = pytest.importorskip("yaml")
    text = (Path(__file__).parents[3] / "contracts" / "bank.yaml").read_text(encoding="utf-8")
    assert BANK.to_json() == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": [{"name": "a", "type": "integer"}, {"name": "a", "type": "number"}]}, "more than once"),
        ({"columns": [{"name": "a", "type": "date"}]}, "type 'date'"),
        ({"columns": [{"name": "a", "type": "category", "values": ["no", False]}]}, "quote it"),
        ({"columns": [{"name": "a", "type": "category"}]}, "lists its values"),
        ({"columns": [{"name": "a", "type": "integer", "minimum": "1"}]}, "'1' is not a number"),
        ({"columns": [{"name": "a", "type": "integer", "maxium": 1}]}, "'maxium'"),
        ({"columns": [{"type": "integer"}]}, "'name' is missing"),
        ({"columns": []}, "no column a model could look at"),
        ({"target": {"name": "y", "values": ["no"], "positive": "yes"}}, "positive"),
        ({"target": None}, "NoneType"),
        ({"contacts": "calls"}, "'calls' is no integer column that is known before the call"),
        ({"list_columns": [{"name": "age", "log_of": "rows"}]}, "more than once"),
        ({"list_columns": [{"name": "a", "log_of": "size"}]}, "'a' says 'log_of'; write `log_of: rows`"),
        ({"list_columns": [{"name": "a", "log_of": "rows", "column": "age"}]}, "write `log_of: rows`"),
        ({"list_columns": [{"name": "a", "log_of": "run"}]}, "`log_of: run` with a `column`"),
        ({"list_columns": [{"name": "a", "share_of": "age"}]}, "`share_of` with `values` or `above`"),
        ({"list_columns": [{"log_of": "rows"}]}, "list column None says"),
        ({"list_columns": [{"name": "a", "log_of": "run", "column": "y"}]}, "'y', which is no column known"),
        ({"list_columns": [{"name": "a", "share_of": "age", "values": ["9"]}]}, "has type integer; count"),
        ({"list_columns": [{"name": "a", "share_of": "age", "above": "9"}]}, "'9' is not a number"),
        (
            {
                "columns": [{"name": "rate", "type": "number"}],
                "list_columns": [{"name": "a", "log_of": "run", "column": "rate"}],
            },
            "a run of numbers means nothing",
        ),
        (
            {
                "columns": [{"name": "c", "type": "category", "values": ["x", "z"]}],
                "list_columns": [{"name": "a", "share_of": "c", "values": ["w"]}],
            },
            "counts 'w'; 'c' has 'x', 'z'",
        ),
        (
            {
                "columns": [{"name": "c", "type": "category", "values": ["x"]}],
                "list_columns": [{"name": "a", "share_of": "c", "above": 1}],
            },
            "has type category; count",
        ),
    ],
)
def test_a_contract_that_cannot_be_used_says_why(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match="dataset 'd'") as caught:
        Contract.from_json({**GOOD, **change})
    assert said in str(caught.value)


def test_a_folder_is_named_with_what_is_wrong_in_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no contract"):
        load_contracts(tmp_path)
    (tmp_path / "a.yaml").write_text("dataset: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"a\.yaml"):
        load_contracts(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(json.dumps(GOOD), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="more than one contract for dataset 'd'"):
        load_contracts(tmp_path)


def test_the_order_of_columns_does_not_matter() -> None:
    assert match([*reversed(NAMES)], CONTRACTS) is BANK
    assert match([*NAMES, "id"], CONTRACTS) is BANK


def test_a_header_that_fits_none_is_held_against_the_nearest() -> None:
    names = [name for name in NAMES if name != "age"]
    assert match([*names, "years", "job"], CONTRACTS) == HeaderProblem(
        dataset="bank", missing=("age",), unexpected=("years",), duplicated=("job",)
    )


def test_names_that_are_spelt_otherwise_are_told_and_decide_which_is_the_nearest() -> None:
    names = [column.name.upper().replace(".", "_") for column in ADDITIONAL.columns_for("training")]
    problem = match(names, CONTRACTS)
    assert isinstance(problem, HeaderProblem)
    assert (problem.dataset, problem.missing, problem.unexpected) == ("bank-additional", (), ())
    assert len(problem.misspelt) == 21
    assert "(columns write 'age' for 'AGE', write 'job' for 'JOB', " in problem.message
    assert "and 11 more alike)" in problem.message


def test_training_needs_the_answer_and_scoring_does_not() -> None:
    features = [column.name for column in BANK.features]
    assert match(features, CONTRACTS, "scoring") is BANK
    assert match([*features, "duration", "y", "id"], CONTRACTS, "scoring") is BANK
    problem = match(features, CONTRACTS, "training")
    assert isinstance(problem, HeaderProblem)
    assert set(problem.missing) == {"duration", "y"}
    assert "missing 'duration', 'y'" in problem.message


def test_a_header_of_ten_thousand_columns_makes_a_short_message() -> None:
    problem = match([f"c{n}" for n in range(10_000)], CONTRACTS)
    assert isinstance(problem, HeaderProblem)
    assert len(problem.message) < 700
    assert "9990 more" in problem.message


def test_two_contracts_for_one_header_are_a_fault_of_the_contracts() -> None:
    twin = Contract.from_json({**BANK.to_json(), "dataset": "twin"})
    with pytest.raises(ConfigurationError, match="'bank', 'twin'"):
        match(NAMES, [BANK, twin])


@pytest.mark.parametrize(
    ("change", "purpose"),
    [
        ({"dataset": "twin"}, "training"),
        ({"dataset": "wider", "ignored": ["note"]}, "training"),
        ({"dataset": "later", "target": {"name": "z", "values": ["no"], "positive": "no"}}, "scoring"),
    ],
)
def test_contracts_that_one_header_can_fit_are_refused_when_they_are_read(
    change: dict[str, object], purpose: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(json.dumps({**GOOD, **change}), encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=rf"fit both 'd' and '{change['dataset']}' \(for {purpose}\)"
    ):
        load_contracts(tmp_path)


def test_contracts_of_which_each_needs_a_column_of_its_own_are_told_apart(tmp_path: Path) -> None:
    other = {**GOOD, "dataset": "e", "columns": [*GOOD["columns"], {"name": "b", "type": "integer"}]}  # type: ignore[misc]
    (tmp_path / "a.yaml").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(json.dumps(other), encoding="utf-8")
    assert len(load_contracts(tmp_path)) == 2


@pytest.mark.parametrize(
    ("datasets", "prefix", "said"),
    [
        (
            ["term-deposits-2025-of-branch-1", "term-deposits-2025-of-branch-2"],
            "campanha-",
            "share the endpoint",
        ),
        (["bank", "Bank"], "campanha-", "share the endpoint"),
        (["kredit_neu"], "campanha-", "would be 'campanha-kredit_neu', and Azure takes letters"),
        (["österreich"], "campanha-", "Azure takes letters"),
        (["e"], "9", "mend ENDPOINT_PREFIX"),
    ],
)
def test_contracts_whose_models_have_no_endpoint_of_their_own_are_refused(
    datasets: list[str], prefix: str, said: str, tmp_path: Path
) -> None:
    _write_apart(tmp_path, datasets)
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_contracts(tmp_path, endpoint_prefix=prefix)
    assert all(repr(dataset) in str(caught.value) for dataset in datasets)


def test_long_names_that_stay_apart_keep_the_endpoints_they_had(tmp_path: Path) -> None:
    datasets = ["north-term-deposits-of-2025", "south-term-deposits-of-2025"]
    _write_apart(tmp_path, datasets)
    assert [contract.dataset for contract in load_contracts(tmp_path)] == datasets
    assert endpoint_name("campanha-", datasets[0]) == "campanha-north-term-deposits-of"
    _write_apart(tmp_path, ["term-deposits-2025-of-branch-1", "term-deposits-2025-of-branch-2"])
    assert len(load_contracts(tmp_path, endpoint_prefix="c-")) == 2, "a shorter prefix leaves room"


def _write_apart(folder: Path, datasets: list[str]) -> None:
    """A contract of each dataset, which no header of another fits."""
    for at, dataset in enumerate(datasets):
        columns = [{"name": f"age {at}", "type": "integer"}]
        body = {**GOOD, "dataset": dataset, "columns": columns}
        (folder / f"{at}.yaml").write_text(json.dumps(body), encoding="utf-8")


@pytest.mark.parametrize(("name", "usual"), [("cons.price.idx", 93.994), ("nr.employed", 5191.0)])
@pytest.mark.parametrize("factor", [0.001, 1000])
def test_a_value_off_by_a_thousand_is_outside_its_bounds(name: str, usual: float, factor: float) -> None:
    """A decimal point read as one of thousands, or the other way round."""
    [column] = [column for column in ADDITIONAL.columns if column.name == name]
    judged = judge(column)
    assert judged(str(usual)) == usual
    assert isinstance(judged(str(usual * factor)), Fault)
