"""CAMPANHA_MORE_SETTINGS: what an app would refuse at its start, or the template overrule, is named beforehand."""

from __future__ import annotations

import json

import pytest

from commands import azure
from commands.deployment.more_settings import KEYS, NAME, faults
from shared.resources.app_settings import APP_SETTINGS, CHOSEN_SCHEDULE
from shared.settings import Settings
from tests.infrastructure import test_inputs

VAULT = "@Microsoft.KeyVault(SecretUri=https://bank.vault.azure.net/secrets/it)"
good = pytest.fixture(autouse=True)(test_inputs._good.__wrapped__)
OWN = {each.name for each in APP_SETTINGS}
SETTINGS = {field.alias or name.upper(): field for name, field in Settings.model_fields.items()}
MORE = sorted(SETTINGS.keys() - OWN - set(KEYS))


def found(**given: object) -> list[str]:
    return list(faults(json.dumps(given)))


@pytest.mark.parametrize("name", MORE)
def test_every_other_setting_can_be_given_at_its_default(name: str) -> None:
    field = SETTINGS[name]
    value = VAULT if "Secret" in str(field.annotation) else field.default
    if value is not None:
        assert found(**{name: str(value)}) == []


def test_settings_that_the_page_names_can_be_given() -> None:
    given = {"CALL_COST": "4", "MOST_CALLS": "500", CHOSEN_SCHEDULE: "0 0 2 * * 6", "WEBHOOKS": VAULT}
    assert found(**given) == []
    assert list(faults("{}")) == []


@pytest.mark.parametrize("name", sorted(OWN))
def test_what_the_template_sets_itself_is_refused(name: str) -> None:
    assert found(**{name: "x"}) == [f"{NAME}: {name} is the template's own, which stays as it is"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CAL_COST", "4", "is no setting"),
        ("CALL_COST", 4, "is no text"),
        ("CALL_COST", "four", "cannot be: Input should be a valid number"),
        ("CALL_COST", "-4", "cannot be: Input should be greater than 0"),
        ("RELEASE_APPROVAL", "perhaps", "cannot be: Input should be 'none' or 'required'"),
        ("WEBHOOKS", '[{"url": "https://bank.example", "secret": "of the bank"}]', "is a secret: give a reference"),
        ("CAMPANHA_STORAGE", VAULT, "is a key"),
        ("EVENT_TOPIC_KEY", VAULT, "is a key"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_and_no_value_shown(name: str, value: object, says: str) -> None:
    (line,) = found(**{name: value})
    assert line.startswith(f"{NAME}: {name} {says}")
    assert "of the bank" not in line


@pytest.mark.parametrize("text", ["", "CALL_COST=4", "[]", '{"CALL_COST": "4"', "null"])
def test_what_is_no_object_is_refused(text: str) -> None:
    assert list(faults(text)) == [f'{NAME} is no JSON object like {{"CALL_COST": "4"}}; {{}} is none']


def test_the_hook_asks_for_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert azure.main(["inputs"]) == 0
    monkeypatch.setenv(NAME, '{"CALL_COST": "four", "MOST": "1"}')
    assert azure.main(["inputs"]) == 1
    told = capsys.readouterr().err
    assert "CALL_COST cannot be" in told
    assert "MOST is no setting" in told
    monkeypatch.setenv(NAME, "")
    assert azure.main(["inputs"]) == 1
