from django.contrib import admin

from rasd.flows.models import ApprovedTemplate, LinkRevocation


@admin.register(ApprovedTemplate)
class ApprovedTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What Meta has approved, as it was approved: nothing is written to many before it is entered here."""

    list_display = ["use", "language", "name", "code"]
    list_filter = ["use", "language"]


@admin.register(LinkRevocation)
class LinkRevocationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Looked at; made on the page itself, by whoever has it, or with ``LinkRevocation.make``."""

    list_display = ["contact", "at", "actor", "why"]
    raw_id_fields = ["contact"]
