"""The blob front's door: whoever brings a token for storage is let in, though Azurite knows keys and signatures alone."""

from __future__ import annotations

from collections.abc import Callable

from localazure.strict import Strict
from localazure.workspace.identity.bearer import STORAGE, check_bearer
from localazure.workspace.wire.calls import Refusal


class BlobFront:
    """Checks tokens in Azurite's place, and opens it by a signature of our own."""

    def __init__(self, access: Callable[[], str], strict: Strict, *, roles: bool = False) -> None:
        """access: a query string that opens the account. roles: whether they count, and so nobody signs in here but at
        the account's own front, which asks for them"""
        self._access, self._strict, self._roles = access, strict, roles

    def opened(self, path: str, headers: dict[str, str]) -> str:
        """The path to ask Azurite for; a token is taken out of `headers`. raises Refusal, said as storage says it"""
        name = next((one for one in headers if one.lower() == "authorization"), "")
        if "sig=" in path.partition("?")[2]:  # a signed address opens what it is for, whoever comes with it
            headers.pop(name, None)
            return path
        scheme = headers.get(name, "").partition(" ")[0].lower()
        if scheme and self._roles:
            raise Refusal(
                403,
                "AuthorizationFailure",
                "Sign in at the account's own address: this one asks for no role.",
            )
        if scheme == "bearer":
            check_bearer(headers.pop(name), (STORAGE,))
            return f"{path}{'&' if '?' in path else '?'}{self._access()}"
        if scheme.startswith("sharedkey") and "keyless" in self._strict:
            raise Refusal(
                403,
                "KeyBasedAuthenticationNotPermitted",
                "Key based authentication is not permitted on this storage account.",
            )
        return path
