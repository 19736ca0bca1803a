"""Alerts told for real: over HTTP to what stands for Teams, Slack and PagerDuty, and to a mail server with TLS."""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from stub_server import Answer, Request, stub_server

from shared.adapters.alert_channels import MailChannel, WebhookChannel
from shared.domain.alert_message import AlertMessage, link
from shared.domain.network_reach import Reach
from shared.errors import Refused, Transient

HERE = Reach(loopback=True)
KEY = "R0123456789012345678901234567890"
Kind = Literal["teams", "slack", "pagerduty"]
LATE = AlertMessage(
    alert="file-late-6f3c1d0f2a8b",
    name="file-late",
    over=False,
    severity="page",
    title="An expected file has not come",
    says="no file of bank <!channel> & @here was admitted, expected by 08:00 (Europe/Lisbon)",
    since="2026-11-30T08:00:00.000+00:00",
    mend="./dev drop FILE",
    link="https://campanha.example/dashboard/#/alerts/file-late-6f3c1d0f2a8b",
)
OVER = replace(LATE, over=True, until="2026-11-30T09:12:00.000+00:00")


@dataclass
class Receiver:
    """Takes what is posted, and answers as the test says."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    """Statuses of the next answers; 200 after them."""
    got: list[dict[str, Any]] = field(default_factory=list)
    location: str = ""

    def answer(self, request: Request) -> Answer:
        self.got.append(request.json)
        return Answer(
            self.answers.pop(0) if self.answers else 200,
            headers={"Location": self.location} if self.location else {},
        )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with stub_server(made.answer) as address:
        made.url = f"{address}/hook"
        yield made


def webhook(receiver: Receiver, kind: Kind) -> WebhookChannel:
    return WebhookChannel(name="on-call", kind=kind, url=receiver.url, routing_key=KEY, reach=HERE)


# --- what each gets -----------------------------------------------------------------------------------------


def test_teams_gets_an_adaptive_card_with_a_button_to_the_very_thing(receiver: Receiver) -> None:
    webhook(receiver, "teams").send(LATE)
    (body,) = receiver.got
    assert body["type"] == "message"
    (attached,) = body["attachments"]
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attached["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}, "all else is read as Markdown"
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    headline, says, *facts = [[run["text"] for run in block["inlines"]] for block in card["body"]]
    assert headline == ["[Page] An expected file has not come"]
    assert says == [LATE.says]
    assert {label.removesuffix(": "): value for label, value in facts} == {
        "Since": LATE.since,
        "What to do": "./dev drop FILE",
        "Runbook": "docs/runbook.md#file-late",
        "Alert": LATE.alert,
    }
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": LATE.link}]


def test_slack_gets_plain_text_in_which_no_name_is_a_mention(receiver: Receiver) -> None:
    webhook(receiver, "slack").send(LATE)
    (body,) = receiver.got
    assert "<!channel>" not in body["text"]
    assert "&lt;!channel&gt; &amp; @here" in body["text"]
    texts = [block["text"] for block in body["blocks"] if "text" in block]
    assert {text["type"] for text in texts} == {"plain_text"}
    (button,) = body["blocks"][-1]["elements"]
    assert button["url"] == LATE.link


def test_slack_gets_no_field_that_is_longer_than_it_takes(receiver: Receiver) -> None:
    webhook(receiver, "slack").send(replace(LATE, mend=f"./dev drop {'x' * 4000}"))
    (body,) = receiver.got
    (fields,) = [block["fields"] for block in body["blocks"] if "fields" in block]
    assert max(len(field["text"]) for field in fields) == 2000


@pytest.mark.parametrize(("length", "has_button"), [(200, True), (1024, False)])
def test_slack_gets_a_button_only_if_it_takes_its_address(
    receiver: Receiver, length: int, has_button: bool
) -> None:
    """A letter of a name may be nine signs of an address."""
    thing = ["upload", "\N{GEORGIAN LETTER AN}" * length]
    address = link("https://campanha.example", LATE.alert, thing)
    webhook(receiver, "slack").send(replace(LATE, link=address))
    (body,) = receiver.got
    urls = [button["url"] for block in body["blocks"] for button in block.get("elements", [])]
    assert urls == [address] * has_button


def test_a_pager_opens_an_incident_and_closes_the_same(receiver: Receiver) -> None:
    channel = webhook(receiver, "pagerduty")
    channel.send(LATE)
    channel.send(OVER)
    opened, closed = receiver.got
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"] == LATE.alert
    assert opened["routing_key"] == closed["routing_key"] == KEY
    assert opened["payload"]["severity"] == "critical"
    assert opened["payload"]["timestamp"] == LATE.since
    assert opened["links"] == [{"href": LATE.link, "text": "Open"}]
    assert len(opened["payload"]["summary"]) <= 1024


@pytest.mark.parametrize("kind", ["teams", "slack", "pagerduty"])
def test_what_is_over_says_so_and_from_when_to_when(receiver: Receiver, kind: Kind) -> None:
    webhook(receiver, kind).send(OVER)
    said = json.dumps(receiver.got[0])
    if kind != "pagerduty":
        assert "[Over] An expected file has not come" in said
        assert OVER.until in said
        assert "What to do" not in said


# --- what goes wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["teams", "slack", "pagerduty"])
@pytest.mark.parametrize(
    ("status", "problem"),
    [(500, Transient), (503, Transient), (429, Transient), (400, Refused), (404, Refused), (302, Refused)],
)  # fmt: skip
def test_what_is_not_taken_is_told_without_address_or_key(
    receiver: Receiver, kind: Kind, status: int, problem: type[Exception]
) -> None:
    receiver.answers, receiver.location = [status], "http://169.254.169.254/latest"
    with pytest.raises(problem, match=f"on-call answered {status}") as fault:
        webhook(receiver, kind).send(LATE)
    assert "127.0.0.1" not in str(fault.value)
    assert KEY not in str(fault.value)
    assert len(receiver.got) == 1, "a redirect is not followed"


def test_nobody_there_is_no_end(free_port: Callable[[], int]) -> None:
    channel = webhook(Receiver(f"http://127.0.0.1:{free_port()}/hook"), "slack")
    with pytest.raises(Transient, match="on-call does not answer"):
        channel.send(LATE)


def test_an_address_that_no_subscriber_could_have_is_not_reached(receiver: Receiver) -> None:
    channel = replace(webhook(receiver, "teams"), reach=Reach())
    with pytest.raises(Refused, match=r"on-call: .*is on this machine"):
        channel.send(LATE)
    assert receiver.got == []


def test_no_secret_shows_where_a_channel_is_printed(receiver: Receiver) -> None:
    assert receiver.url not in repr(webhook(receiver, "teams"))
    assert KEY not in repr(webhook(receiver, "pagerduty"))
    assert "pass-word" not in repr(
        MailChannel(name="m", host="h", port=1, sender="a@b", to=("c@d",), password="pass-word")
    )


# --- mail ---------------------------------------------------------------------------------------------------


class Mailbox:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.tls: list[bool] = []
        self.answer = "250 OK"
        self.users: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        made = message_from_bytes(envelope.content, policy=default)
        assert isinstance(made, EmailMessage)
        self.mails.append(made)
        self.tls.append(session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None)
        return self.answer

    async def handle_RCPT(self, _s: Any, _e: Any, envelope: Any, address: str, _o: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def auth(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.users.append(data.login)
        return AuthResult(success=data.password == b"pass-word", handled=False)


Security = Literal["starttls", "implicit", "none"]


@dataclass(frozen=True, kw_only=True)
class Post:
    """A mail server that runs, and a channel to it."""

    mailbox: Mailbox
    channel: MailChannel


@pytest.fixture(params=["starttls", "implicit"])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    yield from _post(request.param)


def _post(security: Security) -> Iterator[Post]:
    authority, mailbox = trustme.CA(), Mailbox()
    serving, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.configure_trust(trusting)
    secured: dict[str, Any] = {
        "starttls": {"tls_context": serving, "require_starttls": True},
        "implicit": {"ssl_context": serving, "auth_require_tls": False},
        "none": {},
    }[security]
    login = {} if security == "none" else {"authenticator": mailbox.auth, "auth_required": True}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(mailbox, hostname="127.0.0.1", port=port, **secured, **login)
    server.start()
    user, password = ("", "") if security == "none" else ("campanha", "pass-word")
    yield Post(
        mailbox=mailbox,
        channel=MailChannel(
            name="mail", host="127.0.0.1", port=port, sender="campanha@bank.example",
            to=("on-call@bank.example", "team@bank.example"), tls=security, user=user, password=password,
            context=trusting,
        ),
    )  # fmt: skip
    server.stop()


def test_mail_goes_out_with_tls_and_both_messages_are_one_thread(post: Post) -> None:
    post.channel.send(LATE)
    post.channel.send(OVER)
    first, second = post.mailbox.mails
    assert post.mailbox.tls == [True, True]
    assert post.mailbox.users == [b"campanha"] * 2
    assert first["Subject"].startswith("[Page] An expected file has not come: no file of bank")
    assert second["Subject"].startswith("[Over] An expected file has not come")
    assert first["To"] == "on-call@bank.example, team@bank.example"
    assert second["In-Reply-To"] == first["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    text = first.get_content()
    for said in (LATE.says, f"Since: {LATE.since}", "What to do: ./dev drop FILE", LATE.link):
        assert said in text


def test_a_name_with_a_line_end_makes_no_second_header(post: Post) -> None:
    post.channel.send(replace(LATE, says="a file\r\nBcc: everybody@bank.example\r\n"))
    (mail,) = post.mailbox.mails
    assert "Bcc" not in mail
    assert "Bcc: everybody" in mail["Subject"]


def test_a_wrong_password_is_told_and_is_in_no_word_of_it(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Refused, match="refuses user or password") as fault:
        replace(post.channel, password="wrong-word").send(LATE)
    assert "wrong-word" not in str(fault.value)
    assert post.mailbox.mails == []


def test_a_server_that_nobody_vouches_for_gets_no_password(post: Post) -> None:
    with pytest.raises(Refused, match="no trusted TLS connection"):
        replace(post.channel, context=None).send(LATE)
    assert post.mailbox.users == []


@pytest.mark.parametrize(("answer", "problem"), [("451 later", Transient), ("554 no", Refused)])
def test_a_server_that_takes_no_mail(post: Post, answer: str, problem: type[Exception]) -> None:
    post.mailbox.answer = answer
    with pytest.raises(problem, match=f"answered {answer[:3]}"):
        post.channel.send(LATE)


def test_addresses_that_are_refused_are_counted(post: Post) -> None:
    with pytest.raises(Refused, match="no mail for 1 of 2"):
        replace(post.channel, to=("on-call@bank.example", "nobody@bank.example")).send(LATE)
    with pytest.raises(Refused, match="no mail for any"):
        replace(post.channel, to=("nobody@bank.example",)).send(LATE)


def test_a_server_without_starttls_gets_no_mail_in_the_open() -> None:
    for post in _post("none"):
        with pytest.raises(Refused, match="offers no STARTTLS"):
            replace(post.channel, tls="starttls").send(LATE)
        assert post.mailbox.mails == []


def test_a_mail_server_that_is_away(post: Post) -> None:
    with pytest.raises(Transient, match="the mail server does not answer"):
        replace(post.channel, port=1).send(LATE)
