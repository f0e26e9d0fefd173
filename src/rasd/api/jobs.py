"""Jobs of the API: shallow, the deed is on the model. All may run twice, or late."""

from django.utils import timezone
from procrastinate.contrib.django import app

from rasd.channels.jobs import Patience


@app.task(queue="outbox", retry=Patience())
def send(subscription_id: int) -> None:
    """What is due for one subscriber. Where he does not take it, :func:`tell_again` comes back to it."""
    from rasd.api.models import WebhookSubscription

    subscription = (
        WebhookSubscription.objects.select_related("token__user").filter(pk=subscription_id).first()
    )
    if subscription is not None:
        subscription.send(timezone.now())


@app.periodic(cron="* * * * *")
@app.task(queue="outbox", queueing_lock="api-tell-again", pass_context=False)
def tell_again(timestamp: int) -> None:
    """Every minute: what was not taken and is due again, and what has become late."""
    from rasd.api import telling
    from rasd.api.models import WebhookSubscription

    now = timezone.now()
    telling.tell_late(now)
    for subscription in WebhookSubscription.with_something_due(now):
        subscription.send_later()


@app.periodic(cron="43 * * * *")
@app.task(queue="outbox", queueing_lock="api-forget", pass_context=False)
def forget(timestamp: int) -> None:
    """Every hour: answers kept for a day, and events that were taken a week ago."""
    from rasd.api.models import KeyedCall, WebhookDelivery

    now = timezone.now()
    KeyedCall.forget_old(now)
    WebhookDelivery.forget_old(now)
