"""What metering tells, inside the transaction in which it became true: a receiver that defers a job loses nothing."""

from django.dispatch import Signal

submission_judged = Signal()
"""``judgement: Judgement`` of ``submission: Submission`` is a new one, whoever decided.

Not sent where judging again changed nothing."""

adopted = Signal()
"""``adoption: Adoption`` stands from now on."""

review_closed = Signal()
"""``review: Review`` was decided by a person; ``adoption: Adoption | None`` is what came of it."""

review_reopened = Signal()
"""``review: Review`` was decided and is not any more: the person took it back."""

field_photograph_kept = Signal()
"""``photograph: Photograph`` of a field read is in storage, and nobody has looked at it yet."""

readings_differ = Signal()
"""``comparisons: list[int]``, primary keys: each is a :class:`Comparison` beyond its tolerance that has no case yet (G5).

In one list, as a closing may find thousands. Told again, until each has one."""

third_estimates = Signal()
"""``cycle: Cycle``, ``at: datetime`` and ``registers: dict[int, int]``: by primary key how many estimates in a row each would
have with this one, more than two. Whoever opens a case to get a real reading answers ``{register: the case's
reference}`` (G2): without one the estimate is not made."""

cycle_closed = Signal()
"""``closing: Closing``: what its cycle is billed on is settled from now on."""

billing_exported = Signal()
"""``export: BillingExport`` is made."""
