"""The app signs in by each way, unmodified azure-identity against the embedded Entra; and who is not let in is told how."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.conftest import Embedded
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from commands.deployment import sign_in_report
from commands.deployment.sign_in_check import Place, Tried, check
from commands.stack import access, supervisor
from commands.stack.access import new_secrets
from commands.stack.parts import STORAGE, WORKSPACE
from commands.stack.settings import sdk_settings
from commands.stack.state import Stack
from localazure.access.tokens import TENANT
from localazure.workspace.settings import APPLICATION
from shared.adapters.azureml import AzureWorkspace
from shared.adapters.sign_in import credential
from shared.errors import ConfigurationError
from shared.resources import assignments as on
from shared.resources.assignments import ASSIGNMENTS
from shared.resources.identities import API
from shared.settings import read_settings

Variables = dict[str, str]
ISSUER = {"issuer": "https://token.builds.example", "subject": "repo:bank/campanha:environment:production"}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _principal(embedded: Embedded) -> Variables:
    """Who it is, and where its tokens are had."""
    return {
        "AZURE_AUTHORITY_HOST": embedded.server.base,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": APPLICATION,
    }


@pytest.fixture(params=["secret", "certificate", "federated", "app service", "machine"])
def variables(
    request: pytest.FixtureRequest,
    embedded: Embedded,
    key: rsa.RSAPrivateKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Variables:
    """Of a process that may sign in by this way, and by no other."""
    given = {name: embedded.server.variables[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")}
    if request.param == "app service":
        return given
    for name in given:
        monkeypatch.delenv(name)
    if request.param == "machine":
        host = f"http://127.0.0.1:{embedded.server.identity_port}"
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", host)
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": host}
    principal = _principal(embedded)
    if request.param == "secret":
        return {**principal, "AZURE_CLIENT_SECRET": given["IDENTITY_HEADER"]}
    file = tmp_path / "shown"
    if request.param == "certificate":
        certificate = _certificate(key)
        registered: Any = {"certificates": [certificate.decode()]}
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate)
        shown = {"AZURE_CLIENT_CERTIFICATE_PATH": str(file)}
    else:
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        registered = {"federated": [{**ISSUER, "key": public.decode()}]}
        file.write_text(_token(key))
        shown = {"AZURE_FEDERATED_TOKEN_FILE": str(file)}
    path = f"/__localazure/applications/{APPLICATION}"
    assert embedded.server.call("PUT", path, registered).ok
    return {**principal, **shown}


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "campanha")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    day, now = timedelta(days=1), datetime.now(UTC)
    made = made.not_valid_before(now - day).not_valid_after(now + day)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _token(key: rsa.RSAPrivateKey) -> str:
    claims = {"iss": ISSUER["issuer"], "sub": ISSUER["subject"], "aud": "api://AzureADTokenExchange"}
    claims |= {"exp": time.time() + 300}
    signed = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims))
    return f"{signed}.{_part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def test_the_app_signs_in_by_each_way_and_reaches_its_workspace(
    embedded: Embedded, variables: Variables
) -> None:
    workspace = AzureWorkspace(embedded.settings, credential(variables))
    assert workspace.run("nobody-made-me") is None


def test_what_is_missing_is_told_with_all_other_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AZURE_CLIENT_SECRET": "s", "SERVES": "nobody", "AZURE_TENANT_ID": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    with pytest.raises(ConfigurationError) as told:
        read_settings()
    for name in ("SERVES", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZUREML_WORKSPACE"):
        assert f"  {name}: " in str(told.value)
    with pytest.raises(ConfigurationError, match="AZURE_TENANT_ID, AZURE_CLIENT_ID"):
        credential()


# --- who is let in where -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Storage and workspace, in which roles count."""
    made = Stack(tmp_path_factory.mktemp("signed-in"))
    made.use_roles(new_secrets())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "PARTS", {"storage": STORAGE, "workspace": WORKSPACE})
        patch.setattr(supervisor, "STAGES", ((STORAGE,), (WORKSPACE,)))
        supervisor.up(made, lambda part, seconds, now: None)
        yield made
        supervisor.down(made)


@pytest.fixture
def signed_in(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Variables:
    variables = sdk_settings(stack, API)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def tried(stack: Stack, variables: Variables) -> dict[str, Tried]:
    place = Place(
        arm=stack.workspace_url,
        workspace=stack.workspace_id,
        resource_id=lambda kind, name: access.resource_id(stack, kind, name),
        blobs=access.data_address(stack, "blob"),
        queues=access.data_address(stack, "queue"),
        tables=access.data_address(stack, "table"),
    )
    return {one.what: one for one in check(variables, API.name, place)}


def test_who_has_its_roles_is_let_in_everywhere(stack: Stack, signed_in: Variables) -> None:
    found = tried(stack, signed_in)
    assert {one.verdict for one in found.values()} == {"works", "not tried"}
    assert found["container scored (Storage Blob Data Reader)"].verdict == "works"
    assert found["queue steps (Storage Queue Data Message Sender)"].verdict == "not tried"
    assert [one.mend for one in found.values() if one.mend] == []


@pytest.mark.parametrize(
    ("scope", "name", "code"),
    [
        (on.CONTAINER, "scored", "AuthorizationPermissionMismatch"),
        (on.TABLE, "campanha", "AuthorizationPermissionMismatch"),
        (on.WORKSPACE, on.WORKSPACE, "AuthorizationFailed"),
    ],
)
def test_a_role_that_is_missing_is_named_with_the_command_that_mends_it(
    stack: Stack, signed_in: Variables, scope: str, name: str, code: str
) -> None:
    left = [each for each in ASSIGNMENTS if (each.identity, each.scope, each.on) != (API, scope, name)]
    (taken,) = (each for each in ASSIGNMENTS if each not in left)
    stack.access_file.write_text(json.dumps(access.book(stack, left)))
    try:
        refused = [one for one in tried(stack, signed_in).values() if one.verdict == "refused"]
    finally:
        access.write_access(stack)
    (one,) = refused
    assert code in one.why
    who = json.loads(stack.access_file.read_text())["identities"][API.name]["principal"]
    assert one.mend == (
        f"az role assignment create --assignee-object-id {who} --assignee-principal-type ServicePrincipal"
        f' --role "{taken.role}" --scope "{access.resource_id(stack, scope, name)}"'
    )


def test_who_cannot_sign_in_is_told_why_and_no_more_is_tried(stack: Stack, signed_in: Variables) -> None:
    nobody = {**signed_in, "SIGN_IN": "secret", "AZURE_TENANT_ID": ""}
    (only,) = tried(stack, nobody).values()
    assert (only.what, only.verdict) == ("sign-in", "refused")
    assert "AZURE_TENANT_ID" in only.why


def test_the_report_of_a_stack_ends_well_and_one_of_nowhere_says_what_to_set(
    stack: Stack, signed_in: Variables, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sign_in_report.os, "environ", dict(sign_in_report.os.environ))
    assert sign_in_report.main([API.name, "--state", str(stack.state)]) == 0
    assert "works      sign-in: as managed identity" in capsys.readouterr().out
    for name in sign_in_report.PLACE:
        sign_in_report.os.environ.pop(name)
    assert sign_in_report.main(["--state", str(stack.state / "nowhere")]) == 2
    assert "AZURE_SUBSCRIPTION_ID" in capsys.readouterr().err


def test_a_deployments_variables_say_where_its_things_are() -> None:
    variables = {
        "AZURE_SUBSCRIPTION_ID": "s",
        "AZURE_RESOURCE_GROUP": "g",
        "AZUREML_WORKSPACE": "w",
        "CAMPANHA_STORAGE__blobServiceUri": "https://bank.blob.core.windows.net/",
    }
    place = sign_in_report._place_of(variables)
    data = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/bank"
    assert place.resource_id(on.CONTAINER, "scored") == f"{data}/blobServices/default/containers/scored"
    assert place.resource_id(on.TABLE, "campanha") == f"{data}/tableServices/default/tables/campanha"
    assert place.resource_id(on.WORKSPACE, on.WORKSPACE) == place.workspace
    assert (place.arm, place.queues) == ("https://management.azure.com", "")
