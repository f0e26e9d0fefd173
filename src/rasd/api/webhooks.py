"""Whom we tell, and what became of the telling."""

from typing import Annotated, Literal

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from rasd.api import reading
from rasd.api.calling import ApiRequest, Bearer, Done, Id, Key, told, writes
from rasd.api.models import Event, Scope, WebhookDelivery, WebhookSubscription
from rasd.api.paging import USUAL, Cursor, Limit, Order, Page
from rasd.api.problems import refusing
from rasd.api.shapes import DeliveryOut, NewWebhookOut, WebhookOut

router = Router(tags=["webhooks"])
AUTH = Bearer(Scope.WEBHOOKS)


class WebhookPage(Page):
    items: list[WebhookOut]


class DeliveryPage(Page):
    items: list[DeliveryOut]


class NewWebhook(Schema):
    url: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[!-~]+$")] = Field(
        description="https://… of a host in the public internet"
    )
    events: list[Event] = Field(min_length=1, max_length=len(Event))
    secret: Annotated[str, Field(max_length=200, pattern=r"^[!-~]*$")] = Field(
        "", description="signs each call; empty: one is made, and shown in the answer only"
    )


@router.get("/webhooks", response=WebhookPage, auth=AUTH, summary="List this token's webhooks")
def list_webhooks(request: ApiRequest, cursor: Cursor = "", limit: Limit = USUAL) -> HttpResponse:
    found, following = Order("made_at").page(_mine(request), cursor, limit)
    return told(request, WebhookPage(items=[WebhookOut.of(each) for each in found], next=following))


@router.post("/webhooks", response={201: NewWebhookOut}, auth=AUTH, summary="Be told of events")
@writes("webhook.made")
def subscribe(request: ApiRequest, body: NewWebhook, idempotency_key: Key) -> Done:
    """Of what happens from now on, within what this token may read."""
    token = request.auth
    try:
        made = WebhookSubscription.make(token, body.url, body.events, at=timezone.now(), secret=body.secret)
    except ValueError as error:
        with refusing(str(error).partition(":")[0]):
            raise
    shape = NewWebhookOut(**WebhookOut.of(made).model_dump(), secret=made.secret)
    return Done(shape, str(made), 201)


@router.get("/webhooks/{int:pk}", response=WebhookOut, auth=AUTH, summary="One webhook")
def get_webhook(request: ApiRequest, pk: Id) -> HttpResponse:
    return told(request, WebhookOut.of(reading.the(_mine(request), pk, "webhook")))


@router.post("/webhooks/{int:pk}/end", response=WebhookOut, auth=AUTH, summary="Be told no more")
@writes("webhook.ended")
def end_webhook(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    subscription = reading.the(_mine(request), pk, "webhook")
    subscription.end(at=timezone.now())
    return Done(WebhookOut.of(subscription), str(subscription))


@router.get(
    "/webhooks/{int:pk}/deliveries", response=DeliveryPage, auth=AUTH, summary="What became of each event"
)
def list_deliveries(
    request: ApiRequest,
    pk: Id,
    state: Annotated[Literal["waiting", "taken", "given_up"] | None, Query()] = None,
    cursor: Cursor = "",
    limit: Limit = USUAL,
) -> HttpResponse:
    """The newest first. What was taken is kept for a week."""
    rows = reading.the(_mine(request), pk, "webhook").deliveries.all()
    if state:
        rows = rows.filter(WebhookDelivery.in_state(state))
    found, following = Order("at", newest_first=True).page(rows, cursor, limit)
    return told(request, DeliveryPage(items=[DeliveryOut.of(each) for each in found], next=following))


@router.post(
    "/webhooks/deliveries/{int:pk}/again", response={202: DeliveryOut}, auth=AUTH, summary="Send it again"
)
@writes("webhook.sent_again")
def send_again(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    rows = WebhookDelivery.objects.filter(subscription__in=_mine(request))
    delivery = reading.the(rows.select_related("subscription__token"), pk, "delivery")
    delivery.send_again(by=request.auth.user, at=timezone.now(), token=request.auth.name)
    return Done(DeliveryOut.of(delivery), str(delivery), 202)


def _mine(request: ApiRequest) -> QuerySet[WebhookSubscription]:
    return WebhookSubscription.objects.filter(token=request.auth).select_related("token__user")
