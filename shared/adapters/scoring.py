"""The model's REST endpoint by plain `requests`: fresh headers each time, and the deployment named each time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from shared.errors import Refused, Transient
from shared.ports import Scores

TIMEOUT = (10, 180)
"""Seconds to connect, and to wait: Azure ends a request to a managed endpoint after 180."""
BUSY = (408, 429, 502, 503, 504)
RETRIES = Retry(
    total=4, backoff_factor=0.3, status_forcelist=BUSY, allowed_methods=None, raise_on_status=False
)


class RestEndpoint:
    """Scores rows through a deployment, reusing connections; the key is looked up once and again when refused."""

    def __init__(self, address: Callable[[str], tuple[str, str]]) -> None:
        self._address = address
        self._known: dict[str, tuple[str, str]] = {}
        self._local = threading.local()

    def score(
        self, endpoint: str, deployment: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> Scores:
        body = {"input_data": {"columns": list(columns), "index": list(range(len(rows))), "data": rows}}
        answer = self._post(endpoint, deployment, body)
        if answer.status_code == 401:  # the key was rotated
            self._known.pop(endpoint, None)
            answer = self._post(endpoint, deployment, body)
        return _scores(answer, len(rows), deployment)

    def _post(self, endpoint: str, deployment: str, body: dict[str, Any]) -> requests.Response:
        if endpoint not in self._known:
            self._known[endpoint] = self._address(endpoint)
        url, key = self._known[endpoint]
        headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": deployment}
        try:
            return self._session().post(url, json=body, headers=headers, timeout=TIMEOUT)
        except requests.RequestException as cause:
            raise Transient(f"deployment {deployment} gave no answer") from cause

    def _session(self) -> requests.Session:
        """One per thread: a session is not made to be shared between threads."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            for scheme in ("http://", "https://"):
                self._local.session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
        session: requests.Session = self._local.session
        return session


def _scores(answer: requests.Response, asked: int, deployment: str) -> Scores:
    if answer.status_code in BUSY or answer.status_code >= 500:
        raise Transient(f"deployment {deployment} is busy or down: it answered {answer.status_code}")
    if answer.status_code != 200:
        why = answer.headers.get("ms-azureml-model-error-reason", answer.reason)
        raise Refused(f"deployment {deployment} answered {answer.status_code} ({why})")
    body = answer.json()
    if len(body["probability"]) != asked or len(body["decision"]) != asked:
        raise Transient(f"deployment {deployment} answered {len(body['probability'])} of {asked} rows")
    return Scores(model_version=body["version"], probability=body["probability"], decision=body["decision"])
