"""The Azure ML SDK's client, saying nothing of its own: no progress bars, no notes on the SDK's own insides."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential

_OWN_INSIDES = "azure.ai.ml._utils._experimental"
"""Warns of each class of the SDK's that the SDK itself uses and may change."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


AUDIENCE = "https://ml.azure.com/.default"
"""What a token is asked for that runs pipelines or scores; source: how-to-authenticate-online-endpoint"""


def scoring_address(client: MLClient, credential: TokenCredential, endpoint: str) -> tuple[str, str]:
    """The scoring URL of an online endpoint, and what opens it: its key, or a token for whoever `credential` is."""
    found = client.online_endpoints.get(endpoint)
    if str(found.auth_mode).lower() == "key":
        opens = client.online_endpoints.get_keys(endpoint).primary_key
    else:
        opens = credential.get_token(AUDIENCE).token
    return str(found.scoring_uri), str(opens)


def ml_client(credential: TokenCredential, subscription: str, group: str, workspace: str) -> MLClient:
    from azure.ai.ml import MLClient

    logging.getLogger(_OWN_INSIDES).setLevel(logging.ERROR)
    return MLClient(credential, subscription, group, workspace, show_progress=False)


@contextmanager
def without_blank_lines() -> Iterator[None]:
    """What is said on stderr meanwhile comes at the end, without blank lines: the SDK ends the progress bar of each
    upload with a coloured one, where there is no bar too."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    finally:
        lines = _COLOUR.sub("", said.getvalue()).splitlines(keepends=True)
        sys.stderr.write("".join(line for line in lines if line.strip()))
