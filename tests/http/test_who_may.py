"""Nobody gets in without a good credential, on any route; and a good one opens no more than it should."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from flow.world import World

from functions.http.auth.callers import CannotTell, NotAdmitted
from functions.http.auth.credentials import from_settings
from functions.http.auth.scopes import READING, SESSION, Scope
from functions.http.auth.sessions import COOKIE, Sessions
from functions.http.auth.tokens import REFETCH_FLOOR_SECONDS, RETRY_FLOOR_SECONDS, EntraTokens, SigningKeys
from functions.http.middleware.gate import LIVE
from functions.http.routes.dashboard import PUBLIC
from tests.http.asking import (
    AUDIENCE,
    ISSUER,
    KEYS,
    TENANT,
    VERSION,
    Client,
    Tenant,
    app_over,
    client_of,
    key,
    settings,
)

Headers = dict[str, str]


def _bearer(token: str) -> Headers:
    return {"authorization": f"Bearer {token}"}


def _segment(content: dict[str, Any] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unsigned(tenant: Tenant) -> Headers:
    body = tenant.token().split(".")[1]
    return _bearer(f"{_segment({'alg': 'none', 'typ': 'JWT', 'kid': 'k1'})}.{body}.")


def _signed_with_the_public_key(tenant: Tenant) -> Headers:
    """A token whose signature is an HMAC with the tenant's public key as its secret."""
    public = tenant.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    told = f"{_segment({'alg': 'HS256', 'kid': 'k1'})}.{tenant.token().split('.')[1]}"
    signature = hmac.new(public, told.encode(), hashlib.sha256).digest()
    return _bearer(f"{told}.{_segment(signature)}")


def _signed_by_another(tenant: Tenant) -> Headers:
    return _bearer(Tenant(private=rsa.generate_private_key(65537, 2048)).token())


PRINCIPAL = _segment({"auth_typ": "aad", "claims": [{"typ": "roles", "val": "Admin"}]})

WRONG: dict[str, Callable[[Tenant], Headers]] = {
    "nothing": lambda tenant: {},
    "another key": lambda tenant: {"x-functions-key": "operator-key-of-the-test"},
    "a longer key": lambda tenant: {"x-functions-key": KEYS[Scope.ADMIN] + "x"},
    "an empty bearer": lambda tenant: {"authorization": "Bearer "},
    "a key as bearer": lambda tenant: _bearer(KEYS[Scope.ADMIN]),
    "basic": lambda tenant: {"authorization": "Basic " + base64.b64encode(b"admin:admin").decode()},
    "expired": lambda tenant: _bearer(tenant.token(exp=int(time.time()) - 3600)),
    "not yet": lambda tenant: _bearer(tenant.token(nbf=int(time.time()) + 3600)),
    "no end": lambda tenant: _bearer(tenant.token(exp=None)),
    "unsigned": _unsigned,
    "signed with the public key": _signed_with_the_public_key,
    "signed by another": _signed_by_another,
    "another audience": lambda tenant: _bearer(tenant.token(aud="00000003-0000-0000-c000-000000000000")),
    "another issuer": lambda tenant: _bearer(tenant.token(iss="https://login.example/other/v2.0")),
    "another tenant": lambda tenant: _bearer(tenant.token(tid="other")),
    "an unknown signing key": lambda tenant: _bearer(tenant.token(headers={"kid": "k2"})),
    "its own signing key": lambda tenant: _bearer(tenant.token(headers={"kid": "k2", "jku": "https://x/"})),
    "no token": lambda tenant: _bearer("eyJhbGciOiJSUzI1NiJ9"),
    "a huge token": lambda tenant: _bearer("a" * 20_000),
    "Easy Auth's header": lambda tenant: {
        "x-ms-client-principal": PRINCIPAL,
        "x-ms-client-principal-id": "admin",
        "x-ms-client-principal-name": "admin",
    },
    "a made-up cookie": lambda tenant: {"cookie": f"{COOKIE}=admin.99999999999.ab.{'0' * 64}"},
    "a good token after a wrong key": lambda tenant: {"x-functions-key": "x", **_bearer(tenant.token())},
    "a good token without a role": lambda tenant: _bearer(tenant.token(roles=["Other"])),
    "roles as a text": lambda tenant: _bearer(tenant.token(roles="Admin")),
}


@pytest.fixture(scope="module")
def guarded(tenant: Tenant) -> Client:
    """An API with keys and a tenant; nobody is signed in."""
    return client_of(app_over(World(), tenant=tenant, rate_limit_per_minute=1_000_000), scope=None)


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and address of the app, with something in the place of each parameter."""
    found = []
    for route in iter_route_contexts(app.routes):
        address = re.sub(r"\{(\w*version)\}", "1", str(route.path))
        address = re.sub(r"\{[^}]+\}", "x", address)
        found += [(method, address) for method in sorted({*(route.methods or ()), "HEAD"})]
    return found


OPEN = {
    ("POST", SESSION), ("DELETE", SESSION), ("GET", LIVE), ("HEAD", LIVE),
    ("GET", f"{PUBLIC}x"), ("HEAD", f"{PUBLIC}x"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_no_route_opens_to_a_wrong_credential(guarded: Client, tenant: Tenant, wrong: str) -> None:
    headers = WRONG[wrong](tenant)
    routes = [route for route in routes_of(guarded.app) if route not in OPEN]
    assert len(routes) > 20
    let_in, told = {}, set()
    for method, address in routes:
        answer = guarded.request(method, address, headers=headers)
        if answer.status_code not in (401, 403):
            let_in[method, address] = answer.status_code
        body = answer.json()
        told.add((body["status"], body["code"], body["detail"], body["title"], body["type"]))
    assert let_in == {}
    assert len(told) == 1


def test_every_wrong_credential_is_told_the_same(guarded: Client, tenant: Tenant) -> None:
    """The answer does not say what was wrong, so nobody can try their way closer."""
    told = set()
    for name, headers in WRONG.items():
        if name not in ("a good token without a role", "roles as a text"):
            answer = guarded.get("/api/status", headers=headers(tenant))
            told.add((answer.status_code, answer.json()["detail"], answer.headers["www-authenticate"]))
    assert len(told) == 1


def test_an_address_there_is_not_says_so_only_to_those_who_may_ask(guarded: Client) -> None:
    assert guarded.get("/api/nothing").status_code == 401
    assert guarded.get("/api/nothing", headers=key()).status_code == 404


def test_a_key_in_the_address_opens_nothing(guarded: Client) -> None:
    answer = guarded.get("/api/status", params={**VERSION, "code": KEYS[Scope.ADMIN]})
    assert answer.status_code == 401


@pytest.mark.parametrize("scope", Scope)
def test_each_key_opens_reading(guarded: Client, scope: Scope) -> None:
    assert guarded.get("/api/status", headers=key(scope)).status_code == 200


@pytest.mark.parametrize("role", ["Reader", "Operator", "Admin"])
def test_a_good_token_opens_as_its_role_says(guarded: Client, tenant: Tenant, role: str) -> None:
    headers = _bearer(tenant.token(roles=["Other", role]))
    assert guarded.get("/api/status", headers=headers).status_code == 200


def test_a_reader_may_change_nothing(guarded: Client) -> None:
    changing = [
        (method, address)
        for method, address in routes_of(guarded.app)
        if method not in READING and (method, address) not in OPEN
    ]
    for method, address in changing:
        answer = guarded.request(method, address, headers=key(Scope.READER))
        assert (answer.status_code, answer.json()["code"]) == (403, "AuthorizationFailed"), address


def test_liveness_is_for_everybody_and_bare(guarded: Client) -> None:
    answer = guarded.get(LIVE)
    assert (answer.status_code, answer.json()) == (200, {"status": "pass"})


# --- the tenant's keys ------------------------------------------------------------------------------------


class _Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


def test_an_unreachable_tenant_lets_nobody_in(tenant: Tenant) -> None:
    down = Tenant(private=tenant.private, down=True)
    client = client_of(app_over(World(), tenant=down), scope=None)
    answer = client.get("/api/status", headers=_bearer(tenant.token()))
    assert (answer.status_code, answer.json()["code"]) == (503, "NotReady")
    assert int(answer.headers["retry-after"]) >= 1


def test_a_tenant_that_answers_again_is_asked_again_soon(tenant: Tenant) -> None:
    late, clock = Tenant(private=tenant.private, down=True), _Clock()
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, late.fetch, clock))
    for _ in range(3):
        with pytest.raises(CannotTell):
            tokens.caller(tenant.token())
    assert len(late.asked) == 1
    late.down = False
    clock.time += RETRY_FLOOR_SECONDS
    assert tokens.caller(tenant.token()).scope is Scope.READER


def test_unknown_key_ids_do_not_make_us_ask_the_tenant_again_and_again(tenant: Tenant) -> None:
    counted, clock = Tenant(private=tenant.private), _Clock()
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, counted.fetch, clock))
    assert tokens.caller(tenant.token()).scope is Scope.READER
    for number in range(20):
        with pytest.raises(NotAdmitted):
            tokens.caller(tenant.token(headers={"kid": f"made-up-{number}"}))
    assert len(counted.asked) == 2  # the discovery document and the keys, once
    clock.time += REFETCH_FLOOR_SECONDS
    with pytest.raises(NotAdmitted):
        tokens.caller(tenant.token(headers={"kid": "k9"}))
    assert len(counted.asked) == 4


def test_a_rotated_signing_key_is_found(tenant: Tenant) -> None:
    rotating, clock = Tenant(private=tenant.private), _Clock()
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, rotating.fetch, clock))
    tokens.caller(tenant.token())
    rotating.private = rsa.generate_private_key(65537, 2048)
    clock.time += 25 * 3600
    with pytest.raises(NotAdmitted):
        tokens.caller(tenant.token())
    assert tokens.caller(rotating.token()).scope is Scope.READER


def test_keys_too_old_to_trust_are_not_used_when_the_tenant_is_gone(tenant: Tenant) -> None:
    fading, clock = Tenant(private=tenant.private), _Clock()
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, fading.fetch, clock))
    tokens.caller(tenant.token())
    fading.down = True
    clock.time += 23 * 3600
    assert tokens.caller(tenant.token()).scope is Scope.READER
    clock.time += 2 * 3600
    with pytest.raises(CannotTell):
        tokens.caller(tenant.token())


def _while_fetched(tokens: EntraTokens, at: Tenant, clock: _Clock, asked: list[str]) -> list[object]:
    """What each of these tokens gets from another thread while the first one's fetch goes on and on; all in time."""
    found: list[object] = []

    def outcome(token: str) -> object:
        try:
            return tokens.caller(token).scope
        except (CannotTell, NotAdmitted) as no:
            return type(no)

    def slow(url: str) -> dict[str, Any]:
        if not found:
            others = ThreadPoolExecutor(1)
            others_get = [others.submit(outcome, token) for token in asked]
            others.shutdown(wait=False)  # or a lock that is held would be waited for without end
            found.extend(one.result(timeout=5) for one in others_get)
            clock.time += 20
        return at.fetch(url)

    tokens.keys.fetch = slow
    found.append(outcome(asked[0]))
    return found


def test_nobody_waits_while_another_fetches_the_tenants_keys(tenant: Tenant) -> None:
    """Who has none gets no answer at once; who has fresh ones goes by them."""
    counted, clock = Tenant(private=tenant.private), _Clock()
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, counted.fetch, clock))
    known, unknown = tenant.token(), tenant.token(headers={"kid": "k9"})
    assert _while_fetched(tokens, counted, clock, [known]) == [CannotTell, Scope.READER]
    clock.time += REFETCH_FLOOR_SECONDS
    asked = [unknown, known]
    assert _while_fetched(tokens, counted, clock, asked) == [CannotTell, Scope.READER, NotAdmitted]
    assert len(counted.asked) == 4


def test_a_slow_failure_is_not_tried_again_at_once(tenant: Tenant) -> None:
    down, clock = Tenant(private=tenant.private, down=True), _Clock()
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, down.fetch, clock))
    _while_fetched(tokens, down, clock, [tenant.token()])
    assert clock.time > RETRY_FLOOR_SECONDS
    with pytest.raises(CannotTell):
        tokens.caller(tenant.token())
    assert len(down.asked) == 1


# --- the dashboard's session ------------------------------------------------------------------------------


def _signed_in(guarded: Client, scope: Scope) -> Headers:
    answer = guarded.post("/api/session", body={"key": KEYS[scope]})
    assert (answer.status_code, answer.json()) == (200, {"scope": scope.label})
    said = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in said.split(";")}
    return {"cookie": said.split(";")[0]}


def test_a_session_reads_and_carries_no_key(guarded: Client) -> None:
    cookie = _signed_in(guarded, Scope.READER)
    assert not any(key in cookie["cookie"] for key in KEYS.values())
    assert guarded.get("/api/status", headers=cookie).status_code == 200


def test_a_wrong_key_signs_nobody_in(guarded: Client) -> None:
    answer = guarded.post("/api/session", body={"key": "x" * 30})
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"origin": "http://campanha.test"}, 204),
        ({"x-requested-with": "campanha"}, 204),
        ({}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://campanha.test.evil.test"}, 403),
        ({"origin": "http://evil.test", "x-requested-with": "campanha"}, 403),
    ],
)
def test_a_change_by_cookie_must_come_from_our_own_pages(guarded: Client, more: Headers, status: int) -> None:
    headers = {**_signed_in(guarded, Scope.OPERATOR), **more}
    assert guarded.request("DELETE", "/api/session", headers=headers).status_code == status


def test_a_session_ends_and_cannot_be_stretched_or_raised() -> None:
    clock = _Clock()
    sessions = Sessions(KEYS, 60, clock)
    value = sessions.begin(Scope.READER)
    assert sessions.caller(value).scope is Scope.READER
    _, ends, nonce, signature = value.split(".")
    for forged in (
        f"admin.{ends}.{nonce}.{signature}",
        f"reader.{int(ends) + 1}.{nonce}.{signature}",
        f"reader.{ends}.{nonce}.{signature[:-1]}",
        f"reader.{ends}.{nonce}.",
        "",
        "...",
        f"reader.²{ends}.{nonce}.{signature}",
        value + "é",
    ):
        with pytest.raises(NotAdmitted):
            sessions.caller(forged)
    clock.time += 60
    with pytest.raises(NotAdmitted):
        sessions.caller(value)


def test_a_changed_key_ends_its_sessions() -> None:
    value = Sessions(KEYS, 60).begin(Scope.OPERATOR)
    changed = {**KEYS, Scope.OPERATOR: "another-operator-key"}
    with pytest.raises(NotAdmitted):
        Sessions(changed, 60).caller(value)


# --- settings ---------------------------------------------------------------------------------------------


def test_without_any_key_nobody_gets_in_and_the_log_says_what_to_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    none = from_settings(settings())
    assert "set READER_KEY" in caplog.text
    for headers in ({}, {"x-functions-key": ""}, {"authorization": "Bearer x"}, {"cookie": f"{COOKIE}=x"}):
        with pytest.raises(NotAdmitted):
            none.caller(headers)


def test_an_unresolved_key_vault_reference_is_no_key(caplog: pytest.LogCaptureFixture) -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/k)"
    made = from_settings(settings(admin_key=reference))
    with pytest.raises(NotAdmitted):
        made.caller({"x-functions-key": reference})
    assert "ADMIN_KEY is a Key Vault reference" in caplog.text
    assert reference not in caplog.text


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    made = from_settings(settings(reader_key=KEYS[Scope.READER], admin_key=KEYS[Scope.ADMIN]))
    made.caller({"x-functions-key": KEYS[Scope.READER]})
    assert compared == [KEYS[Scope.READER].encode(), KEYS[Scope.ADMIN].encode()]


@pytest.mark.parametrize(
    "given", ["", "x", KEYS[Scope.ADMIN][:-1], KEYS[Scope.ADMIN] + "x", "k" * 10_000, "é"]
)
def test_whatever_a_wrong_key_is_like_the_same_is_done_to_refuse_it(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """What is done is counted, and not timed: each key is compared once, and nothing is asked of anybody."""
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    made = from_settings(settings(reader_key=KEYS[Scope.READER], admin_key=KEYS[Scope.ADMIN]))
    with pytest.raises(NotAdmitted):
        made.caller({"x-functions-key": given})
    assert compared == [KEYS[Scope.READER].encode(), KEYS[Scope.ADMIN].encode()]


@pytest.mark.parametrize(
    "chosen",
    [{"reader_key": "short"}, {"reader_key": "k" * 20, "admin_key": "k" * 20}, {"entra_tenant_id": TENANT}],
)
def test_settings_that_would_open_too_much_are_refused(chosen: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"at least 20|differ from each other|set both"):
        settings(**chosen)
