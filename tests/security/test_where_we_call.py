"""S5: server-side request forgery. Whatever address of this machine stands in the settings, however it is spelt, it is
refused there; and were it not, nothing is sent when the connection leads there."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator

import pytest

from shared.adapters.alert_channels import WebhookChannel
from shared.adapters.subscribers import Webhook
from shared.domain.alert_message import AlertMessage
from shared.domain.network_reach import Reach
from shared.errors import Refused, Transient
from shared.settings import address_fault

HERE = [
    "127.0.0.1", "localhost", "localhost.", "LOCALHOST", "127.1", "127.0.1", "127.255.255.254", "127.0.0.1.",
    "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0x7F.0x0.0x0.0x1", "[::1]", "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "0", "[::]",  # noqa: S104  (nothing is bound)
    "[::127.0.0.1]", "[::ffff:0.0.0.0]",
]  # fmt: skip
ELSEWHERE = [
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[fe80::1]", "[fe80::1%25eth0]", "168.63.129.16", "0xa83f8110",
    "10.0.0.1", "10.255.255.255", "0x0a000001", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "100.64.0.1",
    "100.127.255.255", "[fd00::1]", "[fc00::1]", "[fec0::1]", "[::ffff:10.0.0.1]", "[2002:a00:1::]", "224.0.0.1",
    "[ff02::1]", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "203.0.113.1", "[2001:db8::1]", "[100::1]",
]  # fmt: skip
SPELT = [
    "https://user:pass@bank.example/", "https://bank.example@127.0.0.1/", "https://@127.0.0.1/", "http://bank.example/",
    "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "//127.0.0.1/", "https:127.0.0.1", "https:///127.0.0.1",
    "https://127.0.0.1#@bank.example/", "https://127.0.0.1?@bank.example/", "https://127.0.0.1\\@bank.example/",
    "https://\u2460\u2461\u2466.0.0.1/", "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "https://127\u30020\u30020\u30021/", "https://bank.example:0x1bb/", "https://[::1/", "https://bank.example\r\nHost: x/",
]  # fmt: skip


class Listener(http.server.BaseHTTPRequestHandler):
    """Counts whatever reaches it."""

    hits = 0

    def handle(self) -> None:
        raw = self.rfile.readline()
        Listener.hits += bool(raw)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_there_are_enough_of_them() -> None:
    assert len({*HERE, *ELSEWHERE, *SPELT}) >= 60


@pytest.mark.parametrize("host", [*HERE, *ELSEWHERE])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_settings_take_no_such_address(scheme: str, host: str) -> None:
    assert address_fault(f"{scheme}://{host}:8443/x", Reach()) != ""


@pytest.mark.parametrize("url", SPELT)
def test_nor_one_that_two_readers_would_read_otherwise(url: str) -> None:
    assert address_fault(url, Reach()) != ""


@pytest.mark.parametrize("host", HERE)
def test_and_were_it_taken_nothing_is_sent_there(port: int, host: str) -> None:
    """As when a name leads here that led elsewhere when it was looked at (DNS rebinding)."""
    Listener.hits = 0
    url = f"http://{host}:{port}/x"
    hook = Webhook(url, "s" * 32)
    channel = WebhookChannel(name="team", kind="slack", url=url)
    for send in (hook.handshake, lambda: hook.deliver([{"id": "1"}]), lambda: channel.send(_message())):
        with pytest.raises((Refused, Transient)):
            send()
    assert Listener.hits == 0


def test_the_listener_would_be_heard(port: int) -> None:
    Listener.hits = 0
    with contextlib.suppress(Refused, Transient):
        Webhook(f"http://127.0.0.1:{port}/x", "s" * 32, reach=Reach(loopback=True)).handshake()
    assert Listener.hits == 1


def _message() -> AlertMessage:
    return AlertMessage(
        alert="a",
        name="step-failed",
        over=False,
        severity="page",
        title="t",
        says="s",
        since="2026-11-24T09:00:00Z",
    )
