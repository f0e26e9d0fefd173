"""What customers send, what was seen in it, and what was decided of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.utils import timezone

from rasd.ledger.models import record
from rasd.metering import numbers, rules, signals, whose
from rasd.metering.models.cycles import Cycle
from rasd.metering.models.judgements import READER, Judgement, NotAdoptable, limits
from rasd.metering.models.photographs import Photograph
from rasd.metering.models.reference import Meter, Register, ServicePoint

if TYPE_CHECKING:
    from rasd.metering.models.readings import Adoption
    from rasd.metering.models.reviews import Review

ALBUM_GAP = timedelta(seconds=60)
"""Photographs of one sender within this time of each other are one submission."""


class Submission(models.Model):
    """What a customer sent as a reading: one or several photographs taken in one go, or a number typed."""

    identifier = models.CharField(
        max_length=200, db_index=True, help_text="who sent it: tel:+968…, whatsapp:USER-ID"
    )
    origin = models.CharField(max_length=250, unique=True, help_text="the first message: whatsapp:wamid…")
    conversation = models.CharField(
        max_length=100, blank=True, db_index=True, help_text="where to answer: conversation:17"
    )
    service_point = models.ForeignKey(
        ServicePoint, models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    cycle = models.ForeignKey(
        Cycle,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="submissions",
        help_text="whose window holds sent_at (G1)",
    )
    typed = models.CharField(max_length=40, blank=True, help_text="the digits, where a number was typed")
    sent_at = models.DateTimeField(help_text="by the channel's own timestamp")
    received_at = models.DateTimeField(default=timezone.now)
    identified_at = models.DateTimeField(null=True, blank=True, help_text="when its service point was known")

    class Meta:
        indexes = [
            models.Index(fields=["identifier", "-sent_at"], name="submission_by_sender"),
            models.Index(fields=["cycle", "service_point", "-sent_at"], name="submission_in_cycle"),
        ]

    def __str__(self) -> str:
        return f"submission:{self.pk}"

    # It comes in

    @classmethod
    def from_photograph(
        cls,
        *,
        identifier: str,
        origin: str,
        sha256: str,
        sent_at: datetime,
        received_at: datetime,
        conversation: str,
    ) -> tuple[Submission, Photograph]:
        """The photograph that message ``origin`` brought, in the sender's still open album or in a submission of its own.

        The album is open to photographs sent within ``ALBUM_GAP`` of one that is in it, until it was judged: what is sent
        after that is another matter, and gets an answer of its own. Called again with the same ``origin``, by another
        process at the same time too, it returns what is there.
        """
        with transaction.atomic():
            _one_at_a_time(f"{identifier} {conversation}")
            there = Photograph.objects.select_related("submission").filter(origin=origin).first()
            if there is not None and there.submission is not None:
                return there.submission, there
            album = cls._open_album(identifier, conversation, sent_at) or cls.objects.create(
                identifier=identifier,
                origin=origin,
                conversation=conversation,
                sent_at=sent_at,
                received_at=received_at,
            )
            if sent_at < album.sent_at:  # messages may arrive in any order; the first one sent says when (G1)
                album.sent_at = sent_at
                album.cycle = Cycle.containing(sent_at, album.service_point) if album.identified_at else None
                album.save(update_fields=["sent_at", "cycle"])
            photograph = album.photographs.create(origin=origin, sha256=sha256, sent_at=sent_at)
        return album, photograph

    @classmethod
    def _open_album(cls, identifier: str, conversation: str, sent_at: datetime) -> Submission | None:
        near = (
            cls.objects.filter(
                identifier=identifier,
                conversation=conversation,
                photographs__sent_at__range=(sent_at - ALBUM_GAP, sent_at + ALBUM_GAP),
            )
            .order_by("-photographs__sent_at")
            .first()
        )
        last = near.judgement if near else None
        return None if last is not None and sent_at > last.at else near

    @classmethod
    def from_number(
        cls,
        *,
        identifier: str,
        origin: str,
        typed: str,
        sent_at: datetime,
        received_at: datetime,
        conversation: str,
    ) -> Submission:
        """The number that message ``origin`` brought, kept as plain digits. Called again with the same ``origin`` it
        returns what is there."""
        submission, _ = cls.objects.get_or_create(
            origin=origin,
            defaults={
                "identifier": identifier,
                "conversation": conversation,
                "typed": numbers.plain_number(typed)[:40],
                "sent_at": sent_at,
                "received_at": received_at,
            },
        )
        return submission

    def identify(self, service_point: ServicePoint, at: datetime) -> None:
        """Say whose it is, and with that which cycle it counts for (G1).

        Raises:
            NotAdoptable: it is adopted for another service point already.
        """
        if adoption := self.adoption:
            if adoption.service_point_id != service_point.pk:
                raise NotAdoptable(
                    f"service_point: {self} is adopted for {adoption.service_point.number} already;"
                    " have a person correct that adoption first"
                )
            return
        self.service_point = service_point
        self.cycle = Cycle.containing(self.sent_at, service_point)
        self.identified_at = at
        self.save(update_fields=["service_point", "cycle", "identified_at"])

    def meaning_of(self, typed: str) -> Decimal:
        """The value that ``typed`` means on this meter: with a point or without, all digits in a row or the whole units.

        Where it may mean several, the one nearest to what was last asked about; where none, the number as it stands.
        """
        register = self.service_point.current_register if self.service_point else None
        values = numbers.meanings(typed, register.hint) if register else []
        asked = self.judgement.value if self.judgement else None
        if values and asked is not None:
            return min(values, key=lambda value: abs(value - asked))
        return values[0] if values else numbers.parse_number(typed) or Decimal(0)

    def as_shown(self, value: Decimal) -> str:
        """``value`` as its counter shows it, leading zeros and all: ``04521`` or ``04521.3``."""
        register = self.service_point.current_register if self.service_point else None
        return register.as_shown(value) if register else f"{value.normalize():f}"

    # It is judged

    @property
    def judgement(self) -> Judgement | None:
        """The last one: it stands."""
        return self.judgements.order_by("-id").first()

    @property
    def adoption(self) -> Adoption | None:
        """The adoption that stands and rests on this submission, or None."""
        from rasd.metering.models.readings import Adoption

        return Adoption.objects.filter(reading__submission=self, superseded_at=None).first()

    @property
    def open_review(self) -> Review | None:
        return self.reviews.filter(closed_at=None).first()

    def facts(self) -> rules.Facts:
        """All that a verdict rests on, as it is on record now."""
        point = self.service_point
        register = point.current_register if point else None
        standing = point.adoption_in(self.cycle) if point and self.cycle else None
        seen = self._seen()
        serials = {numbers.plain_serial(serial) for one in seen for serial in one.face.serials}
        return rules.Facts(
            known_sender=point is not None,
            in_window=self.cycle is not None,
            seen=seen,
            typed=self.typed,
            register=register.hint if register else None,
            history=point.history(self.sent_at, apart_from=self.cycle) if point else None,
            standing=rules.Standing(
                standing.reading.value, standing.reading.source, own=standing.reading.submission_id == self.pk
            )
            if standing
            else None,
            own_serial=register.meter.serial if register else "",
            other_serials=frozenset(
                Meter.objects.filter(serial__in=serials, removed_on=None)
                .exclude(service_point=point)
                .values_list("serial", flat=True)
            ),
            sent_before=next(filter(None, (one.resent for one in self.sent_before)), ""),
            retakes=self._retakes_in_cycle(),
        )

    @property
    def sent_before(self) -> list[Photograph]:
        """Its photographs that came in another submission first; ``same_as`` is the one there, ``resent`` what it means."""
        again = self.photographs.exclude(same_as=None).order_by("sent_at", "id")
        return list(again.select_related("submission", "same_as__submission__service_point"))

    @property
    def sending(self) -> whose.Sending:
        return whose.Sending(self.identifier, self.service_point_id, self.cycle_id, self.sent_at)

    def point_shown(self, points: Collection[ServicePoint]) -> ServicePoint | None:
        """Which of ``points`` its photographs show, by the serial numbers on the faces; None where none or several."""
        meters = Meter.objects.filter(service_point__in=[point.pk for point in points], removed_on=None)
        texts = [text for one in self._seen() for text in one.face.texts]
        shown = whose.shown_of(texts, dict(meters.values_list("service_point", "serial")))
        return next((point for point in points if point.pk == shown), None)

    def _seen(self) -> tuple[rules.Seen, ...]:
        return tuple(
            rules.Seen.from_json(photograph.sha256, photograph.seen)
            for photograph in self.photographs.order_by("sent_at", "id")
            if photograph.seen is not None
        )

    def _retakes_in_cycle(self) -> int:
        if self.service_point_id is None or self.cycle_id is None:
            return 0
        return Judgement.objects.filter(
            submission__service_point=self.service_point_id,
            submission__cycle=self.cycle_id,
            verdict=rules.Verdict.RETAKE,
        ).count()

    def judge(self, at: datetime) -> Judgement:
        """G3: the machine's verdict on what is on record now. It adopts nothing: :meth:`adopt` does, or the customer is
        asked, or :meth:`send_to_review`.

        Judging again when nothing new is on record returns the judgement that stands.
        """
        with transaction.atomic():
            Submission.objects.select_for_update().get(pk=self.pk)
            last, basis = self.judgement, self._basis()
            if last is not None and last.actor == READER and last.basis == basis:
                return last
            judged = rules.judge(self.facts(), limits())
            return self._note(judged, at=at, actor=READER, basis=basis)

    def _basis(self) -> dict[str, Any]:
        """What a judgement rests on, so that one can tell later, and whether anything is new."""
        standing = self.service_point.adoption_in(self.cycle) if self.service_point and self.cycle else None
        return {
            "typed": self.typed,
            "service_point": self.service_point and self.service_point.number,
            "cycle": self.cycle and self.cycle.name,
            "standing": standing and standing.receipt,
            "photographs": [
                {"id": one.pk, "sha256": one.sha256, "same_as": one.same_as_id, **one.summary}
                for one in self.photographs.order_by("sent_at", "id")
            ],
        }

    def _note(
        self, judged: rules.Judged, *, at: datetime, actor: str, basis: dict[str, Any] | None = None
    ) -> Judgement:
        judgement = self.judgements.create(
            at=at,
            actor=actor,
            verdict=judged.verdict,
            value=judged.value,
            confidence=judged.confidence,
            why=judged.why,
            basis=basis or {},
        )
        signals.submission_judged.send(Judgement, judgement=judgement, submission=self)
        return judgement

    # It is settled

    def confirm(self, value: Decimal, at: datetime, actor: str) -> Judgement:
        """The customer says that it is ``value``: yes to what was asked, or another number typed.

        Judged ``accept`` and adopted where that is enough (see :func:`rasd.metering.rules.settles`); ``review`` and put before
        a person where it is not; ``already_adopted`` where another submission's reading stands. Where it was asked whether
        it replaces that one, yes replaces it.

        Raises:
            NotAdoptable: no service point, no cycle or no meter; outside a window nothing can be confirmed.
        """
        with transaction.atomic():
            Submission.objects.select_for_update().get(pk=self.pk)
            point, _, _ = self.adoptable_for()
            point.hold()
            judged = rules.confirmed(value, self.facts(), self._asked(), limits())
            judgement = self._note(judged, at=at, actor=actor)
            if judged.verdict == rules.Verdict.ACCEPT:
                self.adopt(value, at, actor, judged.why, replace=True)
            elif judged.verdict == rules.Verdict.REVIEW:
                self.send_to_review(judged.why, at, actor, value=value)
        return judgement

    def _asked(self) -> rules.Judged | None:
        last = self.judgement
        if last is None:
            return None
        return rules.Judged(rules.Verdict(last.verdict), last.why, last.value, last.confidence)

    def adopt(
        self,
        value: Decimal,
        at: datetime,
        actor: str,
        why: str,
        confidence: float | None = None,
        replace: bool = False,
    ) -> Adoption:
        """Bill the cycle on ``value`` (in the register's unit). See :meth:`rasd.metering.models.Adoption.of`.

        Returns the adoption that stands afterwards: this one's, or an earlier one that it may not replace.

        Raises:
            NotAdoptable: see :meth:`confirm`; also where the register cannot show ``value``.
        """
        from rasd.metering.models.readings import Adoption

        return Adoption.of(self, value, at=at, actor=actor, why=why, confidence=confidence, replace=replace)

    def send_to_review(self, why: str, at: datetime, actor: str, value: Decimal | None = None) -> Review:
        """Put it before a person; ``value`` is what the customer says it is, where they do. A second call returns the review
        that is open."""
        from rasd.metering.models.reviews import Review

        with transaction.atomic():
            Submission.objects.select_for_update().get(pk=self.pk)
            if review := self.open_review:
                return review
            review = Review.objects.create(submission=self, opened_at=at, why=why)
            last = self.judgement
            if last is None or last.verdict != rules.Verdict.REVIEW:
                self._note(rules.Judged(rules.Verdict.REVIEW, why, value), at=at, actor=actor)
            record(
                actor,
                "review.opened",
                str(self),
                at=at,
                why=why,
                facts={"review": review.pk, "value": value, **self.evidence()},
            )
        return review

    def withdraw(self, at: datetime, actor: str, why: str) -> Judgement:
        """The customer took it back, or it is no reading at all. An open review of it closes.

        Raises:
            NotAdoptable: it is adopted; adopt another reading in its place instead.
        """
        from rasd.metering.models.reviews import Review

        with transaction.atomic():
            Submission.objects.select_for_update().get(pk=self.pk)
            if self.adoption:
                raise NotAdoptable(f"{self} is adopted; adopt another reading in its place instead")
            self.reviews.filter(closed_at=None).update(closed_at=at, outcome=Review.Outcome.WITHDRAWN)
            judgement = self._note(rules.Judged(rules.Verdict.WITHDRAWN, why), at=at, actor=actor)
            record(actor, "submission.withdrawn", str(self), at=at, why=why, facts=self.evidence())
        return judgement

    def adoptable_for(self) -> tuple[ServicePoint, Register, Cycle]:
        """What an adoption of it would be for. Raises NotAdoptable, naming what is missing."""
        if self.service_point is None:
            raise NotAdoptable(f"service_point: whose {self} is, is not known; identify it first")
        if self.cycle is None:
            raise NotAdoptable(f"cycle: {self} was sent outside every window, so it counts for none (G1)")
        register = self.service_point.current_register
        if register is None:
            raise NotAdoptable(f"meter: none is recorded at {self.service_point.number}; import it first")
        return self.service_point, register, self.cycle

    def evidence(self) -> dict[str, Any]:
        """G4: what a ledger entry keeps of it: the pictures by SHA-256, what was read in each and by which model."""
        photographs = self.photographs.order_by("sent_at", "id")
        return {
            "origin": self.origin,
            "sent_at": self.sent_at,
            "typed": self.typed,
            "photographs": [
                {"sha256": one.sha256, "origin": one.origin, "model": one.model, **one.summary}
                for one in photographs
            ],
        }


def _one_at_a_time(key: str) -> None:
    """Hold, until the transaction ends, a lock that only who works on the same ``key`` waits for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
