"""Reference data can be put right here; what happened can only be looked at (G12)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rasd.metering.models import (
    Account,
    AccountContact,
    Adoption,
    Cycle,
    FieldRead,
    Judgement,
    Meter,
    Photograph,
    Reader,
    Reading,
    Register,
    Review,
    Route,
    ServicePoint,
    Submission,
    ValidationSetting,
)


class LookOnly:
    """Rows that were written by what happened: nobody adds, changes or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Undeletable:
    """Rows that others refer to for good."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ContactInline(admin.TabularInline):
    model = AccountContact
    extra = 0


class RegisterInline(admin.TabularInline):
    model = Register
    extra = 0


class PhotographInline(LookOnly, admin.TabularInline):
    model = Photograph
    fields = ("origin", "sha256", "sent_at", "read_at", "model", "milliseconds")


class JudgementInline(LookOnly, admin.TabularInline):
    model = Judgement
    fields = ("at", "actor", "verdict", "value", "confidence", "why")


@admin.register(Account)
class AccountAdmin(Undeletable, admin.ModelAdmin):
    list_display = ("number", "holder_name", "customer_class", "language")
    search_fields = ("number", "holder_name", "contacts__identifier")
    list_filter = ("customer_class", "language")
    inlines = (ContactInline,)
    show_full_result_count = False  # counting a million rows for a page of a hundred


@admin.register(ServicePoint)
class ServicePointAdmin(Undeletable, admin.ModelAdmin):
    list_display = ("number", "account", "commodity", "place", "district")
    search_fields = ("number", "account__number", "meters__serial")
    list_filter = ("commodity",)
    list_select_related = ("account",)
    autocomplete_fields = ("account",)
    show_full_result_count = False


@admin.register(Meter)
class MeterAdmin(Undeletable, admin.ModelAdmin):
    list_display = ("serial", "service_point", "installed_on", "removed_on")
    search_fields = ("serial", "service_point__number")
    list_select_related = ("service_point",)
    autocomplete_fields = ("service_point",)
    inlines = (RegisterInline,)
    show_full_result_count = False


@admin.register(ValidationSetting)
class ValidationSettingAdmin(admin.ModelAdmin):
    """How the rules of docs/validation.md are applied; no row without a class: as written there."""

    list_display = ("rule", "customer_class", "is_on", "limit", "holds_back", "owner")
    list_filter = ("rule",)
    autocomplete_fields = ("owner",)


@admin.register(Cycle)
class CycleAdmin(LookOnly, admin.ModelAdmin):
    """Opened with ``rasd cycle open``, which puts it on record."""

    list_display = ("name", "window_opens", "window_closes", "opened_at", "closed_at")


@admin.register(Submission)
class SubmissionAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("origin", "identifier", "service_point", "cycle", "typed", "sent_at")
    search_fields = ("identifier", "origin", "service_point__number")
    list_filter = ("cycle",)
    list_select_related = ("service_point", "cycle")
    inlines = (PhotographInline, JudgementInline)
    show_full_result_count = False


@admin.register(Reading)
class ReadingAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("service_point", "value", "source", "quality", "taken_at", "cycle")
    search_fields = ("service_point__number",)
    list_filter = ("source", "quality", "cycle")
    list_select_related = ("service_point", "cycle")
    show_full_result_count = False


@admin.register(Adoption)
class AdoptionAdmin(LookOnly, admin.ModelAdmin):
    list_display = (
        "receipt",
        "service_point",
        "cycle",
        "reading",
        "adopted_at",
        "actor",
        "why",
        "superseded_at",
    )
    search_fields = ("receipt", "service_point__number")
    list_filter = ("cycle",)
    list_select_related = ("service_point", "cycle", "reading")
    show_full_result_count = False


@admin.register(Review)
class ReviewAdmin(LookOnly, admin.ModelAdmin):
    list_display = (
        "submission",
        "opened_at",
        "why",
        "claimed_by",
        "closed_at",
        "closed_by",
        "outcome",
        "value",
    )
    list_filter = ("outcome",)
    list_select_related = ("submission", "claimed_by", "closed_by")
    show_full_result_count = False


@admin.register(Reader)
class ReaderAdmin(Undeletable, admin.ModelAdmin):
    """Here a reader is given his login, with which he sees his own record and answers."""

    list_display = ("code", "name", "user", "left_on")
    search_fields = ("code", "name")
    autocomplete_fields = ("user",)


@admin.register(Route)
class RouteAdmin(Undeletable, admin.ModelAdmin):
    list_display = ("number", "district", "reader")
    search_fields = ("number", "district", "reader__code", "reader__name")
    list_select_related = ("reader",)
    autocomplete_fields = ("reader",)


@admin.register(FieldRead)
class FieldReadAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("id", "reader", "service_point", "visited_at", "value", "no_access")
    list_select_related = ("reader", "service_point")
    search_fields = ("reader__code", "service_point__number")
    show_full_result_count = False
