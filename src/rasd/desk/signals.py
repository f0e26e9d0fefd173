"""What the desk tells, inside the transaction in which it became true: a receiver that defers a job loses nothing."""

from django.dispatch import Signal

obligation_changed = Signal()
"""``obligation: Obligation`` is owed by others, by another time, or not any more; ``action: str`` is the ledger's word for
what happened (``obligation.given`` …); ``before: tuple[int | None, int] | None`` are the primary keys of its owner and its
queue until now, None where it is new."""

notice_told = Signal()
"""``notice: Notice`` is a new one."""

case_opened = Signal()
"""``case: Case`` is new; ``message: Message | None`` is what it grew from."""

case_changed = Signal()
"""``case: Case`` has a new line in its history."""
