"""How a process signs in to Azure, as its variables say: which of the ways, as whom, and what is missing for it.

The names are those that azure-identity reads itself, so that scripts beside the app sign in likewise. One way is chosen, by
what is there: a chain that tries one after the other hides which one failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

Way = Literal["auto", "managed-identity", "secret", "certificate", "federated", "developer"]
"""`auto`: what the variables allow, in the order of `NEEDED`, then a managed identity, then whoever develops here."""
WAYS = get_args(Way)
TENANT, CLIENT, AUTHORITY = "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_AUTHORITY_HOST"
SECRET, CERTIFICATE, TOKEN_FILE = (
    "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE",
)  # fmt: skip
NEEDED: dict[str, tuple[str, ...]] = {
    "secret": (TENANT, CLIENT, SECRET),
    "certificate": (TENANT, CLIENT, CERTIFICATE),
    "federated": (TENANT, CLIENT, TOKEN_FILE),
}
"""What a service principal's ways need; the last of each chooses it."""
MANAGED = ("IDENTITY_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
"""Where one of them is set there is a managed identity: of App Service and its like, or of a machine."""
MICROSOFTS = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
)
"""Authorities that azure-identity may ask Microsoft about; of any other nobody there knows."""


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One way in."""

    way: Way
    tenant: str = ""
    client: str = ""
    secret: str = ""
    certificate: str = ""
    token_file: str = ""
    authority: str = ""
    missing: tuple[str, ...] = ()
    """Variables without which it will not do."""

    def __str__(self) -> str:
        """For people: no secret is in it."""
        who = (
            f" {self.client}" if self.client else " (of the system)" if self.way == "managed-identity" else ""
        )
        return f"{DESCRIBED[self.way]}{who}"

    @property
    def is_microsofts(self) -> bool:
        """Whether Microsoft knows the authority that gives the tokens."""
        return not self.authority or (urlsplit(self.authority).hostname or self.authority) in MICROSOFTS


DESCRIBED: dict[Way, str] = {
    "auto": "whatever azure-identity finds",
    "managed-identity": "managed identity",
    "secret": "service principal by secret",
    "certificate": "service principal by certificate",
    "federated": "service principal by another issuer's token",
    "developer": "whoever is signed in on this machine (az, azd, PowerShell)",
}


def sign_in(variables: Mapping[str, str]) -> SignIn:
    """raises: ValueError when SIGN_IN is none of the ways"""
    given = {name: value for name, value in variables.items() if value}
    asked = given.get("SIGN_IN", "auto")
    way = next((known for known in WAYS if known == asked), None)
    if way is None:
        raise ValueError(f"SIGN_IN is {asked!r}; it is one of {', '.join(WAYS)}")
    chosen: Way = _found(given) if way == "auto" else way
    return SignIn(
        way=chosen,
        tenant=given.get(TENANT, ""),
        client=given.get(CLIENT, ""),
        secret=given.get(SECRET, ""),
        certificate=given.get(CERTIFICATE, ""),
        token_file=given.get(TOKEN_FILE, ""),
        authority=given.get(AUTHORITY, ""),
        missing=tuple(name for name in NEEDED.get(chosen, ()) if name not in given),
    )


def _found(given: Mapping[str, str]) -> Way:
    for way, needed in NEEDED.items():
        if needed[-1] in given:
            return next(known for known in WAYS if known == way)
    return "managed-identity" if any(name in given for name in MANAGED) else "auto"
