"""What the demo plays: a made-up utility, one customer, and the way of one photograph, told as the rows appear."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.utils import timezone

from rasd.channels.models import Channel, Incoming, Line, Outgoing, StatusEvent
from rasd.channels.whatsapp.emulator.client import Emulator, Phone
from rasd.config.options import options
from rasd.desk.models import Calendar, Employee, OpenSpan, Queue, Weekday
from rasd.metering import made_up
from rasd.metering.days import usual_window
from rasd.metering.models import Adoption, Cycle, Judgement, Photograph, Review, Submission
from rasd.metering.models.reviews import UNDO_WITHIN
from rasd.vision import NotAPhotograph, read_photograph
from rasd.vision.rendered import render_meter

USER, PASSWORD = "demo", "rasd-demo-2026"
STAFF = {"demo-agent-1": ["ar", "en"], "demo-agent-2": ["ar"]}
OFFICE_HOURS = {"ar": "أوقات الدوام (تجربة)", "en": "Office hours of the demo"}
OPENS, CLOSES = clock(7, 30), clock(14, 30)
POINTS, MONTHS, SEED = 300, 24, 2026
WINDOW_REACHES = timedelta(days=5)  # either side of today, where today is outside the usual window
PATIENCE = 60.0  # seconds in which nothing new happens, before the demo calls it failed
ANSWERS_ALLOWED = 5

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Customer:
    """The made-up person of the demo, and the photograph to be sent."""

    phone: str
    name: str
    line: Line
    photograph: bytes
    truth: str
    """What the meter shows, as far as the demo knows."""
    about: str
    has_history: bool = True


def make_utility(photo: Path | None, *, truth: str, last: str, say: Tell) -> Customer:
    """A small utility with two years behind it, this month's cycle open, a login, a line, and a customer."""
    now = timezone.now()
    today = timezone.localdate(now)
    made_up.make_utility(points=POINTS, months=MONTHS, until=today, seed=SEED)
    first, last_day = window_around(today)
    if (first, last_day) != usual_window(f"{today:%Y-%m}"):
        say(f"today is outside the usual window (15th to 25th): the demo's window is {first} to {last_day}")
    cycle = Cycle.open(
        f"{today:%Y-%m}", window_opens=first, window_closes=last_day, at=now, actor="machine:demo"
    )
    say(
        f"a made-up utility: {POINTS} service points in Muscat, {MONTHS} months of readings; cycle {cycle.name} is open"
    )
    make_login()
    _make_staff()
    line = Line.objects.create(
        channel=Channel.WHATSAPP,
        purpose=Line.Purpose.READINGS,
        external_id="100000000000001",
        name=options.utility_name,
        display_address="+96824000000",
    )
    return (
        _with_photograph(photo, line, truth=truth, last=last, now=now) if photo else _with_rendered(line, now)
    )


def make_login() -> None:
    """Who may do everything, and is among the people of each queue."""
    user = User.objects.create_superuser(USER, password=PASSWORD)
    user.groups.set(Group.objects.all())
    for purpose in Queue.Purpose:
        Queue.standing(purpose).people.add(user)


def _make_staff() -> None:
    """Two who answer, so that what is owed is seen to be given: one in Arabic and English, one in Arabic; both on shift
    always, as nobody knows when the demo is run. The first line counts its times in office hours."""
    agents = Group.objects.get(name="agent")
    office = Calendar.objects.create(name=OFFICE_HOURS[settings.LANGUAGE_CODE], holidays_of="OM")
    for weekday in (Weekday.SUNDAY, Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY):
        OpenSpan.objects.create(calendar=office, weekday=weekday, opens=OPENS, closes=CLOSES)
    first_line = Queue.standing(Queue.Purpose.FIRST_LINE)
    first_line.calendar = office
    first_line.save(update_fields=["calendar"])
    for name, languages in STAFF.items():
        agent = User.objects.create_user(name, password=PASSWORD)
        agent.groups.add(agents)
        Employee.objects.create(user=agent, languages=languages)
        first_line.people.add(agent)


def window_around(today: date) -> tuple[date, date]:
    """The first and the last day of the usual window, or of one around ``today`` where that one is not open.

    It may reach into the months beside: the cycle bears the name of ``today``'s month, and no other is open.
    """
    first, last = usual_window(f"{today:%Y-%m}")
    if first <= today <= last:
        return first, last
    return today - WINDOW_REACHES, today + WINDOW_REACHES


def _with_rendered(line: Line, now: datetime) -> Customer:
    who = made_up.demo_customer()
    register = who.service_point.current_register
    if register is None:
        raise LookupError(f"the made-up service point {who.service_point} has no meter")
    steps = int(who.next_reading.scaleb(register.decimals))
    picture = render_meter(steps, register.digits, register.decimals, serial=who.meter_serial, seed=SEED)
    about = (
        f"a RENDERED photograph of meter {who.meter_serial}, which shows {who.next_reading} {register.unit}"
    )
    return Customer(who.phone, who.name, line, picture, str(who.next_reading), about)


def _with_photograph(photo: Path, line: Line, *, truth: str, last: str, now: datetime) -> Customer:
    """A customer whose meter is like the one in the photograph; without ``last`` it was hung up this month, with no history."""
    picture = photo.read_bytes()
    digits, decimals = _places(picture, truth)
    who = made_up.new_customer(digits=digits, decimals=decimals, last=Decimal(last) if last else None, at=now)
    history = f"last month it showed {last}" if last else "it has no history"
    return Customer(
        who.phone,
        who.name,
        line,
        picture,
        truth,
        f"{photo.name}, a meter of {digits}+{decimals} digits; {history}",
        has_history=bool(last),
    )


def _places(picture: bytes, truth: str) -> tuple[int, int]:
    """How many digits the meter has before and after the point: a utility knows; here from ``truth``, else from the machine."""
    if truth:
        whole, _, rest = truth.partition(".")
        return len(whole), len(rest)
    try:
        seen = read_photograph(picture)
    except NotAPhotograph:
        return 5, 1
    return max(4, len(seen.digits) - seen.decimals), seen.decimals


@dataclass
class Story:
    """One photograph on its way."""

    customer: Customer
    emulator: Emulator
    say: Tell
    told: set[str] = field(default_factory=set)
    answered: set[int] = field(default_factory=set)

    def run(self) -> str:
        """Play it; empty where the reading was adopted and the answer delivered, else the reason."""
        self.phone: Phone = self.emulator.phone(self.customer.phone, name=self.customer.name)
        self.say(f"{self.customer.name} sends {self.customer.about}")
        self.began = timezone.now()
        self.phone.send_photo(self.customer.photograph)
        failed = self._follow()
        self.say("the customer's whole chat:\n")
        print(self.phone.chat_as_text())  # noqa: T201 (it is what the demo is for)
        return failed

    def _follow(self) -> str:
        quiet_since, known = time.monotonic(), 0
        while time.monotonic() - quiet_since < PATIENCE:
            with transaction.atomic(), connection.cursor() as cursor:
                # One moment for all questions: else a later step may be seen before an earlier one.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                self._tell_steps()
            if self._delivered():
                return ""
            if len(self.answered) > ANSWERS_ALLOWED:
                return f"still asked after {ANSWERS_ALLOWED} answers"
            if (refusal := self._answer_what_is_asked()) is not None:
                return refusal
            if len(self.told) > known:
                quiet_since, known = time.monotonic(), len(self.told)
            time.sleep(0.1)
        return f"nothing new for {PATIENCE:.0f} s; the troubles page of the console may know why"

    # What happened, once each, with the time since the photograph was sent

    def _tell_steps(self) -> None:
        for incoming in Incoming.objects.filter(kind=Incoming.Kind.IMAGE).select_related("delivery", "media"):
            self._step(
                f"stored {incoming.pk}",
                incoming.delivery.received_at,
                "the webhook's delivery, word for word",
            )
            self._tell_acknowledgement(incoming)
            if incoming.media.stored_at:
                size = f"{incoming.media.size or 0:,} bytes of {incoming.media.content_type}"
                words = f"{size}, kept as {incoming.media.sha256[:12]}…"
                self._step(f"downloaded {incoming.pk}", incoming.media.stored_at, words)
        for photograph in Photograph.objects.exclude(read_at=None):
            seen = photograph.seen or {}
            words = f"«{seen.get('digits') or 'nothing'}» by {photograph.model} in {photograph.milliseconds or 0:.0f} ms"
            self._step(
                f"read {photograph.pk}", photograph.read_at, f"{words}, {seen.get('confidence', 0):.1%} sure"
            )
        for judgement in Judgement.objects.all():
            sure = f", {judgement.confidence:.1%} sure" if judgement.confidence is not None else ""
            value = f" {judgement.value.normalize():f}" if judgement.value is not None else ""
            self._step(
                f"judged {judgement.pk}", judgement.at, f"{judgement.verdict}{value}: {judgement.why}{sure}"
            )
        for adoption in Adoption.objects.filter(reading__submission__isnull=False).select_related("reading"):
            value = f"{adoption.reading.value.normalize():f}"
            self._step(f"adopted {adoption.pk}", adoption.adopted_at, f"{value}, receipt {adoption.receipt}")
        for told in StatusEvent.objects.filter(status="delivered", outgoing__isnull=False).select_related(
            "outgoing", "delivery"
        ):
            # Our own clock: Meta's statuses tell whole seconds.
            words = f"delivered: {told.outgoing.text.splitlines()[0] if told.outgoing else ''}"
            self._step(f"answered {told.outgoing_id}", told.delivery.received_at, words)

    def _tell_acknowledgement(self, incoming: Incoming) -> None:
        name = f"acknowledged {incoming.pk}"
        if name in self.told:
            return
        calls = [c for c in self.emulator.deliveries() if incoming.external_id in c["message_ids"]]
        for answered in (a for call in calls for a in call["attempts"] if a["status"] == 200):
            self._step(name, None, f"200 after {answered['ms']:.0f} ms")

    def _step(self, name: str, at: datetime | None, words: str) -> None:
        if name in self.told:
            return
        self.told.add(name)
        after = f"{(at - self.began).total_seconds():5.2f} s after sending" if at else " " * 21
        self.say(f"  {name.split()[0]:<13}{after}  {words}")

    def _delivered(self) -> bool:
        adoption = Adoption.objects.filter(reading__submission__isnull=False).order_by("-pk").first()
        return bool(
            adoption
            and Outgoing.objects.filter(key=f"adoption:{adoption.pk}").exclude(delivered_at=None).exists()
        )

    # What the machine asks, and what the customer or a reviewer answers

    def _answer_what_is_asked(self) -> str | None:
        """None: go on. Else the reason for which it cannot be answered."""
        self._review_as_a_person_would()
        asked = Outgoing.objects.exclude(delivered_at=None).order_by("-pk").first()
        if asked is None or asked.pk in self.answered or asked.key.startswith(("reading:", "adoption:")):
            return None
        self.answered.add(asked.pk)
        yes = next(
            (button["id"] for button in asked.buttons if button["id"].startswith(("yes:", "replace:"))), ""
        )
        if yes:
            self._say_yes_or_no(yes)
            return None
        if not self._wants_a_number(asked):
            return None
        if not self.customer.truth:
            return f"the machine asked, and the demo has no other photograph: «{asked.text}» (TRUTH=number lets it type)"
        if self._wants_a_photograph(asked) and not self.customer.has_history:
            # A typed number could be checked against nothing; a second photograph that fails too is shown to a person.
            self.say("  the customer sends the photograph again")
            self.phone.send_photo(self.customer.photograph)
            return None
        self.say(f"  the customer types {self.customer.truth}")
        self.phone.send_text(self.customer.truth)
        return None

    def _wants_a_number(self, asked: Outgoing) -> bool:
        """Whether it asks for the number, or for another photograph, in whose place the customer may type the number."""
        return asked.key.startswith("what-is-it:") or self._wants_a_photograph(asked)

    def _wants_a_photograph(self, asked: Outgoing) -> bool:
        about, _, number = asked.key.partition(":")
        if about == "judgement":
            return Judgement.objects.get(pk=number).verdict == Judgement.Verdict.RETAKE
        return about == "review"

    def _say_yes_or_no(self, yes: str) -> None:
        value = Decimal(yes.split(":")[2])
        if self.customer.truth and value != Decimal(self.customer.truth):
            self.say(f"  the customer says no, and will type {self.customer.truth}")
            self.phone.press(yes.replace("yes:", "no:").rsplit(":", 1)[0])
        else:
            knows = "" if self.customer.truth else " (the demo cannot see the meter: give TRUTH=number)"
            self.say(f"  the customer says yes, it is {value:f}{knows}")
            self.phone.press(yes)

    def _review_as_a_person_would(self) -> None:
        user = User.objects.get(username=USER)
        review = (
            Review.claim_next(user, at=timezone.now())
            if Review.objects.filter(closed_at=None).exists()
            else None
        )
        if review is None:
            return
        submission: Submission = review.submission
        judgement = submission.judgements.order_by("-pk").first()
        value = (
            Decimal(self.customer.truth) if self.customer.truth else (judgement.value if judgement else None)
        )
        if value is None:
            self.say("  a reviewer looks, cannot read it either, and asks for another photograph")
            review.ask_again(user, at=timezone.now(), why="unreadable")
        else:
            self.say(f"  a reviewer looks at it in the console, and reads {value:f}")
            review.correct(value, user, at=timezone.now())
        self.say(
            f"  the customer is told after {UNDO_WITHIN.seconds} s, as long as the reviewer may take it back"
        )
