"""Jobs of the ledger."""

from django.utils import timezone
from procrastinate.contrib.django import app


@app.periodic(cron="41 1 * * *")
@app.task(queue="flows", queueing_lock="ledger-verify", pass_context=False)
def verify(timestamp: int) -> None:
    """Every night: what was written since the last time is verified, once a week all of it (G12)."""
    from rasd.ledger.models import Verification

    Verification.run(timezone.now())
