"""./dev new-contract: a draft that its own file fits, and that says where a person has to look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands import new_contract
from commands.stack.errors import StackError
from shared.adapters.contracts import load_contracts
from shared.domain.tables.admission import check_rows
from tests.unit.commands.strangers import ROWS, STRANGERS, text_of

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "contracts"
    made.mkdir()
    return made


def _file(tmp_path: Path, name: str, text: str | None = None) -> Path:
    file = tmp_path / f"{name}.csv"
    file.write_bytes((text_of(name) if text is None else text).encode())
    return file


def _draft(file: Path, capsys: Capsys, *options: str) -> dict[str, Any]:
    assert new_contract.main([str(file), "--json", *options]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def _columns(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in told["contract"]["columns"]}


@pytest.mark.parametrize("name", STRANGERS)
def test_the_file_fits_its_draft(tmp_path: Path, folder: Path, capsys: Capsys, name: str) -> None:
    file = _file(tmp_path, name)
    assert new_contract.main([str(file), "--out", str(folder / f"{name}.yaml")]) == 0
    (contract,) = load_contracts(folder)
    assert contract.dataset == name
    admission = check_rows([file.read_bytes()], [contract])
    assert sum(batch.rows for batch in admission.batches()) >= 0.97 * ROWS
    assert f"{admission.tally.accepted:,} of {ROWS:,} rows fit it" in capsys.readouterr().out


def test_what_is_personal_numbers_the_rows_or_says_nothing_is_left_out(
    tmp_path: Path, capsys: Capsys
) -> None:
    ignored = {
        name: _draft(_file(tmp_path, name), capsys)["contract"].get("ignored", []) for name in STRANGERS
    }
    assert ignored == {
        "churn": ["customer_id", "full_name", "e-mail", "opened"],
        "credit": ["currency"],
        "leads": ["contact", "remark"],
        "cards": [],  # its numbers have no name: the contract lets them be mended away
        "insurance": ["account"],
    }


def test_what_gives_the_answer_away_is_kept_from_the_model(tmp_path: Path, folder: Path) -> None:
    out = folder / "churn.yaml"
    new_contract.main([str(_file(tmp_path, "churn")), "--out", str(out)])
    (contract,) = load_contracts(folder)
    assert [column.name for column in contract.columns if column.known_only_after_call] == ["risk score"]
    lines = out.read_text().splitlines()
    remark = next(at for at, line in enumerate(lines) if "gives the answer away" in line)
    assert "risk score" in lines[remark + 1]


def test_codes_stay_words_and_numbers_are_read_as_they_are_written(tmp_path: Path, capsys: Capsys) -> None:
    told = _draft(_file(tmp_path, "churn"), capsys)
    columns = _columns(told)
    assert columns["branch"]["type"] == "category"
    assert (columns["balance"]["type"], columns["income"]["type"]) == ("number", "integer")
    assert told["contract"]["mend"] == ["blanks", "whole-numbers", "decimal-comma"]
    assert told["faults"] == {"income: empty value": 12}


def test_bounds_leave_room_for_what_was_not_seen(tmp_path: Path, capsys: Capsys) -> None:
    columns = _columns(_draft(_file(tmp_path, "insurance"), capsys))
    assert (columns["built"]["minimum"], columns["built"]["maximum"]) == (500, 5000)
    assert (columns["claims"]["minimum"], columns["claims"]["maximum"]) == (0, 20)


@pytest.mark.parametrize(
    ("name", "target", "positive"),
    [("churn", "churned", "1"), ("credit", "default", "good"), ("leads", "converted", "yes"),
     ("cards", "responded", "1"), ("insurance", "renewed", "Y")],
)  # fmt: skip
def test_the_answer_is_found_by_its_name_or_place(
    tmp_path: Path, capsys: Capsys, name: str, target: str, positive: str
) -> None:
    found = _draft(_file(tmp_path, name), capsys)["contract"]["target"]
    assert (found["name"], found["positive"]) == (target, positive)


def test_a_person_may_say_what_the_answer_is(tmp_path: Path, capsys: Capsys) -> None:
    file = _file(tmp_path, "credit")
    found = _draft(file, capsys, "--target", "default", "--positive", "bad")["contract"]["target"]
    assert found == {"name": "default", "values": ["bad", "good"], "positive": "bad"}


def test_a_first_column_without_a_name_that_numbers_the_rows_is_mended_away(
    tmp_path: Path, capsys: Capsys
) -> None:
    assert _draft(_file(tmp_path, "cards"), capsys)["contract"]["mend"] == ["index-column"]


REFUSED = {
    "a column without a name": ([], "a,,y\n1,5,0\n2,7,1\n3,7,1\n", "column 2 has no name"),
    "no such column": (["--target", "y"], None, "there is no column 'y'; there are 'purpose'"),
    "more than two answers": (["--target", "purpose"], None, "column 'purpose' has 3 values"),
    "no such answer": (["--positive", "perhaps"], None, "'perhaps' is none of the answers"),
    "no column of two values": ([], "a,b\n1,2\n2,3\n3,4\n", "no column has exactly two values"),
    "several, none of them plain": (
        [],
        "a,b,c\n1,x,2\n2,z,3\n1,x,4\n",
        "Say --target NAME; two values have 'a', 'b'",
    ),
    "no rows": ([], "a,b\n", "has a header and no rows"),
    "no CSV": ([], "%PDF-1.4\n", "a PDF"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drafted_says_why(tmp_path: Path, folder: Path, case: str) -> None:
    options, text, said = REFUSED[case]
    file = _file(tmp_path, "credit", text)
    with pytest.raises(StackError) as refused:
        new_contract.main([str(file), "--out", str(folder / "x.yaml"), *options])
    assert said in str(refused.value)
    assert not list(folder.iterdir())


def test_no_contract_is_overwritten_and_none_that_is_like_another_is_left(
    tmp_path: Path, folder: Path
) -> None:
    file = _file(tmp_path, "leads")
    new_contract.main([str(file), "--out", str(folder / "leads.yaml")])
    before = (folder / "leads.yaml").read_text()
    for options, said in (([], "is there already"), (["--dataset", "others"], "one header can fit both")):
        out = folder / ("leads.yaml" if not options else "others.yaml")
        with pytest.raises(StackError, match=said):
            new_contract.main([str(file), "--out", str(out), *options])
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("leads.yaml", before)]


MORTGAGES = "income,white,approve,reject\n" + "".join(
    f"{1000 + row},{row % 2},{int(row % 3 > 0)},{int(row % 3 == 0)}\n" for row in range(60)
)


def test_an_answer_is_found_by_its_name_wherever_it_stands(tmp_path: Path, capsys: Capsys) -> None:
    told = _draft(_file(tmp_path, "mortgages", MORTGAGES), capsys)
    assert told["contract"]["target"]["name"] == "approve"
    assert _columns(told)["reject"]["known_only_after_call"] is True


def test_an_answer_taken_for_its_place_alone_is_in_doubt(
    tmp_path: Path, folder: Path, capsys: Capsys
) -> None:
    file = _file(tmp_path, "mortgages", MORTGAGES.replace("approve,reject", "local,late"))
    new_contract.main([str(file), "--out", str(folder / "draft.yaml")])
    doubt = "taken since it is the last column; --target names another of two values: 'white', 'local'"
    assert doubt in " ".join(capsys.readouterr().out.split())
    assert f"# {doubt}" in (folder / "draft.yaml").read_text()
    (folder / "draft.yaml").unlink()
    new_contract.main([str(file), "--target", "late", "--out", str(folder / "draft.yaml")])
    assert doubt not in (folder / "draft.yaml").read_text()


def test_a_protected_attribute_is_pointed_out_and_kept(tmp_path: Path, folder: Path) -> None:
    file = _file(tmp_path, "mortgages", MORTGAGES)
    new_contract.main([str(file), "--out", str(folder / "draft.yaml")])
    (line,) = [
        line for line in (folder / "draft.yaml").read_text().splitlines() if "protected attribute" in line
    ]
    assert "name it under ignored" in line
    (contract,) = load_contracts(folder)
    assert "white" in [column.name for column in contract.columns]


def test_what_it_says_next_has_the_app_read_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An app that runs is left alone by `./dev up`, and would not know the file."""
    new_contract.main([str(_file(tmp_path, "churn")), "--out", str(tmp_path / "draft.yaml")])
    assert "./dev down; ./dev up; ./dev publish; ./dev drop" in capsys.readouterr().out
