"""Alert channels: Microsoft Teams, Slack and PagerDuty by their webhooks, and mail by SMTP.

Teams: a Workflows webhook, which takes Adaptive Cards; the Office 365 connectors that took message cards are retired.
No redirect is followed, no address of the network is reached that no subscriber could have, and what goes wrong is said
without address or secret.

source: Microsoft, "Create incoming webhooks with Workflows for Microsoft Teams"; Slack, "Sending messages using incoming
webhooks", Block Kit; PagerDuty, Events API v2
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Literal

import requests

from shared import telemetry
from shared.adapters.http_client import TooLarge, ask
from shared.adapters.judged_connections import judged_connections
from shared.domain import webhook
from shared.domain.alert_message import AlertMessage
from shared.domain.network_reach import Reach
from shared.errors import Refused, Transient
from shared.ports import AlertChannel

TIMEOUT = (5, 10)
"""Seconds to connect, and to answer: a channel that hangs holds up the clock that tells."""
LARGEST_ANSWER = 64 * 1024
PAGERDUTY_SEVERITY = {"page": "critical", "ticket": "warning"}
LONGEST_SUMMARY = 1024
"""Characters; PagerDuty takes no longer one."""
LONGEST_SECTION, LONGEST_FIELD, LONGEST_URL = 2900, 2000, 3000
"""Characters; Slack takes 3,000 in a section's text, 2,000 in each of its fields, and 3,000 in a button's address."""

Json = dict[str, Any]


@dataclass(frozen=True)
class LoggedChannel:
    """A channel of which the app's log says what it did not take."""

    channel: AlertChannel

    @property
    def name(self) -> str:
        return self.channel.name

    @property
    def closes_incidents(self) -> bool:
        return self.channel.closes_incidents

    def send(self, message: AlertMessage) -> None:
        try:
            self.channel.send(message)
        except (Transient, Refused) as problem:
            telemetry.say(
                telemetry.Action.ALERT_CHANNEL, f"{problem}.", level=logging.WARNING, key=message.alert
            )
            raise


@dataclass(frozen=True, kw_only=True)
class WebhookChannel:
    """A channel that takes JSON by POST."""

    name: str
    kind: Literal["teams", "slack", "pagerduty"]
    url: str = field(repr=False)
    routing_key: str = field(default="", repr=False)
    """PagerDuty's, of the integration."""
    reach: Reach = field(default_factory=Reach)
    """Where the address may lead; judged at each connection."""

    @property
    def closes_incidents(self) -> bool:
        return self.kind == "pagerduty"

    def send(self, message: AlertMessage) -> None:
        body = BODIES[self.kind](message)
        if self.kind == "pagerduty":
            body["routing_key"] = self.routing_key
        status = self._posted(json.dumps(body, ensure_ascii=False).encode())
        if status >= 500 or status in webhook.BUSY:
            raise Transient(f"{self.name} answered {status}")
        if not 200 <= status < 300:
            raise Refused(f"{self.name} answered {status}: see its address, or key, in ALERT_CHANNELS")

    def _posted(self, body: bytes) -> int:
        try:
            with judged_connections(self.reach) as connections:
                return ask(
                    "POST", self.url, headers={"Content-Type": "application/json"}, body=body, timeout=TIMEOUT,
                    most=LARGEST_ANSWER, connections=connections,
                ).status  # fmt: skip
        except (requests.RequestException, TooLarge) as cause:
            raise Transient(f"{self.name} does not answer ({type(cause).__name__})") from cause
        except Refused as cause:
            raise Refused(f"{self.name}: {cause}") from cause


def teams(message: AlertMessage) -> Json:
    """An Adaptive Card, as the trigger "When a Teams webhook request is received" takes it.

    Of text runs alone, so that no name becomes a link: text blocks and facts are read as Markdown. Not tried in Teams.
    source: Microsoft, "Text features" (Adaptive Cards); "Format cards in Teams"
    """

    def plain(*runs: Json) -> Json:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}

    colour = (
        "Good" if message.over or message.test else "Attention" if message.severity == "page" else "Warning"
    )
    card: Json = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            plain({"text": message.headline, "weight": "Bolder", "color": colour}),
            plain({"text": message.says}),
            *(
                plain({"text": f"{label}: ", "weight": "Bolder"}, {"text": value})
                for label, value in message.facts.items()
            ),
        ],
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.link}]
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attached]}


def slack(message: AlertMessage) -> Json:
    """Block Kit; the text is what notifications show. Plain text, so that no name becomes a mention or a link."""

    def plain(text: str, longest: int = LONGEST_SECTION) -> Json:
        return {"type": "plain_text", "text": text[:longest], "emoji": False}

    facts = [plain(f"{label}: {value}", LONGEST_FIELD) for label, value in message.facts.items()]
    blocks: list[Json] = [
        {"type": "header", "text": plain(message.headline[:150])},
        {"type": "section", "text": plain(message.says)},
        {"type": "section", "fields": facts},
    ]
    if message.link and len(message.link) <= LONGEST_URL:
        button = {"type": "button", "text": plain("Open"), "url": message.link}
        blocks.append({"type": "actions", "elements": [button]})
    fallback = (
        f"{message.headline}: {message.says}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )
    return {"text": fallback[:LONGEST_SECTION], "blocks": blocks}


def pagerduty(message: AlertMessage) -> Json:
    """Trigger and resolve under one `dedup_key`, so that the incident closes by itself; a test is both in one incident."""
    body: Json = {"event_action": "resolve" if message.over else "trigger", "dedup_key": message.alert}
    if not message.over:
        body["payload"] = {
            "summary": f"{message.headline}: {message.says}"[:LONGEST_SUMMARY],
            "source": "campanha",
            "severity": "info" if message.test else PAGERDUTY_SEVERITY.get(message.severity, "error"),
            "timestamp": message.since,
            "class": message.name,
            "custom_details": message.facts,
        }
        body |= {"client": "Campanha"}
        if message.link:
            body |= {"client_url": message.link, "links": [{"href": message.link, "text": "Open"}]}
    return body


BODIES = {"teams": teams, "slack": slack, "pagerduty": pagerduty}


@dataclass(frozen=True, kw_only=True)
class MailChannel:
    """A mailbox, through a mail server with TLS: STARTTLS, or from the first byte on (`tls`: implicit)."""

    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None
    """Whom to trust; the system's authorities when left out."""
    closes_incidents: bool = False

    def send(self, message: AlertMessage) -> None:
        try:
            with self._connected() as server:
                if self.tls == "starttls":
                    server.starttls(context=self.context or ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                refused = server.send_message(self._mail(message))
        except smtplib.SMTPAuthenticationError as cause:
            raise Refused(
                f"{self.name}: the mail server refuses user or password ({cause.smtp_code})"
            ) from cause
        except smtplib.SMTPResponseException as cause:
            kind = Refused if cause.smtp_code >= 500 else Transient
            raise kind(f"{self.name}: the mail server answered {cause.smtp_code}") from cause
        except smtplib.SMTPRecipientsRefused as cause:
            raise Refused(f"{self.name}: the mail server takes no mail for any of the addresses") from cause
        except ssl.SSLError as cause:
            raise Refused(
                f"{self.name}: no trusted TLS connection to the mail server ({cause.reason})"
            ) from cause
        except smtplib.SMTPNotSupportedError as cause:
            raise Refused(f"{self.name}: the mail server offers no STARTTLS, or no login") from cause
        except (smtplib.SMTPException, OSError) as cause:
            raise Transient(
                f"{self.name}: the mail server does not answer ({type(cause).__name__})"
            ) from cause
        if refused:
            raise Refused(
                f"{self.name}: the mail server took no mail for {len(refused)} of {len(self.to)} addresses"
            )

    def _connected(self) -> smtplib.SMTP:
        timeout = TIMEOUT[1]
        if self.tls == "implicit":
            context = self.context or ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=timeout, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=timeout)

    def _mail(self, message: AlertMessage) -> EmailMessage:
        """Both messages of an alert are one thread: the later answers what was sent first, or would have been."""
        mail, domain = EmailMessage(), self.sender.rpartition("@")[2]
        mail["Subject"] = " ".join(f"{message.headline}: {message.says}".split())[:200]
        mail["From"], mail["To"] = self.sender, ", ".join(self.to)
        mail["Date"] = formatdate()
        mail["Auto-Submitted"] = "auto-generated"
        first = f"<{message.alert}@{domain}>"
        mail["Message-ID"] = make_msgid(domain=domain) if message.over else first
        if message.over:
            mail["In-Reply-To"] = mail["References"] = first
        mail.set_content(message.text + "\n")
        return mail
