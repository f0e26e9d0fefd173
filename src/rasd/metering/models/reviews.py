"""What a person must look at."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.ledger.models import actor_of, record
from rasd.metering import rules, signals
from rasd.metering.models.judgements import Judgement
from rasd.metering.models.submissions import Submission

if TYPE_CHECKING:
    from rasd.metering.models.readings import Adoption

LEASE = timedelta(minutes=5)
"""How long a claim holds without a decision; then somebody else may have it."""

PUT_ASIDE = timedelta(minutes=10)
UNDO_WITHIN = timedelta(seconds=20)
"""The customer is told after it: until then nobody but the reviewer knows."""


class ReviewClosed(Exception):
    """Somebody decided it already."""


class ReviewTaken(Exception):
    """Somebody else is looking at it, or it is too late to take the decision back."""


class Review(models.Model):
    """A submission that a person must look at. Held by one person at a time; a claim that lapses frees it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        CORRECTED = "corrected", _("corrected")
        ASKED_AGAIN = "asked_again", _("asked again")
        NOT_A_METER = "not_a_meter", _("not a meter")
        WITHDRAWN = "withdrawn", _("withdrawn")

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="reviews")
    opened_at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=300)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=15, choices=Outcome, blank=True)
    value = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    adoption = models.ForeignKey(
        "metering.Adoption", models.PROTECT, null=True, blank=True, related_name="+", help_text="made by it"
    )

    class Meta:
        ordering = ["opened_at"]
        indexes = [
            models.Index(fields=["opened_at", "id"], name="review_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["claimed_by"], name="review_claimed", condition=Q(closed_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["submission"], condition=Q(closed_at__isnull=True), name="one_open_review"
            ),
        ]

    def __str__(self) -> str:
        return f"review:{self.pk}"

    # Claiming

    @classmethod
    def claim_next(
        cls, user: AbstractBaseUser, at: datetime, among: QuerySet[Review] | None = None
    ) -> Review | None:
        """The oldest that nobody holds, held by ``user`` for ``LEASE`` from now on; None where the queue is empty.

        One that ``user`` holds already comes first. Two people asking at once never get the same one.
        ``among``: those that he may see; none given: all.
        """
        with transaction.atomic():
            # Two questions, each answered from an index, rather than one that would sort the whole queue.
            queue: QuerySet[Any] = (among if among is not None else cls.objects.all()).filter(closed_at=None)
            queue = queue.select_for_update(skip_locked=True, of=("self",))
            mine = queue.filter(claimed_by=user, claimed_until__gt=at).order_by("opened_at", "id").first()
            free = queue.filter(Q(claimed_until=None) | Q(claimed_until__lte=at) | Q(claimed_by=user))
            review = mine or free.order_by("opened_at", "id").first()
            if review is None:
                return None
            review.claimed_by_id, review.claimed_until = user.pk, at + LEASE
            review.save(update_fields=["claimed_by", "claimed_until"])
        return review

    def release(self) -> None:
        """Give it back undecided."""
        type(self).objects.filter(pk=self.pk, closed_at=None).update(claimed_by=None, claimed_until=None)
        self.claimed_by, self.claimed_until = None, None

    def put_aside(self, user: AbstractBaseUser, at: datetime) -> None:
        """``user`` gives it back undecided, to be offered again to anyone when ``PUT_ASIDE`` has passed."""
        type(self).objects.filter(pk=self.pk, closed_at=None, claimed_by=user.pk).update(
            claimed_by=None, claimed_until=at + PUT_ASIDE
        )

    # Deciding

    def accept(self, value: Decimal, user: AbstractBaseUser, at: datetime) -> Adoption:
        """The person reads ``value`` as was suggested: adopt it, in the place of another customer's reading if need be.

        Raises:
            ReviewClosed, ReviewTaken: somebody was quicker, or holds it.
            NotAdoptable: no service point, cycle or meter, or the register cannot show ``value``.
        """
        return self._adopt(self.Outcome.ACCEPTED, "review_accepted", value, user, at)

    def correct(self, value: Decimal, user: AbstractBaseUser, at: datetime) -> Adoption:
        """The person reads another value than was suggested. Raises as :meth:`accept`."""
        return self._adopt(self.Outcome.CORRECTED, "review_corrected", value, user, at)

    def ask_again(self, user: AbstractBaseUser, at: datetime, why: str) -> Judgement:
        """Ask the customer for another photograph; ``why`` is a code of ``vision.FINDINGS`` or ``asked_again``.

        Raises ReviewClosed, ReviewTaken.
        """
        judged = rules.Judged(rules.Verdict.RETAKE, why)
        return self._decide(self.Outcome.ASKED_AGAIN, judged, user, at)

    def not_a_meter(self, user: AbstractBaseUser, at: datetime) -> Judgement:
        """It shows no meter. Raises ReviewClosed, ReviewTaken."""
        judged = rules.Judged(rules.Verdict.WITHDRAWN, "not_a_meter")
        return self._decide(self.Outcome.NOT_A_METER, judged, user, at)

    def _adopt(
        self, outcome: Outcome, why: str, value: Decimal, user: AbstractBaseUser, at: datetime
    ) -> Adoption:
        with transaction.atomic():
            self._close(outcome, user, at, value)
            submission, actor = self.submission, actor_of(user)
            submission._note(rules.Judged(rules.Verdict.ACCEPT, why, value), at=at, actor=actor)
            adoption = submission.adopt(value, at, actor, why, replace=True)
            self.adoption = adoption
            self.save(update_fields=["adoption"])
            self._tell(user, at, adoption=adoption)
        return adoption

    def _decide(
        self, outcome: Outcome, judged: rules.Judged, user: AbstractBaseUser, at: datetime
    ) -> Judgement:
        with transaction.atomic():
            self._close(outcome, user, at, None)
            judgement = self.submission._note(judged, at=at, actor=actor_of(user))
            self._tell(user, at, why=judged.why)
        return judgement

    def _close(self, outcome: Outcome, user: AbstractBaseUser, at: datetime, value: Decimal | None) -> None:
        now = type(self).objects.select_for_update(of=("self",)).get(pk=self.pk)
        if now.closed_at is not None:
            raise ReviewClosed(f"{self} was decided at {now.closed_at:%H:%M}: {now.outcome}")
        if now.claimed_by_id not in (None, user.pk) and now.claimed_until and now.claimed_until > at:
            raise ReviewTaken(f"{self} is held by somebody else until {now.claimed_until:%H:%M:%S}")
        self.closed_at, self.closed_by_id, self.outcome, self.value = at, user.pk, outcome, value
        self.save(update_fields=["closed_at", "closed_by", "outcome", "value"])

    def _tell(
        self, user: AbstractBaseUser, at: datetime, *, adoption: Adoption | None = None, why: str = ""
    ) -> None:
        signals.review_closed.send(type(self), review=self, adoption=adoption)
        facts: dict[str, Any] = {"review": self.pk, "opened_for": self.why, "value": self.value}
        if adoption is not None:
            facts["adoption"] = adoption.pk
        facts.update(self.submission.evidence())
        record(actor_of(user), f"review.{self.outcome}", str(self.submission), at=at, why=why, facts=facts)

    # Thinking again

    def undo(self, user: AbstractBaseUser, at: datetime) -> None:
        """Within ``UNDO_WITHIN`` of the decision its author takes it back: what it adopted stands no more, what that had
        replaced stands again, and the review is open and theirs.

        Raises:
            ReviewTaken: not theirs, not decided, too late, or the customer has sent more or taken it back since.
        """
        with transaction.atomic():
            now = type(self).objects.select_for_update(of=("self",)).get(pk=self.pk)
            if now.closed_at is None or now.closed_by_id != user.pk:
                raise ReviewTaken(f"{self} was not decided by {user.get_username()}")
            if at - now.closed_at > UNDO_WITHIN:
                raise ReviewTaken(f"{self} was decided more than {UNDO_WITHIN.seconds} seconds ago")
            if now.outcome == self.Outcome.WITHDRAWN:
                raise ReviewTaken(f"{self}: the customer has taken it back")
            if now.submission.open_review is not None:
                raise ReviewTaken(f"{self}: the submission is under review again already")
            if now.adoption is not None:
                if now.adoption.superseded_at is not None:
                    raise ReviewTaken(f"{self}: another reading was adopted since")
                now.adoption.take_back(at)
            undone = {"outcome": now.outcome, "value": now.value, "adoption": now.adoption_id}
            now.closed_at, now.closed_by, now.outcome, now.value, now.adoption = None, None, "", None, None
            now.claimed_by_id, now.claimed_until = user.pk, at + LEASE
            now.save()
            now.submission._note(rules.Judged(rules.Verdict.REVIEW, "undone"), at=at, actor=actor_of(user))
            signals.review_reopened.send(type(self), review=now)
            record(
                actor_of(user),
                "review.undone",
                str(now.submission),
                at=at,
                facts={"review": self.pk, **undone},
            )
        self.refresh_from_db()
