"""`./dev azure inputs`: what azd is given is complete and can be, or all that is wrong is said at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commands import ROOT, azure
from commands.deployment import inputs

THIS_MONTH = f"{datetime.now(UTC):%Y-%m}-01"
GOOD = {
    "CAMPANHA_NETWORK": "private",
    "CAMPANHA_ALERT_EMAIL": "owner@bank.example",
    "CAMPANHA_API_AUDIENCE": "00000000-0000-0000-0000-00000000000a",
    "CAMPANHA_BUDGET_START": THIS_MONTH,
}


@pytest.fixture(autouse=True)
def _good(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (inputs.PROVISIONED, *(each.name for each in inputs.INPUTS)):
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_what_is_complete_is_let_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert azure.main(["inputs"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("empty", [True, False])
def test_what_is_missing_is_named(
    name: str, empty: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """azd hands an empty variable on as if it were set."""
    monkeypatch.setenv(name, "") if empty else monkeypatch.delenv(name)
    assert azure.main(["inputs"]) == 1
    assert f"{name} is not set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAMPANHA_NETWORK", "yes"),
        ("CAMPANHA_NETWORK", "Private"),
        ("CAMPANHA_ALERT_EMAIL", "owner"),
        ("CAMPANHA_API_AUDIENCE", "api://campanha"),
        ("CAMPANHA_API_AUDIENCE", "api://00000000-0000-0000-0000-00000000000a"),
        ("CAMPANHA_API_AUDIENCE", "00000000-0000-0000-0000-00000000000A"),
        ("CAMPANHA_BUDGET_START", "2027-01-02"),
        ("CAMPANHA_BUDGET_START", "2020-01-01"),
        ("CAMPANHA_BUDGET_START", "January"),
        ("CAMPANHA_DEPLOYER_TYPE", "user"),
        ("CAMPANHA_PYTHON", "3.10"),
    ],
)
def test_what_cannot_be_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert azure.main(["inputs"]) == 1
    assert f"{name} is {value!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("start", "code"), [("2020-01-01", 0), (THIS_MONTH, 0), ("2020-01-02", 1), ("January", 1)]
)
def test_a_budget_that_is_there_keeps_its_start(
    start: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """azd hands on what the last provision gave out; Azure takes no other start from then on."""
    monkeypatch.setenv("CAMPANHA_BUDGET_START", start)
    monkeypatch.setenv(inputs.PROVISIONED, "func-work-u0")
    assert azure.main(["inputs"]) == code


def test_what_tells_of_an_earlier_provision_is_an_output() -> None:
    template = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
    assert f"\noutput {inputs.PROVISIONED} string" in template


def test_what_cannot_be_is_said_all_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in GOOD:
        monkeypatch.setenv(name, "no" if name != "CAMPANHA_API_AUDIENCE" else "")
    assert azure.main(["inputs"]) == 1
    said = capsys.readouterr().err
    assert [name for name in GOOD if name not in said] == []


def test_it_asks_for_every_variable_that_has_no_default() -> None:
    from commands.infrastructure.rules.files import CHECKED

    of_azd = {"AZURE_ENV_NAME", "AZURE_LOCATION"}
    assert {each.name for each in inputs.INPUTS if not each.optional} == set(CHECKED) - of_azd
