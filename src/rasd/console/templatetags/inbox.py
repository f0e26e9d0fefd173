"""Words and marks of the inbox."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rasd.console import roles
from rasd.console.templatetags.console import person
from rasd.desk.models import Notice
from rasd.desk.sight import seen

register = template.Library()


@register.filter
def name_of(user: Any) -> SafeString:
    """A colleague as colleagues call them."""
    if user is None:
        return mark_safe("")
    return format_html("<bdi>{}</bdi>", user.get_full_name() or user.get_username())


@register.filter
def moment_words(moment: datetime) -> str:
    """A moment to come as people say it: today 14:30, tomorrow 12:00, Tuesday 12:00, 24 December 12:00."""
    here = timezone.localtime(moment)
    days = (here.date() - timezone.localdate()).days
    clock = date_format(here, "H:i")
    if days == 0:
        return _("today %(time)s") % {"time": clock}
    if days == 1:
        return _("tomorrow %(time)s") % {"time": clock}
    day = date_format(here, "l" if 0 < days < 7 else "j F")
    return _("%(day)s %(time)s") % {"day": day, "time": clock}


@register.filter
def due_from(moment: datetime) -> str:
    """For the field of a chosen moment: not before the next minute, in the utility's time zone."""
    return f"{timezone.localtime(moment) + timedelta(minutes=1):%Y-%m-%dT%H:%M}"


@register.simple_tag
def right_now() -> datetime:
    return timezone.now()


FILE_KINDS = {
    "application/pdf": gettext_lazy("PDF"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": gettext_lazy("Word document"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": gettext_lazy("Excel sheet"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": gettext_lazy(
        "PowerPoint slides"
    ),
    "text/plain": gettext_lazy("Text"),
}


@register.filter
def file_kind(media: Any) -> Any:
    return FILE_KINDS.get(media.content_type, media.content_type)


# The bell


@register.inclusion_tag("console/_bell.html", takes_context=True)
def bell(context: dict[str, Any]) -> dict[str, Any]:
    """What this person is to know and has not read yet."""
    user: User = context["request"].user
    unread = list(seen(Notice.unread(user), user)[: BELL_SHOWS + 1])
    return {
        "notices": unread[:BELL_SHOWS],
        "count": f"{BELL_SHOWS}+" if len(unread) > BELL_SHOWS else len(unread),
        "topic": f"notices:{user.pk}" if user.has_perm(roles.CONVERSATIONS) else "",
        "csrf_token": context.get("csrf_token"),
    }


BELL_SHOWS = 9


NOTICES = {
    "given": gettext_lazy("%(about)s is yours now"),
    "warning": gettext_lazy("%(about)s is due soon"),
    "late": gettext_lazy("%(about)s is late"),
    "mention": gettext_lazy("A note about %(about)s mentions you"),
    "held": gettext_lazy("An answer to %(about)s is held: you or a colleague decide"),
    "failed": gettext_lazy("An answer to %(about)s could not be delivered"),
}


@register.simple_tag
def notice_words(notice: Any) -> SafeString:
    """What happened, and to what: a case by its reference, else the customer of the conversation."""
    owed = notice.obligation
    case = notice.case or (owed.case if owed else None)
    conversation = notice.conversation or (owed.conversation if owed else None)
    about: SafeString = mark_safe("")
    if case:
        about = format_html('<bdi dir="ltr">{}</bdi>', case.reference)
    elif conversation:
        about = person(conversation)
    words = str(NOTICES.get(notice.kind) or f"%(about)s: {notice.get_kind_display()}")
    before, _place, after = words.partition("%(about)s")
    return format_html("{}<strong>{}</strong>{}", before, about, after)


@register.simple_tag
def case_address(case: Any) -> str:
    """Its page; empty while there is none."""
    try:
        return reverse("console:case", args=[case.pk])
    except NoReverseMatch:
        return ""
