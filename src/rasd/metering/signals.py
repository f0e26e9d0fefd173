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
