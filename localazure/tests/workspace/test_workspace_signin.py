"""Service principals and managed identities sign in, each in its own ways, by the unmodified azure-identity."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from localazure.workspace.identity.assertions import BEARER
from localazure.workspace.settings import APPLICATION, TENANT
from running_azure.workspace import GROUP, NAME, SECRET, SUBSCRIPTION, Server

SCOPE = "https://management.azure.com/.default"


@pytest.fixture
def principal(server: Server) -> Callable[..., ClientSecretCredential]:
    """Call it for a credential; what is told of it may be wrong."""

    def made(tenant: str = TENANT, client: str = APPLICATION, secret: str = SECRET) -> ClientSecretCredential:
        return ClientSecretCredential(
            tenant, client, secret, authority=server.base, disable_instance_discovery=True
        )

    return made


def test_a_service_principal_signs_in_with_its_secret(
    principal: Callable[..., ClientSecretCredential], name: str
) -> None:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Data

    client = MLClient(principal(), SUBSCRIPTION, GROUP, NAME)
    made = client.data.create_or_update(
        Data(name=name, path="https://x.blob.core.windows.net/c/a", type="uri_file")
    )
    assert client.data.get(name, label="latest").version == made.version == "1"


def test_its_variables_are_enough_for_the_usual_credential(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as azure-identity lets a variable name another authority: it still has to be told not to ask Microsoft."""
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    for variable, value in server.printed_variables("service-principal").items():
        monkeypatch.setenv(variable, value)
    assert DefaultAzureCredential(disable_instance_discovery=True).get_token(SCOPE).token.count(".") == 2


@pytest.mark.parametrize(
    ("wrong", "number"),
    [({"secret": "guessed"}, 7000215), ({"client": TENANT}, 700016)],
    ids=["secret", "application"],
)
def test_who_is_not_known_is_told_why(
    principal: Callable[..., ClientSecretCredential], wrong: dict[str, str], number: int
) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}"):
        principal(**wrong).get_token(SCOPE)


def test_another_tenant_is_not_here(principal: Callable[..., ClientSecretCredential]) -> None:
    with pytest.raises((ClientAuthenticationError, ValueError), match="tenant"):
        principal(tenant=APPLICATION).get_token(SCOPE)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "https://management.azure.com"}, "invalid_scope"),
        ({"scope": f"{SCOPE} {SCOPE}"}, "invalid_scope"),
    ],
)
def test_other_ways_in_are_refused_by_name(server: Server, changed: dict[str, Any], error: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": APPLICATION,
        "client_secret": SECRET,
        "scope": SCOPE,
    }
    answer = requests.post(
        f"{server.base}/{TENANT}/oauth2/v2.0/token", data=form | changed, verify=server.bundle, timeout=30
    )
    assert (answer.status_code, answer.json()["error"]) == (400, error)


# --- a certificate ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "campanha")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(_day(-1)).not_valid_after(_day(1))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _day(days: int) -> Any:
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) + timedelta(days=days)


def register(server: Server, **credentials: Any) -> None:
    path = f"/__localazure/applications/{APPLICATION}"
    assert server.call("PUT", path, credentials).ok


@pytest.mark.parametrize("registered", [True, False])
def test_an_application_signs_in_with_its_certificate(
    server: Server, key: rsa.RSAPrivateKey, tmp_path: Path, registered: bool
) -> None:
    pem = certificate(key)
    other = certificate(rsa.generate_private_key(65537, 2048))
    register(server, certificates=[(pem if registered else other).decode()])
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + pem)
    credential = CertificateCredential(
        TENANT, APPLICATION, str(file), authority=server.base, disable_instance_discovery=True
    )
    if registered:
        assert credential.get_token(SCOPE).token.count(".") == 2
        return
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        credential.get_token(SCOPE)


# --- another issuer's token --------------------------------------------------------------------------------------


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def issued(key: rsa.RSAPrivateKey, **changed: Any) -> str:
    """A token as a build service gives one to a pipeline that deploys."""
    claims = {
        "iss": "https://token.builds.example", "sub": "repo:bank/campanha:environment:production",
        "aud": "api://AzureADTokenExchange", "nbf": time.time() - 10, "exp": time.time() + 300, **changed,
    }  # fmt: skip
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture
def federated(server: Server, key: rsa.RSAPrivateKey, tmp_path: Path) -> Callable[[str], Any]:
    """Call it with a token of another issuer, for a credential that hands it on."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    trusted = {
        "issuer": "https://token.builds.example",
        "subject": "repo:bank/campanha:environment:production",
        "key": public,
    }
    register(server, federated=[trusted])

    def made(token: str) -> WorkloadIdentityCredential:
        file = tmp_path / "token"
        file.write_text(token)
        return WorkloadIdentityCredential(
            tenant_id=TENANT, client_id=APPLICATION, token_file_path=str(file), authority=server.base,
            disable_instance_discovery=True,
        )  # fmt: skip

    return made


def test_a_token_of_an_issuer_that_is_trusted_signs_in(
    federated: Callable[[str], Any], key: rsa.RSAPrivateKey
) -> None:
    assert federated(issued(key)).get_token(SCOPE).token.count(".") == 2


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"iss": "https://another.example"}, 700211),
        ({"sub": "repo:bank/campanha:pull_request"}, 700213),
        ({"aud": "https://github.com/bank"}, 700212),
        ({"exp": 1}, 700024),
    ],
    ids=["issuer", "subject", "audience", "over"],
)
def test_a_token_that_nobody_registered_does_not(
    federated: Callable[[str], Any], key: rsa.RSAPrivateKey, changed: dict[str, Any], number: int
) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}"):
        federated(issued(key, **changed)).get_token(SCOPE)


def test_nor_does_one_that_somebody_else_signed(federated: Callable[[str], Any]) -> None:
    forged = issued(rsa.generate_private_key(65537, 2048))
    with pytest.raises(ClientAuthenticationError, match="AADSTS50013"):
        federated(forged).get_token(SCOPE)


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({"client_assertion_type": "another", "client_assertion": "a.b.c"}, 900144),
        ({"client_assertion_type": BEARER, "client_assertion": "no"}, 50027),
    ],
)  # fmt: skip
def test_what_is_no_assertion_is_refused(server: Server, form: dict[str, str], number: int) -> None:
    grant = {"grant_type": "client_credentials", "client_id": APPLICATION, "scope": SCOPE}
    answer = requests.post(
        f"{server.base}/{TENANT}/oauth2/v2.0/token", data=grant | form, verify=server.bundle, timeout=30
    )
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [number])


def test_half_a_registration_is_refused(server: Server) -> None:
    path = f"/__localazure/applications/{APPLICATION}"
    assert server.call("PUT", path, {"federated": [{"issuer": "https://x"}]}).status_code == 400


# --- managed identities -------------------------------------------------------------------------------------------


def test_a_managed_identity_of_app_service(server: Server) -> None:
    assert ManagedIdentityCredential().get_token(SCOPE).token.count(".") == 2


@pytest.mark.parametrize("client", [None, APPLICATION], ids=["of the system", "assigned by a user"])
def test_a_managed_identity_of_a_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch, client: str | None
) -> None:
    for variable in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{server.identity_port}")
    token = ManagedIdentityCredential(client_id=client).get_token(SCOPE).token
    assert token.count(".") == 2


@pytest.mark.parametrize(
    ("query", "headers", "says"),
    [
        ({"resource": "https://x"}, {}, "metadata header"),
        ({}, {"Metadata": "true"}, "audience parameter"),
        ({"resource": "https://x", "client_id": TENANT}, {"Metadata": "true"}, "Identity not found"),
    ],
)
def test_a_machine_is_asked_as_azure_wants_to_be(
    server: Server, query: dict[str, str], headers: dict[str, str], says: str
) -> None:
    url = f"http://127.0.0.1:{server.identity_port}/metadata/identity/oauth2/token"
    answer = requests.get(url, params=query, headers=headers, timeout=10)
    assert (answer.status_code, says in answer.json()["error_description"]) == (400, True)
