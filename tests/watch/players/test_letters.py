"""A letter is read as a person reads it, whoever it was made by."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.journeys.steps import Awaited
from rasd.watch.players.letters import Received, read_letter

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)


def read(letter: EmailMessage | bytes) -> Received:
    return read_letter("7", letter if isinstance(letter, bytes) else letter.as_bytes(), AT)


def a_letter(plain: str = "", html: str = "", **headers: str) -> EmailMessage:
    letter = EmailMessage()
    for name, value in ({"To": "visitor+ab@example.org", "Subject": "رمز الدخول"} | headers).items():
        letter[name.replace("_", "-")] = value
    letter.set_content(plain)
    if html:
        letter.add_alternative(html, subtype="html")
    return letter


HTML = """<html><head><style>p {color: red}</style></head><body>
<div style="display:none">Preview nobody sees 999999</div>
<table><tr><td>رمزك</td><td><b>123</b>456</td></tr></table>
<p>Press <a href="https://example.org/c?a=1&amp;b=2">here</a>.</p><script>code = 888888</script></body></html>"""


def test_the_words_of_html_are_those_that_a_reader_sees() -> None:
    letter = read(a_letter(html=HTML))
    assert "رمزك  123456" in letter.words
    assert letter.subject == "رمز الدخول"
    for hidden in ("999999", "888888", "color"):
        assert hidden not in letter.text


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        (r"\b\d{6}\b", "123456"),
        (r"https://\S+/c\?\S+", "https://example.org/c?a=1&b=2"),
        (r"رمزك\s+(\d{3})", "123"),
    ],
)
def test_a_code_or_a_link_is_kept_from_subject_plain_text_or_html(pattern: str, kept: str) -> None:
    assert read(a_letter(html=HTML)).kept(Awaited(keep={"it": pattern})) == {"it": kept}


def test_a_letter_is_his_only_where_all_that_he_awaits_is_in_it() -> None:
    letter = read(a_letter("Your ticket is T-77.", Subject="Ticket opened", From="Desk <desk@example.com>"))
    assert letter.kept(Awaited(subject="Ticket", sender="desk@", words="T-\\d+")) == {}
    for other in (
        {"subject": "Closed"},
        {"sender": "sales@"},
        {"words": "refused"},
        {"keep": {"pin": r"\d{6}"}},
    ):
        assert letter.kept(Awaited(**other)) is None


def test_attachments_are_listed() -> None:
    letter = a_letter("see the bill")
    letter.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="فاتورة.pdf")
    (found,) = read(letter).attachments
    assert (found.name, found.media_type, found.size) == ("فاتورة.pdf", "application/pdf", 8)


RETURNED = """From: MAILER-DAEMON@example.org
To: visitor+ab@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; desk@example.com
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 no

--b--
"""


@pytest.mark.parametrize(("status", "by_rule"), [("5.1.1", False), ("5.2.2", False), ("5.7.1", True)])
def test_a_letter_of_his_that_came_back_is_known_as_such(status: str, by_rule: bool) -> None:
    letter = read(RETURNED.format(status=status).encode())
    assert "desk@example.com" in letter.returned
    assert letter.returned_by_rule is by_rule


def test_whoever_it_was_sent_to_stands_in_any_of_the_headers_that_tell() -> None:
    letter = read(
        a_letter(To="List <all@example.com>", Cc="A <a@example.org>", Delivered_To="Visitor+AB@Example.org")
    )
    assert letter.recipients == {"all@example.com", "a@example.org", "visitor+ab@example.org"}


@given(
    st.binary(max_size=400),
    st.sampled_from(["From: ", "To: ", "Content-Type: text/html; charset=", "\n", "Date: "]),
)
def test_nothing_in_a_letter_makes_reading_it_fail(raw: bytes, head: str) -> None:
    read_letter("1", head.encode() + raw, AT).shown()


def test_an_unknown_charset_and_a_broken_header_are_read_as_far_as_they_go() -> None:
    raw = b'From: =?x-no?Q?a?=\nTo: "<@\nContent-Type: text/plain; charset=x-nobody\n\nPIN 4711'
    assert read(raw).kept(Awaited(keep={"pin": r"PIN (\d+)"})) == {"pin": "4711"}
