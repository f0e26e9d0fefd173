"""What the demo shows of a month beside the one photograph: reminders to those who have not read, the page of an account, and
"did the reader come?"."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from rasd.channels.whatsapp.emulator.client import Emulator
from rasd.flows.models import ApprovedTemplate, Reminder, VisitSample
from rasd.flows.models.links import url_for, url_of
from rasd.flows.models.reminders import occasion_at
from rasd.metering.models import AccountContact, Cycle, FieldRead, Reader, ServicePoint

TEMPLATES = {
    ("start", "ar"): "حان وقت قراءة عدادك: أرسل صورته هنا من {{1}} إلى {{2}}، أو من هذه الصفحة: {{3}}\n"
    "لإيقاف التذكير اكتب: إيقاف",
    (
        "start",
        "en",
    ): "It is time to read your meter: send its photograph here from {{1}} to {{2}}, or on this page: {{3}}\n"
    "To end reminders write: STOP",
    (
        "ending",
        "ar",
    ): "لم تصلنا قراءة عدادك بعد. الفترة من {{1}} إلى {{2}}، فأرسل صورته هنا أو من هذه الصفحة: {{3}}\n"
    "لإيقاف التذكير اكتب: إيقاف",
    (
        "ending",
        "en",
    ): "We have no reading of your meter yet. The days are {{1}} to {{2}}: send its photograph here, or on"
    " this page: {{3}}\nTo end reminders write: STOP",
    (
        "visit",
        "ar",
    ): "سؤال قصير يُطرح على عدد قليل من العملاء بالقرعة: هل جاء قارئ العدادات يوم {{1}} إلى {{2}}؟",
    (
        "visit",
        "en",
    ): "A short question, asked of a few customers drawn at random: did our meter reader come on {{1}} to"
    " {{2}}?",
}
"""By use and language; what a utility would have approved by Meta."""


def show(phone: str, emulator: Emulator, console: str, *, say: Callable[[str], None]) -> None:
    """Play it for the customer with ``phone`` , who has read, and for those who have not."""
    at = timezone.now()
    for (use, language), body in TEMPLATES.items():
        name = f"rasd_{use}"
        emulator.add_template(name, body, language)
        ApprovedTemplate.objects.get_or_create(
            use=use, language=language, defaults={"name": name, "code": language, "body": body}
        )
    identifier = f"tel:+{phone.lstrip('+')}"
    point = ServicePoint.of(identifier).select_related("account").first()
    cycle = Cycle.latest(at, point)
    if point is None or cycle is None:
        raise LookupError(f"no service point of {identifier}, or no cycle is open")
    for known in AccountContact.objects.filter(identifier__startswith="tel:").values_list(
        "identifier", flat=True
    ):
        emulator.phone(known.removeprefix("tel:"))  # else nobody has WhatsApp there
    occasion = occasion_at(cycle.days_of(point), at) or Reminder.Occasion.START
    reminder = Reminder.begin(cycle, occasion, at=at)
    written = reminder.go_on(at)
    say(
        f"reminders: {reminder.drawn} contacts have not read, {written} are written to now; who has read is not"
    )
    reader, _is_new = Reader.objects.get_or_create(code="R-1", defaults={"name": "قارئ تجريبي"})
    FieldRead.objects.create(
        reader=reader,
        service_point=point,
        cycle=cycle,
        key="demo-1",
        visited_at=at - timedelta(days=1),
        no_access=FieldRead.NoAccess.LOCKED,
    )
    if sample := VisitSample.draw(at, share=1):
        say(f"«did the reader come?» is asked of {sample.asked} customer: two buttons on the phone above")
    say(f"how the bill came about:  {url_for(point.account, identifier, at)}")
    say(f"progress, with a stop:    {console}/cycle/{cycle.name}/reminders")
    reminded = reminder.recipients.exclude(outgoing=None).select_related("contact__account").first()
    if reminded is not None:
        theirs = emulator.phone(reminded.identifier.removeprefix("tel:"))
        say(f"a phone that is reminded: {emulator.url}/phone/{theirs.key}")
        say(f"its owner's camera page:  {url_of(reminded.contact, at)}camera")
