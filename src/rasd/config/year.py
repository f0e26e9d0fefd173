"""``rasd demo --year``: a made-up year of twelve reading months in emulated time, played through the product's own doors.

Customers who always send, who do now and then, and who never do; eight meter readers, one of whom invents a third of his
round; meters that are changed, counters that go past their highest value, somebody who moves, a month in which no reader walks,
a correction after the file went to billing. Then it is asked what the product made of it: the truth is known here, and nowhere
in the product.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from rasd.config.story import USER
from rasd.config.year_outcome import Played, look_back
from rasd.ledger import evidence
from rasd.metering import billing, closing, made_up, mending, records
from rasd.metering.importing import import_readings
from rasd.metering.importing.bringing import bring
from rasd.metering.made_up_year import House, Sent, World, moment_of, month_of
from rasd.metering.models import (
    Account,
    AccountContact,
    BillingExport,
    Cycle,
    Estimate,
    Meter,
    Photograph,
    ReadingException,
    Register,
    Review,
    Submission,
)
from rasd.metering.models.judgements import READER
from rasd.metering.rules import Verdict
from rasd.vision.rendered import render_meter

Tell = Callable[[str], None]

ACTOR = "machine:year"
CHANGED = {2: 10, 5: 200, 8: 777}  # month → whose meter is changed, by its place among the houses
MOVES, MOVED = 4, 33  # month, place
NOBODY_WALKS = 6  # the month
CORRECTED_AFTER = 3  # the month whose file is corrected after it went out
WALKS = 0.5  # of a route, each month
WINDOW = (15, 25)
CLOSES_ON = 28  # day of the month


POINTS, MONTHS, SEED, PHOTOGRAPHS = 2_000, 12, 2026, 0.01


def play(folder: Path, *, say: Tell) -> Played:
    """The whole of it: twelve months up to last month; billing's files go to ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    today = timezone.localdate()
    year = Year(
        points=POINTS, months=MONTHS, until=today, seed=SEED, photographs=PHOTOGRAPHS, folder=folder, say=say
    )
    say(f"a made-up utility: {POINTS:,} service points, eight meter readers; nothing of it is real")
    return year.play()


class Year:
    """The play. ``points`` service points, ``months`` cycles of which the last is the one before ``until``'s month."""

    def __init__(
        self, *, points: int, months: int, until: date, seed: int, photographs: float, folder: Path, say: Tell
    ) -> None:
        self.begins, self.months, self.folder, self.say = month_of(until, -months), months, folder, say
        made_up.make_utility(points=points, months=24, until=self.begins, seed=seed)
        self.world = World(self.begins, months=months, seed=seed, photographs=photographs)
        self.staff, _ = User.objects.get_or_create(username=USER)
        self.played = Played()
        self.numbers = iter(range(10_000_000))

    def play(self) -> Played:
        for month in range(self.months):
            self._month(month)
        self.say("every number that was billed is traced to its evidence")
        look_back(self.played, self.world, self.folder)
        return self.played

    def _month(self, month: int) -> None:
        first = month_of(self.begins, month)
        opens, closes = first.replace(day=WINDOW[0]), first.replace(day=WINDOW[1])
        cycle = Cycle.open(
            f"{first:%Y-%m}",
            window_opens=opens,
            window_closes=closes,
            at=moment_of(first, time(6)),
            actor=ACTOR,
        )
        if month in CHANGED:
            self._change_meter(self._house(CHANGED[month]), moment_of(first.replace(day=5), time(0)))
        if month == MOVES:
            self._move(self._house(MOVED), moment_of(first.replace(day=3), time(9)))
        for sent in self.world.sent(month, opens, closes):
            self._send(sent)
        walked = set() if month == NOBODY_WALKS else set(range(len(self.world.routes)))
        must = set(Estimate.used_up_before(cycle))
        visits = list(self.world.visits(month, share=WALKS, walked=walked, must=must))
        at = moment_of(first.replace(day=CLOSES_ON), time(20))
        brought = bring(enumerate(visits), at=at)
        if brought.refused:
            raise AssertionError(f"a visit was refused: {brought.refused[0]}")
        self._close(cycle, at)
        records.reckon(cycle, at)
        self._export(cycle, at + timedelta(hours=1))
        if month == CORRECTED_AFTER:
            self._correct(cycle, at + timedelta(days=1))
        self._count(cycle, len(visits))

    def _house(self, place: int) -> House:
        return self.world.houses[place % len(self.world.houses)]

    # What people do

    def _send(self, sent: Sent) -> None:
        house, contact = sent.house, sent.house.point.account.contacts.order_by("id").first()
        if contact is None:
            return
        self.played.sent += 1
        origin = f"year:{next(self.numbers)}"
        told: dict[str, Any] = {"identifier": contact.identifier, "origin": origin, "conversation": ""}
        told |= {"sent_at": sent.at, "received_at": sent.at + timedelta(seconds=3)}
        register = house.hangs(sent.at)
        with transaction.atomic():
            if sent.is_photograph:
                submission = self._photograph(sent, register, told)
            else:
                submission = Submission.from_number(**told, typed=register.as_shown(sent.value))
                submission.identify(house.point, sent.at)
            judgement = submission.judge(sent.at)
            if judgement.verdict == Verdict.ACCEPT and judgement.value is not None:
                submission.adopt(judgement.value, sent.at, READER, judgement.why, judgement.confidence)
            elif judgement.verdict in {Verdict.CONFIRM, Verdict.ALREADY_ADOPTED}:
                asked_again = sent.at + timedelta(minutes=4)
                submission.confirm(sent.value, asked_again, f"customer:{contact.identifier}")
            elif judgement.verdict == Verdict.REVIEW:
                submission.send_to_review(judgement.why, sent.at, READER, judgement.value)

    def _photograph(self, sent: Sent, register: Register, told: dict[str, Any]) -> Submission:
        steps = int(sent.value.scaleb(register.decimals))
        picture = render_meter(
            steps, register.digits, register.decimals, serial=register.meter.serial, seed=sent.house.point.pk
        )
        sha256, _size = evidence.keep([picture], limit=len(picture))
        submission, photograph = Submission.from_photograph(**told, sha256=sha256)
        submission.identify(sent.house.point, sent.at)
        Photograph.objects.get(pk=photograph.pk).read(sent.at)
        return Submission.objects.get(pk=submission.pk)

    def _decide(self, cycle: Cycle, at: datetime) -> None:
        """People look at what is left over, and see what the photograph or the place shows."""
        for review in Review.objects.filter(closed_at=None, submission__cycle=cycle).select_related(
            "submission__service_point"
        ):
            point = review.submission.service_point
            if point is not None:
                review.accept(self.world.of[point.pk].shows(review.submission.sent_at), self.staff, at)
                self.played.decided += 1
        held = ReadingException.objects.filter(cycle=cycle, closed_at=None, holds_back=True).select_related(
            "reading"
        )
        for found in held:
            reading = found.reading
            house = self.world.of[found.service_point_id]
            true = reading is not None and reading.value == house.shows(reading.taken_at)
            outcome = ReadingException.Outcome.KEPT if true else ReadingException.Outcome.ESTIMATED
            why = "seen on the spot" if true else "not what the meter shows"
            mending.settle(found, outcome, why=why, at=at, user=self.staff)
            self.played.decided += 1

    def _change_meter(self, house: House, at: datetime) -> None:
        old = house.hangs(at)
        Meter.objects.filter(pk=old.meter_id).update(removed_on=at.date())
        meter = Meter.objects.create(
            service_point=house.point, serial=f"{old.meter.serial}N", installed_on=at.date()
        )
        register = Register.objects.create(
            meter=meter, name=old.name, digits=old.digits, decimals=old.decimals, unit=old.unit
        )
        self._import_readings(
            [
                (house, old, house.shows(at), at - timedelta(minutes=1)),
                (house, register, Decimal(0), at),
            ],
            at,
        )
        self.world.hang_meter(house, at, register)

    def _import_readings(self, rows: list[tuple[House, Register, Decimal, datetime]], at: datetime) -> None:
        """What whoever changed the meter wrote down, as the utility's own file."""
        path = self.folder / f"meters-changed-{at:%Y-%m-%d}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["service_point", "meter_serial", "taken_at", "value", "source"])
            for house, register, value, taken_at in rows:
                told = (house.point.number, register.meter.serial, taken_at.isoformat(), value, "field")
                writer.writerow(told)
        outcome = import_readings(path, at=at + timedelta(hours=1), actor=ACTOR)
        if outcome.problems:
            raise AssertionError(f"a reading was refused: {outcome.problems[0]}")

    def _move(self, house: House, at: datetime) -> None:
        """Somebody else pays from now on, with a number of his own."""
        account = Account.objects.create(
            number=f"9{house.point.account.number}", holder_name="من انتقل حديثا التجريبي"
        )
        AccountContact.objects.create(account=account, identifier="tel:+96890019999", since=at)
        house.point.account = account
        house.point.save(update_fields=["account"])

    # What the utility does

    def _close(self, cycle: Cycle, at: datetime) -> None:
        for _round in range(3):
            try:
                closing.close(cycle, at=at, actor=ACTOR)
                return
            except closing.Undecided:
                self._decide(cycle, at)
        closing.close(cycle, at=at, actor=ACTOR)

    def _export(self, cycle: Cycle, at: datetime) -> BillingExport:
        made = billing.export(cycle, at=at, actor=ACTOR)
        billing.write(made, self.folder)
        return made

    def _correct(self, cycle: Cycle, at: datetime) -> None:
        """A photograph that was sent in time was found in the wrong folder: the estimate gives way, and billing gets a delta."""
        estimated = (
            cycle.adoptions.filter(superseded_at=None, reading__source="estimate")
            .select_related("register")
            .first()
        )
        if estimated is None:
            return
        house = self.world.of[estimated.service_point_id]
        sent = moment_of(cycle.window_closes, time(12))
        submission = Submission.from_number(
            identifier="tel:+96890010001", origin=f"year:{next(self.numbers)}", conversation="",
            typed=estimated.register.as_shown(house.shows(sent)), sent_at=sent, received_at=at,
        )  # fmt: skip
        submission.service_point, submission.cycle, submission.identified_at = house.point, cycle, at
        submission.save()
        submission.adopt(house.shows(sent), at, f"user:{self.staff.username}", "found late", replace=True)
        self._export(cycle, at + timedelta(hours=1))

    # What came of it

    def _count(self, cycle: Cycle, visits: int) -> None:
        first = cycle.exports.get(number=1)
        self.played.cycles += 1
        self.played.billed += first.rows
        self.played.visits += visits
        self.played.on_estimates.append(first.totals["sources"].get("estimate", 0) / max(first.rows, 1))
        self.say(
            f"{cycle}: {first.rows:,} registers billed, {self.played.on_estimates[-1]:.0%} of them on estimates;"
            f" {visits:,} visits"
        )
