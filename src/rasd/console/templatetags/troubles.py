"""What the page of troubles says: what failed, why, and the way back."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from rasd.console import faults
from rasd.console.templatetags.console import ltr

register = template.Library()


@register.filter
def job_words(task_name: str) -> Any:
    """What a job was to do, for those who do not know its name."""
    return next((said for end, said in JOBS.items() if task_name.endswith(end)), task_name)


JOBS = {
    "jobs.receive": gettext_lazy("Take in a customer's message"),
    "jobs.look": gettext_lazy("Take in a customer's photograph"),
    "jobs.ask_again": gettext_lazy("Ask a customer to send a file again"),
    "jobs.read": gettext_lazy("Read a photograph"),
    "jobs.shadow": gettext_lazy("Read a photograph with the eye on trial"),
    "jobs.forget": gettext_lazy("Delete what is kept no longer"),
    "jobs.still_reading": gettext_lazy("Tell a customer that reading takes longer"),
    "jobs.judge": gettext_lazy("Decide on a reading and answer the customer"),
    "jobs.answer_review": gettext_lazy("Tell a customer what the reviewer decided"),
    "jobs.sweep": gettext_lazy("Look for what was left undone"),
    "jobs.sort": gettext_lazy("Sort a delivery of the channel into messages"),
    "jobs.fetch": gettext_lazy("Fetch a customer's file"),
    "jobs.send": gettext_lazy("Send an answer"),
    "ledger.jobs.verify": gettext_lazy("Verify the ledger"),
    "jobs.draw_account": gettext_lazy("Draw the account of who owed what from the ledger"),
}


@register.filter
def fault(words: str) -> SafeString:
    """What was written down of a trouble, in the reader's language as far as it is known."""
    return faults.told(words)


@register.simple_tag
def failure(outgoing: Any) -> SafeString:
    """What the channel said, with its code once: most of what it says begins with it."""
    code, words = outgoing.error_code, faults.told(outgoing.error_words)
    if code is None or str(code) in outgoing.error_words:
        return words
    return format_html("{}{}{}", ltr(code), ": " if words else "", words)


@register.simple_tag
def delivery_faults(delivery: Any) -> SafeString:
    lines = delivery.trouble.splitlines()
    kept = (
        [*lines[:LINES_SHOWN], f"… and {len(lines) - LINES_SHOWN} more"]
        if len(lines) > LINES_SHOWN
        else lines
    )
    return faults.told("\n".join(kept), until=delivery.received_at)


@register.simple_tag
def delivery_to_do(delivery: Any) -> str:
    return " ".join(str(each) for each in faults.to_do(delivery.trouble, until=delivery.received_at))


LINES_SHOWN = 8  # of what was not understood in one delivery; the page is no log


@register.filter
def refusal_words(reason: str) -> Any:
    said = {
        "unsigned": gettext_lazy("no signature"),
        "wrong signature": gettext_lazy("a wrong signature"),
        "no app secret": gettext_lazy("RASD_WHATSAPP_APP_SECRET is not set here"),
        "too large": gettext_lazy("too large"),
        "handshake": gettext_lazy("the handshake came with a wrong verify token"),
    }
    return said.get(reason, reason)


@register.inclusion_tag("console/_settled.html", takes_context=True)
def settled_form(context: dict[str, Any], subject: str) -> dict[str, Any]:
    """The way back, right after something was settled."""
    kind, _colon, pk = subject.partition(":")
    known = kind in {"media", "outgoing", "delivery", "refusal", "webhook"} and pk.isdigit()
    return {"kind": kind if known else "", "pk": pk, "csrf_token": context.get("csrf_token")}
