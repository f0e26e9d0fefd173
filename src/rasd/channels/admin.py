from django.contrib import admin

from rasd.channels.models import Line


@admin.register(Line)
class LineAdmin(admin.ModelAdmin):
    """Entering a line is all it takes: what came for it before is sorted then."""

    list_display = ["name", "display_address", "purpose", "channel", "external_id", "sends_per_second"]
    list_filter = ["channel", "purpose"]
    search_fields = ["name", "display_address", "external_id"]
    readonly_fields = ["next_send_slot"]
