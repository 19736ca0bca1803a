"""Client assertions: JWTs by which an application shows who it is without a secret.

Either the application signs one itself, with the key of a certificate that is registered for it, or it hands on a token
of another issuer that is trusted for one subject (workload identity federation).

source: https://learn.microsoft.com/entra/identity-platform/certificate-credentials and
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key

BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "api://AzureADTokenExchange"
"""What a federated token is for."""
_SALT = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
_PADDINGS: dict[str, padding.AsymmetricPadding] = {"RS256": padding.PKCS1v15(), "PS256": _SALT}


class BadAssertion(Exception):
    """It is not to be taken; `number` is Entra's."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """A JWT as it came, read and not yet believed."""

    head: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @classmethod
    def read(cls, text: str) -> Assertion:
        """raises: BadAssertion"""
        try:
            head, claims, signature = text.split(".")
            return cls(
                head=dict(json.loads(_bytes(head))),
                claims=dict(json.loads(_bytes(claims))),
                signed=f"{head}.{claims}".encode(),
                signature=_bytes(signature),
            )
        except (ValueError, TypeError) as cause:
            raise BadAssertion(50027, "JWT token is invalid or malformed.") from cause

    def check_signature(self, key: object, number: int) -> None:
        form = _PADDINGS.get(str(self.head.get("alg")))
        if form is None or not isinstance(key, rsa.RSAPublicKey):
            raise BadAssertion(
                number, f"Client assertion is signed by {self.head.get('alg')}: RS256 or PS256 is."
            )
        try:
            key.verify(self.signature, self.signed, form, hashes.SHA256())
        except InvalidSignature as cause:
            raise BadAssertion(number, "Client assertion failed signature validation.") from cause

    def check_time(self, now: float) -> None:
        if not float(self.claims.get("nbf", 0)) - 300 <= now < float(self.claims.get("exp", 0)):
            raise BadAssertion(700024, "Client assertion is not within its valid time range.")


def check_own(text: str, certificates: Iterable[str], *, client: str, audience: str) -> None:
    """One that the application signed itself. certificates: registered for it, as PEM. raises: BadAssertion"""
    assertion = Assertion.read(text)
    key = next((key for pem in certificates if (key := _key_of(pem, assertion.head))), None)
    if key is None:
        raise BadAssertion(
            700027, "The certificate with this thumbprint is not registered for the application."
        )
    assertion.check_signature(key, 700027)
    assertion.check_time(time.time())
    named = assertion.claims.get("iss"), assertion.claims.get("sub")
    if named != (client, client) or str(assertion.claims.get("aud")) != audience:
        raise BadAssertion(
            700023, f"Client assertion is of {named} for {assertion.claims.get('aud')!r}: {audience} is."
        )


def check_federated(text: str, trusted: Iterable[Mapping[str, str]]) -> None:
    """One of another issuer. trusted: `issuer`, `subject`, the issuer's public `key` as PEM. raises: BadAssertion"""
    assertion = Assertion.read(text)
    claims = assertion.claims
    of_issuer = [one for one in trusted if one["issuer"] == claims.get("iss")]
    if not of_issuer:
        raise BadAssertion(700211, f"No matching federated identity record found for presented assertion issuer "
                                   f"'{claims.get('iss')}'.")  # fmt: skip
    record = next((one for one in of_issuer if one["subject"] == claims.get("sub")), None)
    if record is None:
        raise BadAssertion(700213, f"No matching federated identity record found for presented assertion subject "
                                   f"'{claims.get('sub')}'.")  # fmt: skip
    audiences = claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    if record.get("audience", EXCHANGE) not in audiences:
        raise BadAssertion(700212, f"No matching federated identity record found for presented assertion audience "
                                   f"{audiences}.")  # fmt: skip
    assertion.check_signature(load_pem_public_key(record["key"].encode()), 50013)
    assertion.check_time(time.time())


def is_own(text: str, client: str) -> bool:
    """Whether the application says that it signed it itself. raises: BadAssertion"""
    return Assertion.read(text).claims.get("iss") == client


def _key_of(pem: str, head: Mapping[str, Any]) -> object:
    """The certificate's key, if the assertion names its thumbprint."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    der = certificate.public_bytes(Encoding.DER)
    prints = {
        "x5t": hashlib.sha1(der, usedforsecurity=False).digest(),
        "x5t#S256": hashlib.sha256(der).digest(),
    }
    named = any(name in head and _bytes(str(head[name])) == digest for name, digest in prints.items())
    return certificate.public_key() if named else None


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
