"""What people do about a reading that a rule doubts, and about what is billed: with a reason, on record, undone where it can be.

In a cycle that is closed it is a correction, which goes to billing in the next delta.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.db.models import QuerySet

from rasd.ledger.models import actor_of, record
from rasd.metering import numbers, signals
from rasd.metering.models import Adoption, Cycle, NotAdoptable, Reading, ReadingException, Register
from rasd.metering.models.readings import next_number
from rasd.metering.models.reviews import ReviewClosed

BY_HAND = "manual"
SETTLES = "metering.change_readingexception"
WHY_LONGEST = 300  # characters


def reason(why: str) -> str:
    """``why`` as it is kept: on one line. Raises NotAdoptable: there is none, or it is too long."""
    why = " ".join(why.replace("\0", "").split())
    if not 0 < len(why) <= WHY_LONGEST:
        raise NotAdoptable(f"why: 1 to {WHY_LONGEST} characters, not {len(why)}: say what it rests on")
    return why


def adopt_by_hand(
    register: Register, cycle: Cycle, chosen: Reading | Decimal, *, source: str, why: str, at: datetime, user: AbstractBaseUser
) -> Adoption:  # fmt: skip
    """G2: bill ``cycle`` on ``chosen``: one of the register's readings of it, or a value that stands in the evidence.

    Args:
        source: whose the value is (``field``, ``customer`` or ``estimate``); not asked of a reading.
        why: the reason, in words; it stays on record.

    Raises:
        NotAdoptable: no reason, the register cannot show the value, the reading is another register's or cycle's, or it is
            adopted already.
    """
    why = reason(why)
    with transaction.atomic():
        point = register.meter.service_point
        point.hold()
        standing = Adoption.objects.filter(register=register, cycle=cycle, superseded_at=None).first()
        if isinstance(chosen, Decimal):
            if not numbers.shows(register.hint, chosen):
                raise NotAdoptable(
                    f"value: a register of {register.digits} digits and {register.decimals} decimals cannot show {chosen}"
                )
            chosen = Reading.objects.create(
                service_point=point, register=register, cycle=cycle, value=chosen, source=source,
                quality="estimated" if source == "estimate" else "questionable",
                taken_at=_taken_at(cycle, standing, at), recorded_at=at,
            )  # fmt: skip
        if (chosen.register_id, chosen.cycle_id) != (register.pk, cycle.pk):
            raise NotAdoptable("reading: it is none of this register's and cycle's; choose another")
        if standing and standing.reading_id == chosen.pk:
            raise NotAdoptable("reading: it is adopted already")
        if standing:
            standing.superseded_at = at
            standing.save(update_fields=["superseded_at"])
        number = next_number()
        adoption = Adoption.objects.create(
            id=number, service_point=point, register=register, cycle=cycle, reading=chosen, adopted_at=at,
            actor=actor_of(user), why=why, rule=BY_HAND, receipt=numbers.receipt(cycle.name, number), supersedes=standing,
        )  # fmt: skip
        adoption.close_reviews(at)
        _open_in(register, cycle).update(
            outcome=ReadingException.Outcome.REPLACED, closed_at=at, closed_by=user.pk, why=why
        )
        signals.adopted.send(Adoption, adoption=adoption)
        record(
            actor_of(user),
            "reading.adopted_by_hand",
            f"adoption:{number}",
            at=at,
            why=why,
            facts=adoption.facts(),
        )
    return adoption


def _open_in(register: Register, cycle: Cycle) -> QuerySet[ReadingException]:
    return ReadingException.objects.filter(register=register, cycle=cycle, closed_at=None)


def _taken_at(cycle: Cycle, standing: Adoption | None, at: datetime) -> datetime:
    """When the meter shows a value that somebody puts in the place of another: when that one was taken."""
    if standing is not None:
        with connection.cursor() as cursor:
            # A reading of one source and moment is there once: a second by the same hand counts a microsecond on.
            cursor.execute(
                "SELECT greatest(%s, max(taken_at) + interval '1 microsecond') FROM metering_reading"
                " WHERE register_id = %s AND cycle_id = %s AND taken_at - %s BETWEEN interval '0' AND interval '1 second'",
                [standing.reading.taken_at, standing.register_id, cycle.pk, standing.reading.taken_at],
            )
            found: datetime = cursor.fetchone()[0]
            return found
    return at if cycle.closed_at is None else cycle.closed_at


def take_back_by_hand(adoption: Adoption, *, at: datetime, user: AbstractBaseUser) -> None:
    """What ``adoption`` replaced stands again, and what the rules doubted in it is open again.

    Raises:
        NotAdoptable: it was not adopted by hand, something else was adopted since, or it replaced nothing.
    """
    with transaction.atomic():
        adoption.service_point.hold()
        adoption.refresh_from_db()
        if adoption.rule != BY_HAND or adoption.superseded_at is not None:
            raise NotAdoptable("adoption: another reading was adopted since; adopt by hand instead")
        if adoption.supersedes is None:
            raise NotAdoptable("adoption: there is nothing that it replaced; adopt by hand instead")
        adoption.take_back(at)
        ReadingException.objects.filter(
            register=adoption.register_id, cycle=adoption.cycle_id, outcome=ReadingException.Outcome.REPLACED
        ).update(outcome="", closed_at=None, closed_by=None, why="")
        record(actor_of(user), "reading.taken_back", f"adoption:{adoption.pk}", at=at, facts=adoption.facts())


# What the rules found


def settle(
    found: ReadingException,
    outcome: str,
    *,
    why: str,
    at: datetime,
    user: AbstractBaseUser,
    adoption: Adoption | None = None,
) -> None:
    """A person has looked. ``kept``: it is billed on. ``estimated``: it is not, an estimate is. ``replaced``: ``adoption`` is.
    ``corrected``: the records were wrong, and are put right; the next try of the closing looks again.

    Raises ReviewClosed: somebody was quicker. NotAdoptable: no reason, or there is nothing to estimate from.
    """  # fmt: skip
    why = reason(why)
    with transaction.atomic():
        now = ReadingException.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if now.closed_at is not None:
            raise ReviewClosed(f"{found} was settled at {now.closed_at:%H:%M}: {now.outcome}")
        if outcome == ReadingException.Outcome.ESTIMATED:
            _estimate_instead(now, why, at, user)
        _write(found, outcome, why, at, user)
        facts: dict[str, Any] = {
            "rule": found.rule,
            "cycle": found.cycle.name,
            "adoption": adoption and adoption.pk,
        }
        record(actor_of(user), f"exception.{outcome}", str(found), at=at, why=why, facts=facts)


def reopen(found: ReadingException, *, at: datetime, user: AbstractBaseUser) -> None:
    """Think again: it is open, and whoever reopens it owns it. What was adopted meanwhile stands until it is settled.

    Raises ReviewClosed: the cycle is closed, or it is open.
    """
    with transaction.atomic():
        now = ReadingException.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if now.closed_at is None or now.cycle.closed_at is not None:
            raise ReviewClosed(f"{found} is open, or its cycle is closed: adopt by hand instead")
        ReadingException.objects.filter(pk=found.pk).update(
            closed_at=None, closed_by=None, outcome="", why="", owner=user.pk
        )
        record(actor_of(user), "exception.reopened", str(found), at=at, facts={"was": now.outcome})
    found.refresh_from_db()


def give(found: ReadingException, to: AbstractUser, *, at: datetime, user: AbstractBaseUser) -> None:
    """It is ``to``'s to settle. Raises ReviewClosed: it is settled. ValueError: ``to`` may not settle it."""
    if not (to.is_active and to.has_perm(SETTLES)):
        raise ValueError(f"owner: {to.get_username()} may not settle it; choose another")
    with transaction.atomic():
        if not ReadingException.objects.filter(pk=found.pk, closed_at=None).update(owner=to.pk):
            raise ReviewClosed(f"{found} is settled")
        record(actor_of(user), "exception.given", str(found), at=at, facts={"to": actor_of(to)})
    found.refresh_from_db()


def take_all(cycle: Cycle, rule: str, *, at: datetime, user: AbstractBaseUser) -> int:
    """What nobody owns in ``cycle`` (of ``rule``; empty: of all) is ``user``'s; how many."""
    with transaction.atomic():
        nobodys = ReadingException.objects.filter(cycle=cycle, closed_at=None, owner=None)
        taken = (nobodys.filter(rule=rule) if rule else nobodys).update(owner=user.pk)
        if taken:
            record(
                actor_of(user),
                "exceptions.taken",
                f"cycle:{cycle}",
                at=at,
                facts={"rule": rule, "taken": taken},
            )
    return taken


def _write(found: ReadingException, outcome: str, why: str, at: datetime, user: AbstractBaseUser) -> None:
    found.outcome, found.why, found.closed_at, found.closed_by_id = outcome, why, at, user.pk
    found.save(update_fields=["outcome", "why", "closed_at", "closed_by"])


def _estimate_instead(found: ReadingException, why: str, at: datetime, user: AbstractBaseUser) -> None:
    """The reading is set aside. While the cycle is open the closing estimates; after it, now."""
    from rasd.metering.missing import estimate_missing

    if found.register_id is None or found.register is None:
        raise NotAdoptable("register: there is no meter to estimate")
    Adoption.objects.filter(
        register=found.register_id, cycle=found.cycle_id, reading=found.reading_id, superseded_at=None
    ).update(superseded_at=at)
    if found.cycle.closed_at is None:
        return
    with connection.cursor() as cursor:
        estimate_missing(cursor, found.cycle, at, only=[found.register_id])
    made = Reading.objects.filter(register=found.register_id, cycle=found.cycle_id, source="estimate").last()
    if made is None:
        raise NotAdoptable("estimate: there is nothing to estimate from; adopt a value by hand")
    adopt_by_hand(found.register, found.cycle, made, source="estimate", why=why, at=at, user=user)
