"""Which way in the variables allow, as whom, and what is missing for it."""

from __future__ import annotations

import pytest

from shared.domain.sign_in import NEEDED, SignIn, sign_in

WHO = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}


@pytest.mark.parametrize(
    ("variables", "way"),
    [
        ({}, "auto"),
        ({**WHO, "AZURE_CLIENT_SECRET": "s"}, "secret"),
        ({**WHO, "AZURE_CLIENT_CERTIFICATE_PATH": "f"}, "certificate"),
        ({**WHO, "AZURE_FEDERATED_TOKEN_FILE": "f"}, "federated"),
        ({"IDENTITY_ENDPOINT": "http://x"}, "managed-identity"),
        ({"AZURE_CLIENT_ID": "c", "IDENTITY_ENDPOINT": "http://x"}, "managed-identity"),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://x"}, "managed-identity"),
        ({**WHO, "AZURE_CLIENT_SECRET": "s", "IDENTITY_ENDPOINT": "http://x"}, "secret"),
        ({**WHO, "AZURE_CLIENT_SECRET": "s", "SIGN_IN": "managed-identity"}, "managed-identity"),
        ({"SIGN_IN": "developer", "IDENTITY_ENDPOINT": "http://x"}, "developer"),
        ({"AZURE_CLIENT_SECRET": "", "IDENTITY_ENDPOINT": "http://x"}, "managed-identity"),
    ],
)
def test_one_way_is_chosen_by_what_is_there(variables: dict[str, str], way: str) -> None:
    found = sign_in(variables)
    assert (found.way, found.missing) == (way, ())


@pytest.mark.parametrize(("way", "needed"), NEEDED.items())
def test_what_a_way_lacks_is_named_all_at_once(way: str, needed: tuple[str, ...]) -> None:
    assert sign_in({"SIGN_IN": way}).missing == needed
    assert sign_in({needed[-1]: "x"}).missing == needed[:-1]


def test_a_way_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="'password'; it is one of auto, managed-identity"):
        sign_in({"SIGN_IN": "password"})


def test_no_secret_is_in_what_people_read() -> None:
    assert "hush" not in str(sign_in({**WHO, "AZURE_CLIENT_SECRET": "hush"}))


@pytest.mark.parametrize(
    ("authority", "known"),
    [
        ("", True),
        ("https://login.microsoftonline.com", True),
        ("login.microsoftonline.us", True),
        ("https://127.0.0.1:18443", False),
        ("https://login.microsoftonline.com.evil.example", False),
    ],
)
def test_microsoft_is_asked_about_its_own_authorities_alone(authority: str, known: bool) -> None:
    assert SignIn(way="secret", authority=authority).is_microsofts is known
