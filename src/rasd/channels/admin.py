from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from rasd.channels.models import Delivery, Line, OptOut, Outgoing


@admin.register(Line)
class LineAdmin(admin.ModelAdmin):
    """Entering a line is all it takes: what came for it before is sorted then."""

    list_display = ["name", "display_address", "purpose", "channel", "external_id", "sends_per_second"]
    list_filter = ["channel", "purpose"]
    search_fields = ["name", "display_address", "external_id"]
    readonly_fields = ["next_send_slot"]


class Record(admin.ModelAdmin):
    """Looked at, never edited: it is what happened."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Django's own "may change" stands for it: there is nothing else here to change."""
        return request.user.has_perm(f"channels.change_{self.opts.model_name}")


@admin.register(Delivery)
class DeliveryAdmin(Record):
    list_display = ["id", "channel", "received_at", "sorted_at", "trouble"]
    list_filter = [
        "channel",
        ("trouble", admin.EmptyFieldListFilter),
        ("sorted_at", admin.EmptyFieldListFilter),
    ]
    exclude = ["body"]
    actions = ["sort_again"]

    @admin.action(description=_("Sort again"), permissions=["retry"])
    def sort_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        for delivery in deliveries:
            delivery.sort_again_later()


@admin.register(Outgoing)
class OutgoingAdmin(Record):
    list_display = ["id", "address", "text", "state", "created_at", "failed_at", "error_code", "error_words"]
    list_filter = ["line", ("failed_at", admin.EmptyFieldListFilter)]
    search_fields = ["key", "external_id", "address__phone"]
    list_select_related = ["address"]
    actions = ["send_again"]

    @admin.action(description=_("Send again"), permissions=["retry"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> None:
        sent = sum(outgoing.send_again() for outgoing in queryset)
        words = ngettext("%d message will be sent again.", "%d messages will be sent again.", sent) % sent
        self.message_user(request, words, messages.SUCCESS if sent else messages.WARNING)


@admin.register(OptOut)
class OptOutAdmin(Record):
    """Who wants no reminders, in whose words."""

    list_display = ["address", "words", "at", "ended_at"]
    list_filter = ["ended_at"]
