"""Who may call, what was called already, and whom to tell."""

from rasd.api.models.calls import KeyedCall
from rasd.api.models.tokens import ApiToken, Scope
from rasd.api.models.webhooks import Event, WebhookDelivery, WebhookSubscription

__all__ = ["ApiToken", "Event", "KeyedCall", "Scope", "WebhookDelivery", "WebhookSubscription"]
