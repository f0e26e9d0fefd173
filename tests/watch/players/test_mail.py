"""He writes and is written to: through a real SMTP server and a real IMAP server, on loopback."""

import imaplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from rasd.watch.evidence.box import Box
from rasd.watch.journeys import Journey
from rasd.watch.journeys.written import Channel
from rasd.watch.players.base import CannotPlay, Clock, Errand
from rasd.watch.players.finding import Trouble
from rasd.watch.players.mail import MailPlayer
from rasd.watch.watchfile import Mailbox

from .postoffice import PASSWORD, PostOffice, opened

HIM = "visitor+k7@example.org"
BY_THE_SERVER = {"X-Peer", "X-MailFrom", "X-RcptTo"}  # aiosmtpd puts them there


@pytest.fixture(scope="module")
def running() -> Iterator[PostOffice]:
    with opened() as office:
        yield office


@pytest.fixture
def office(running: PostOffice) -> Iterator[PostOffice]:
    """With nothing in it."""
    running.taken.clear()
    running.replies = lambda letter: None
    yield running
    with running.looked_into() as imap:
        imap.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
        imap.expunge()


class Time(Clock):
    """Runs when somebody waits; what ``happens`` after so many seconds happens then."""

    def __init__(self) -> None:
        self.start, self.passed = datetime.now(UTC), 0.0
        self.happens: dict[float, object] = {}
        super().__init__(lambda: self.start + timedelta(seconds=self.passed), lambda: self.passed, self.wait)

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        for at in [at for at in self.happens if at <= self.passed]:
            self.happens.pop(at)()  # type: ignore[operator]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def errand(tmp_path: Path, time: Time) -> Errand:
    journey = Journey.model_validate(
        {
            "journey": "by-mail",
            "title": "Asks by e-mail",
            "target": "desk",
            "channel": "mail",
            "who": {"patience": "2h"},
            "steps": [{"code": {"secret": "{secret.totp}", "keep": "pin"}}],
            "done": [{"mail": {}}],
        }
    )
    return Errand(
        journey,
        "http://127.0.0.1",
        Box(tmp_path / "box"),
        {"first": "سالم", "last": "الحارثي", "email": HIM},
        secrets={"mailbox": PASSWORD, "totp": "JBSW Y3DP EHPK 3PXP", "pin": "4711"},
        clock=time,
        patient_until=7200,
    )


@pytest.fixture
def player(office: PostOffice, errand: Errand, tmp_path: Path) -> Iterator[MailPlayer]:
    player = MailPlayer(office.mailbox, errand.clock.now(), tmp_path)
    yield player
    player.close(errand, True)


def play(player: MailPlayer, errand: Errand, **step: object) -> dict:
    whole = errand.journey.model_dump(mode="json", by_alias=True, exclude_none=True) | {"steps": [step]}
    return player.play(Journey.model_validate(whole).steps[0], errand)


def evidence(player: MailPlayer, errand: Errand, went_well: bool = True) -> list[str]:
    return [errand.box.get(each.sha256).decode() for each in player.witness(errand, went_well)]


def a_letter(subject: str = "Your code", words: str = "123456", to: str = HIM) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Desk <desk@service.example>", to, subject
    letter.set_content(words)
    return letter


def test_he_writes_and_the_answer_to_his_own_address_is_found(
    office: PostOffice, player: MailPlayer, errand: Errand, tmp_path: Path
) -> None:
    (tmp_path / "bill.pdf").write_bytes(b"%PDF-1.7")

    def answer(raw: bytes) -> EmailMessage:
        asked = message_from_bytes(raw, policy=policy.default)
        return a_letter(f"Re: {asked['Subject']}", "Ticket T-77", to=str(asked["From"]))

    office.replies = answer
    letter = {
        "to": "desk@service.example",
        "subject": "فاتورتي",
        "words": "الرقم {secret.pin}",
        "attach": ["bill.pdf", "photograph"],
    }
    assert play(player, errand, write=letter)["typed"] == 3
    ((envelope, raw),) = office.taken
    sent = message_from_bytes(raw, policy=policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == (HIM, ["desk@service.example"])
    assert sent["From"].addresses[0].display_name == "سالم الحارثي"
    assert sent.get_body().get_content().strip() == "الرقم 4711"  # type: ignore[union-attr]
    assert [each.get_filename() for each in sent.iter_attachments()] == ["bill.pdf", "IMG.jpg"]
    (written,) = evidence(player, errand)
    assert "الرقم •••" in written
    assert "bill.pdf" in written

    facts = play(player, errand, mail={"subject": "^Re: فاتورتي", "keep": {"ticket": r"T-\d+"}})
    assert errand.kept["ticket"] == "T-77"
    assert len(errand.kept["photograph"]) == 5
    assert facts["waited"] < 1
    (found,) = evidence(player, errand)
    assert "Subject: Re: فاتورتي" in found


def test_nothing_in_the_letter_or_in_the_watch_says_that_a_machine_wrote_it(
    office: PostOffice, player: MailPlayer, errand: Errand
) -> None:
    """G13."""
    play(player, errand, write={"to": "desk@service.example", "subject": "a", "words": "b"})
    ((_, raw),) = office.taken
    said = [name for name in message_from_bytes(raw) if name not in BY_THE_SERVER]
    assert said == [
        "From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert "python" not in raw.decode().lower()


def test_nobody_is_written_to_without_leave(office: PostOffice, player: MailPlayer, errand: Errand) -> None:
    """G13. It keeps a signed permission for each target."""
    with pytest.raises(CannotPlay) as error:
        play(player, errand, write={"to": "desk@bank.om, desk@service.example", "subject": "a", "words": "b"})
    assert (error.value.trouble, office.taken) == (Trouble.NOT_PERMITTED, [])


def test_a_letter_to_somebody_else_or_from_before_the_visit_is_not_his(
    office: PostOffice, errand: Errand, time: Time
) -> None:
    office.deliver(a_letter(words="somebody else's", to="visitor+k71@example.org"))
    office.deliver(a_letter(words="an older one"))
    player = MailPlayer(office.mailbox, time.now() + timedelta(minutes=5))
    with pytest.raises(CannotPlay, match="no e-mail came") as error:
        play(player, errand, mail={}, within="30s")
    assert (error.value.trouble, error.value.facts["gave_up"]) == (Trouble.NO_ANSWER, True)


def test_he_waits_for_it_as_long_as_the_step_says_and_looks_less_often_the_longer_it_lasts(
    office: PostOffice, player: MailPlayer, errand: Errand, time: Time
) -> None:
    time.happens = {3500.0: lambda: office.deliver(a_letter())}
    facts = play(player, errand, mail={"keep": {"code": r"\d{6}"}}, within="1h")
    assert 3500 <= facts["waited"] < 3516
    assert errand.kept["code"] == "123456"


def test_another_letter_than_the_one_he_waits_for_is_other_words_and_is_evidence(
    office: PostOffice, player: MailPlayer, errand: Errand
) -> None:
    office.deliver(a_letter("Welcome", "Buy our 4711"))
    with pytest.raises(CannotPlay, match="“Welcome”") as error:
        play(player, errand, mail={"words": "code"}, within="10s")
    assert error.value.trouble is Trouble.OTHER_WORDS
    (seen,) = evidence(player, errand, went_well=False)
    assert "Buy our •••" in seen


def test_a_letter_answers_one_step_only(office: PostOffice, player: MailPlayer, errand: Errand) -> None:
    office.deliver(a_letter(words="111111"))
    office.deliver(a_letter(words="222222"))
    for code in ("111111", "222222"):
        play(player, errand, mail={"keep": {"code": r"\d{6}"}})
        assert errand.kept["code"] == code


def test_what_he_keeps_may_be_awaited_with_all_its_signs(
    office: PostOffice, player: MailPlayer, errand: Errand
) -> None:
    errand.kept["ticket"] = "[T+77]"
    office.deliver(a_letter("[T+77] opened"))
    play(player, errand, mail={"subject": "^{ticket} opened$"})


def test_after_the_visit_his_letters_are_gone_and_so_are_those_of_long_ago_and_no_other(
    office: PostOffice, player: MailPlayer, errand: Errand, time: Time
) -> None:
    for to in (HIM, "visitor+other@example.org", "visitor@example.org"):
        office.deliver(a_letter(to, to=to))
    with office.looked_into() as imap:
        imap.store("3", "+FLAGS", r"(\Deleted)")  # by somebody who may yet think better of it
    play(player, errand, mail={})
    player.close(errand, True)
    assert office.subjects == ["visitor+other@example.org", "visitor@example.org"]
    time.passed += timedelta(days=9).total_seconds()
    errand.patient_until = time.passed + 60
    later = MailPlayer(office.mailbox, time.now())
    with pytest.raises(CannotPlay):
        play(later, errand, mail={}, within="1s")
    later.close(errand, False)
    assert office.subjects == ["visitor@example.org"]


def test_a_letter_of_his_that_came_back_ends_the_waiting(
    office: PostOffice, player: MailPlayer, errand: Errand, time: Time
) -> None:
    from .test_letters import RETURNED

    office.deliver(RETURNED.format(status="5.1.1").replace("visitor+ab@example.org", HIM).encode())
    with pytest.raises(CannotPlay, match="came back") as error:
        play(player, errand, mail={"words": "Ticket"}, within="1h")
    assert (error.value.trouble, time.passed) == (Trouble.ERROR_PAGE, 0)


@pytest.mark.parametrize(
    ("part", "step"),
    [
        ("imap", {"mail": {}}),
        ("smtp", {"write": {"to": "desk@service.example", "subject": "a", "words": "b"}}),
    ],
)
@pytest.mark.parametrize("broken", ["nobody listens", "wrong password", "no such host"])
def test_trouble_with_the_watchs_own_mailbox_is_its_own(
    office: PostOffice, errand: Errand, part: str, step: dict, broken: str
) -> None:
    """G15. A fault of the watch itself is never reported as the target's."""
    mailbox, scheme = office.mailbox, f"{part}+plain"
    if broken == "wrong password":
        errand.secrets = {"mailbox": "another"}
    else:
        at = "127.0.0.1:1" if broken == "nobody listens" else "mail.invalid:1"
        mailbox = mailbox.model_copy(update={part: f"{scheme}://visitor@{at}"})
    with pytest.raises(CannotPlay, match=r"our own mail[a-z ]+: [^b]") as error:
        play(MailPlayer(mailbox, errand.clock.now()), errand, **step)
    assert error.value.facts == {"own": True}


def test_a_mailbox_that_is_not_named_is_asked_for(errand: Errand) -> None:
    with pytest.raises(CannotPlay, match=r"gives desk no mailbox: add mailbox") as error:
        play(MailPlayer(None, errand.clock.now()), errand, mail={})
    assert error.value.trouble is Trouble.JOURNEY


def test_a_connection_that_was_dropped_while_he_waited_is_made_anew(
    office: PostOffice, player: MailPlayer, errand: Errand, time: Time
) -> None:
    def breaks() -> None:
        assert player._postbox
        assert isinstance(player._postbox._imap, imaplib.IMAP4)
        player._postbox._imap.shutdown()
        office.deliver(a_letter())

    time.happens = {5.0: breaks}
    play(player, errand, mail={}, within="1m")


@pytest.mark.parametrize(
    ("now", "waits", "code"),
    [(1111111111, 0, "050471"), (1234567890, 0, "005924"), (1111111109, 1, "050471")],
    ids=["in its second second", "in its first", "in its last: he takes the next one"],
)
def test_the_code_of_his_authenticator_is_the_moments_and_stands_long_enough_to_be_typed(
    player: MailPlayer, errand: Errand, time: Time, now: int, waits: float, code: str
) -> None:
    """The codes are those of RFC 6238, appendix B, for its secret: the last six of eight digits."""
    time.start = datetime.fromtimestamp(now, UTC)
    errand.secrets = {"totp": "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"}
    play(player, errand, code={"secret": "{secret.totp}", "keep": "pin"})
    assert (time.passed, errand.kept["pin"]) == (waits, code)


def test_a_secret_is_taken_as_short_as_services_give_it(player: MailPlayer, errand: Errand) -> None:
    play(player, errand, code={"secret": "{secret.totp}", "keep": "pin"})
    assert len(errand.kept["pin"]) == 6


def test_a_secret_that_is_none_is_the_journeys_mistake(player: MailPlayer, errand: Errand) -> None:
    errand.secrets = {"totp": "not base 32!"}
    with pytest.raises(CannotPlay, match="not the base-32 secret") as error:
        play(player, errand, code={"secret": "{secret.totp}", "keep": "pin"})
    assert error.value.trouble is Trouble.JOURNEY


def test_what_is_no_e_mail_is_sent_elsewhere(player: MailPlayer, errand: Errand) -> None:
    with pytest.raises(CannotPlay, match="'see' cannot be done by e-mail"):
        play(player, errand, see="Thanks")
    assert player.channel is Channel.MAIL
    assert play(player, errand, go="mail") == {}


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"address": "visitor+a@example.org"}, r"is not an address such as someone@example\.org"),
        ({"imap": "imap://visitor@example.org"}, r"does not begin with imaps:// or imap\+plain://"),
        ({"smtp": "mail.example.org:587"}, r"does not begin with smtp:// or smtps:// or smtp\+plain://"),
    ],
)
def test_a_mailbox_that_cannot_be_used_says_what_would_do(office: PostOffice, wrong: dict, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        Mailbox(**office.mailbox.model_dump() | wrong)
