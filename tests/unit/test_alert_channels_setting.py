"""`ALERT_CHANNELS`: what is taken, and what is wrong with what is not, without a word of a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared import wiring
from shared.adapters.alert_channels import LoggedChannel, MailChannel, WebhookChannel
from shared.errors import ConfigurationError
from shared.settings import Settings, read_settings

TEAMS = {
    "type": "teams",
    "name": "campaign-team",
    "url": "https://prod-1.westeurope.logic.azure.com/workflows/s3cret",
}
SLACK = {"type": "slack", "url": "https://hooks.slack.com/services/s3cret"}
PAGER = {"type": "pagerduty", "name": "on-call", "routing_key": "s3cret-0123456789012345678901234"}
MAIL = {
    "type": "email", "host": "smtp.bank.example", "user": "campanha", "password": "s3cret", "from": "campanha@bank.example",
    "to": ["on-call@bank.example"],
}  # fmt: skip


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    known = {
        "CAMPANHA_STORAGE": "UseDevelopmentStorage=true",
        "AZURE_SUBSCRIPTION_ID": "s",
        "AZURE_RESOURCE_GROUP": "g",
        "AZUREML_WORKSPACE": "w",
        "SIGN_IN": "developer",
    }

    def settings(channels: Any, **more: str) -> Settings:
        text = channels if isinstance(channels, str) else json.dumps(channels)
        for name, value in {**known, "ALERT_CHANNELS": text, **more}.items():
            monkeypatch.setenv(name, value)
        return read_settings()

    return settings


def test_channels_of_every_kind(given: Any) -> None:
    settings = given([TEAMS, SLACK, PAGER, MAIL], PUBLIC_URL="https://campanha.bank.example")
    made = wiring._alert_channels(settings)
    assert [one.name for one in made] == ["campaign-team", "slack", "on-call", "email"]
    inner = [one.channel for one in made if isinstance(one, LoggedChannel)]
    assert [type(one) for one in inner] == [WebhookChannel, WebhookChannel, WebhookChannel, MailChannel]
    mail = inner[-1]
    assert isinstance(mail, MailChannel)
    assert (mail.port, mail.tls, mail.to) == (587, "starttls", ("on-call@bank.example",))
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(made)


def test_without_the_setting_there_is_none(given: Any) -> None:
    assert wiring._alert_channels(given("")) == []
    assert wiring._alert_channels(given("[]")) == []


WRONG: list[tuple[Any, str]] = [
    ("s3cret", "ALERT_CHANNELS must be JSON like"),
    ([{**TEAMS, "type": "sms"}], "0: Input tag"),
    ([{"type": "teams"}], "0.teams.url: Field required"),
    ([{**TEAMS, "secret": "s3cret"}], "0.teams.secret: Extra inputs are not permitted"),
    ([{**TEAMS, "name": "Campaign team"}], "0.teams.name"),
    ([{**PAGER, "routing_key": "s3cret"}], "0.pagerduty.routing_key"),
    ([{**MAIL, "to": []}], "0.email.to"),
    ([{**MAIL, "to": ["on-call"]}], "0.email.to.0"),
    ([{**MAIL, "from": "nobody"}], "0.email.from"),
    ([{**MAIL, "port": 0}], "0.email.port"),
    ([SLACK, SLACK], "two channels have one name"),
    ([{**TEAMS, "url": "http://bank.example/s3cret"}], "campaign-team: its url does not begin with https"),
    ([{**TEAMS, "url": "https://127.0.0.1/s3cret"}], "campaign-team: its url is on this machine"),
    ([{**TEAMS, "url": "https://10.1.2.3/s3cret"}], "campaign-team: its url is in a private network"),
    ([{**TEAMS, "url": "https://169.254.169.254/s3cret"}], "campaign-team: its url is none that a subscriber"),
    ([{**TEAMS, "url": "https://user:s3cret@bank.example/"}], "campaign-team: its url has no host, or names a user"),
    ([{**MAIL, "tls": "none"}], "email: mail goes out with TLS"),
]  # fmt: skip


@pytest.mark.parametrize(("channels", "said"), WRONG, ids=[said[:50] for _, said in WRONG])
def test_what_is_wrong_is_named_and_no_secret(given: Any, channels: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        given(channels)
    assert said in str(fault.value)
    assert "s3cret" not in str(fault.value)


@pytest.mark.parametrize(
    "url", ["http://campanha.bank.example", "campanha.bank.example", "javascript:alert(1)"]
)
def test_the_public_address_is_https(given: Any, url: str) -> None:
    with pytest.raises(ConfigurationError, match="PUBLIC_URL"):
        given("[]", PUBLIC_URL=url)
