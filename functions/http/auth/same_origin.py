"""Cross-site request forgery (CSRF): whether a change by session cookie comes from a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a page of ours sent it: by the Origin, or by a custom header, which a foreign page cannot add
    without a CORS preflight, and we grant none.

    Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    if "origin" in headers:
        return urlsplit(headers["origin"]).netloc.lower() == headers.get("host", "").lower() != ""
    return headers.get("x-requested-with") == "campanha"
