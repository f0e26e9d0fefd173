"""A letter as it came: its words, links and attachments, whoever it was made by. Pure; nothing in it makes this raise."""

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import getaddresses

import lxml.html
from inscriptis import get_text
from lxml.etree import ParserError

from rasd.watch.journeys.steps import Awaited

RECIPIENTS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
"""Where the address stands to which a letter was sent, besides lists and blind copies."""
FAILED = re.compile(r"^Action:\s*failed\b", re.I | re.M)
"""RFC 3464, 2.3.3: it will not be delivered; a report may also say that it is late, or that it arrived."""
REFUSED_BY_RULE = re.compile(r"^Status:\s*5\.7\.", re.I | re.M)
"""RFC 3463, 3.8: security or policy status: the letter was not wanted, whoever it is for."""
LARGEST_SHOWN = 200_000  # characters of a letter's words that are kept as evidence


@dataclass(frozen=True)
class Attachment:
    name: str
    media_type: str
    size: int
    """bytes"""


@dataclass(frozen=True)
class Received:
    """A letter, read. ``arrived``: when it came into the mailbox, by the mail server's clock."""

    uid: str
    arrived: datetime
    sender: str
    recipients: frozenset[str]
    """Addresses in small letters."""
    subject: str
    dated: str
    words: str
    """The plain text and the words of the HTML; where the two say the same, once."""
    links: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    returned: str
    """Why a letter of his came back (RFC 3464), as the mail system says it; empty: this is no such report."""

    @property
    def text(self) -> str:
        """All in which a code, a number or a link is looked for. Each link stands on a line of its own."""
        return "\n".join([self.subject, self.words, *self.links])

    @property
    def returned_by_rule(self) -> bool:
        return bool(REFUSED_BY_RULE.search(self.returned))

    def kept(self, awaited: Awaited) -> dict[str, str] | None:
        """What ``awaited`` keeps of it; None where it is not that letter."""
        for pattern, text in (
            (awaited.subject, self.subject),
            (awaited.sender, self.sender),
            (awaited.words, self.text),
        ):
            if pattern and not re.search(pattern, text):
                return None
        found = {name: re.search(pattern, self.text) for name, pattern in awaited.keep.items()}
        return kept_of(found)

    def shown(self) -> str:
        """As evidence, still unmasked."""
        lines = [
            f"From: {self.sender}",
            f"To: {', '.join(sorted(self.recipients))}",
            f"Date: {self.dated}",
            f"Arrived: {self.arrived.isoformat()}",
            f"Subject: {self.subject}",
            *(f"Attached: {each.name} ({each.media_type}, {each.size} bytes)" for each in self.attachments),
        ]
        return "\n".join([*lines, "", self.words[:LARGEST_SHOWN], "", *self.links]).rstrip() + "\n"


def kept_of(found: dict[str, re.Match[str] | None]) -> dict[str, str] | None:
    """The first group of each, or all of it; None where one was not found."""
    kept = {}
    for name, match in found.items():
        if match is None:
            return None
        kept[name] = next((group for group in match.groups() if group is not None), match[0])
    return kept


def read_letter(uid: str, raw: bytes, arrived: datetime) -> Received:
    """From the bytes of a letter. ``arrived`` is aware."""
    message = BytesParser(policy=email.policy.default).parsebytes(raw)
    plain, html, attachments, returned = [], [], [], ""
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            status = _content(part)
            returned = returned or (status if FAILED.search(status) else "")
        elif part.is_attachment() or part.get_filename() or part.get_content_maintype() != "text":
            attachments.append(_attachment(part, kind))
        elif kind == "text/html":
            html.append(_content(part))
        else:
            plain.append(_content(part))
    of_html = [_words_of_html(each) for each in html]
    return Received(
        uid=uid,
        arrived=arrived,
        sender=_header(message, "From"),
        recipients=frozenset(_recipients(message)),
        subject=_header(message, "Subject"),
        dated=_header(message, "Date"),
        words="\n\n".join(dict.fromkeys(filter(None, (each.strip() for each in [*plain, *of_html])))),
        links=tuple(dict.fromkeys(link for each in html for link in _links(each))),
        attachments=tuple(attachments),
        returned=returned,
    )


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status" or not part.is_multipart():
            yield part  # a delivery status is a list of header blocks, which ``walk`` takes for parts


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # email's header parser raises IndexError and more on headers that are not well made
        raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
        return " ".join(str(raw).split())


def _recipients(message: Message) -> Iterator[str]:
    raw = [str(value) for key, value in message.raw_items() if key.title() in RECIPIENTS]
    for _, address in getaddresses(raw):
        if address:
            yield address.lower()


def _content(part: EmailMessage) -> str:
    if part.get_content_type() == "message/delivery-status":
        return "\n".join(str(block) for block in part.get_payload() or ())
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:  # a charset that nobody knows
        return data.decode("utf-8", errors="replace")


def _attachment(part: EmailMessage, kind: str) -> Attachment:
    data = part.get_payload(decode=True)
    return Attachment(part.get_filename() or "", kind, len(data) if isinstance(data, bytes) else 0)


def _words_of_html(html: str) -> str:
    return get_text(html) if html.strip() else ""


def _links(html: str) -> Iterator[str]:
    try:
        tree = lxml.html.fromstring(html)
    except (ParserError, ValueError):  # nothing in it, or bytes that no text has
        return
    for address in tree.xpath("//a/@href"):
        if address.startswith(("http://", "https://")):
            yield str(address).strip()
