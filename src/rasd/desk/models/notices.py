from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.mail import EmailMessage
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rasd.desk import signals
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.obligations import Obligation
from rasd.desk.models.queues import Queue
from rasd.desk.models.staff import Employee

SUPERVISORS = "supervisor"
"""The group to which the usual steps escalate; the console makes it when the database is migrated."""

WARNS_BEFORE = timedelta(minutes=10)
ESCALATES_FURTHER_AFTER = timedelta(hours=1)


class EscalationStep(models.Model):
    """Who is told, when an obligation of a queue comes near its time or passes it."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="escalation_steps")
    after = models.DurationField(_("after the time"), help_text=_("negative: before, as a warning"))
    role = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="+", help_text=_("empty: whoever owes it")
    )
    by_email = models.BooleanField(_("by e-mail too"), default=False)

    class Meta:
        ordering = ["after", "pk"]

    def __str__(self) -> str:
        return f"{self.queue}: {self.after} → {self.role or 'owner'}"

    @classmethod
    def usual(cls, queue: Queue) -> "list[EscalationStep]":
        """The steps of a queue for which nobody has said others: ten minutes before the time whoever owes it is warned; at
        the time he and the supervisors are told; an hour later the supervisors by e-mail too. Nothing where it has steps.
        """
        if queue.escalation_steps.exists():
            return []
        supervisors = Group.objects.filter(name=SUPERVISORS).first()
        steps = [cls(queue=queue, after=-WARNS_BEFORE), cls(queue=queue, after=timedelta())]
        if supervisors:
            steps.append(cls(queue=queue, after=timedelta(), role=supervisors))
            steps.append(cls(queue=queue, after=ESCALATES_FURTHER_AFTER, role=supervisors, by_email=True))
        for step in steps:
            step.save()
        return steps

    def moment(self, obligation: Obligation) -> datetime:
        """When it is to be taken, counted from the obligation's time in its queue's working time, back to its begin at most."""
        if self.after >= timedelta():
            return obligation.queue.due(obligation.due_at, self.after)
        left = -self.after
        spans = list(obligation.queue.hours.spans(obligation.since, obligation.due_at))
        for opened, closed in reversed(spans):
            if closed - opened >= left:
                return closed - left
            left -= closed - opened
        return obligation.since


class Escalation(models.Model):
    """A step was taken: once for each time that an obligation had."""

    obligation = models.ForeignKey(Obligation, models.CASCADE, related_name="escalations")
    step = models.ForeignKey(EscalationStep, models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["obligation", "step", "due_at"], name="each_step_once_a_time")
        ]


class Notice(models.Model):
    """Something that a user is to know: shown in the console until read, and sent by e-mail where that is wanted."""

    class Kind(models.TextChoices):
        GIVEN = "given", _("is yours now")
        WARNING = "warning", _("is due soon")
        LATE = "late", _("is late")
        MENTION = "mention", _("mentions you")
        HELD = "held", _("an answer is held")
        FAILED = "failed", _("could not be delivered")

    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    obligation = models.ForeignKey(Obligation, models.CASCADE, null=True, related_name="notices")
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="notices")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="notices")
    case = models.ForeignKey("desk.Case", models.CASCADE, null=True, related_name="notices")
    read_at = models.DateTimeField(null=True)
    email_wanted = models.BooleanField(default=False)
    email_begun_at = models.DateTimeField(
        null=True,
        help_text="when the mail server was called: without emailed_at, nobody knows whether it went out",
    )
    emailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["to", "-at"], name="notice_unread", condition=Q(read_at__isnull=True)),
            models.Index(
                fields=["at"], name="notice_to_email", condition=Q(email_wanted=True, emailed_at__isnull=True)
            ),
        ]

    @classmethod
    def tell(cls, user: User, kind: str, *, at: datetime, by_email: bool = False, **about: Any) -> "Notice":
        """``user`` is to know it; by e-mail too, where that is wanted and the user has an address.

        Args:
            about: any of ``obligation``, ``message``, ``conversation``, ``case``.
        """
        obligation = about.get("obligation")
        if obligation is not None:
            about.setdefault("conversation", obligation.conversation)
            about.setdefault("case", obligation.case)
        with transaction.atomic():
            notice = cls.objects.create(
                to=user, kind=kind, at=at, email_wanted=by_email and bool(user.email), **about
            )
            signals.notice_told.send(cls, notice=notice)
            return notice

    @classmethod
    def unread(cls, user: User) -> "models.QuerySet[Notice]":
        """The newest first."""
        rows = cls.objects.filter(to=user, read_at=None).order_by("-at", "-pk")
        return rows.select_related("obligation__queue", "conversation__contact", "case", "message")

    @classmethod
    def read_about(cls, user: User, *, at: datetime, **about: Any) -> int:
        """``user`` has opened what they are about (a ``conversation`` or a ``case``): they are read. How many."""
        return cls.objects.filter(to=user, read_at=None, **about).update(read_at=at)

    def read(self, *, at: datetime) -> None:
        """Seen by whom it is for."""
        if self.read_at is None:
            self.read_at = at
            self.save(update_fields=["read_at"])

    # By e-mail.

    def email(self, *, at: datetime) -> bool:
        """Send it; whether it went out now. Once at most: where a process died while the mail server was being called, nobody
        knows whether it went, and it is not sent again. It stands in the console either way.

        Raises:
            OSError, smtplib.SMTPException: the server did not take it; to be tried again.
        """
        begun = Notice.objects.filter(pk=self.pk, email_wanted=True, email_begun_at=None)
        if not begun.update(email_begun_at=at):
            return False
        try:
            self._as_email().send()
        except Exception:
            Notice.objects.filter(pk=self.pk).update(email_begun_at=None)
            raise
        Notice.objects.filter(pk=self.pk).update(emailed_at=at)
        return True

    def _as_email(self) -> EmailMessage:
        """In the receiver's language. Nothing of what a customer said: mail lies in too many places."""
        with translation.override(self._language()):
            lines = []
            if (case := self.case) and case.contact and case.contact.name:
                lines.append(gettext("Customer: %(name)s") % {"name": " ".join(case.contact.name.split())})
            if owed := self.obligation:
                due = date_format(timezone.localtime(owed.due_at), "j F H:i")
                lines.append(gettext("Due: %(when)s") % {"when": due})
                lines.append(gettext("Queue: %(queue)s") % {"queue": owed.queue})
                owner = owed.owner.get_full_name() or owed.owner.get_username() if owed.owner else "–"
                lines.append(gettext("With: %(owner)s") % {"owner": owner})
            lines.append(gettext("Read it in the console, where it is among your notices."))
            if address := self._address():
                lines.append(address)
            return EmailMessage(
                subject=gettext("%(utility)s: %(what)s %(happened)s")
                % {
                    "utility": settings.UTILITY_NAME,
                    "what": self._what(),
                    "happened": self.get_kind_display(),
                },
                body="\n".join(lines),
                to=[self.to.email],
            )

    def _what(self) -> str:
        """As staff call it: a case by its reference, else whoever the conversation is with."""
        if self.case:
            return gettext("Request %(reference)s") % {"reference": self.case.reference}
        if self.conversation is None:
            return ""
        name = " ".join(self.conversation.contact.name.split())  # a line's end would end the subject
        return name or gettext("Conversation %(number)s") % {"number": self.conversation.pk}

    def _address(self) -> str:
        """Its page in the console, where the receiver may open that; empty where the address of this site is not set
        (``RASD_PUBLIC_URL``)."""
        if not settings.PUBLIC_URL:
            return ""
        if self.case:
            return f"{settings.PUBLIC_URL}{reverse('console:case', args=[self.case.pk])}"
        if self.conversation and self.to.has_perm("desk.change_conversation"):
            return f"{settings.PUBLIC_URL}{reverse('console:conversation', args=[self.conversation.pk])}"
        if self.obligation:
            return f"{settings.PUBLIC_URL}{reverse('console:obligation_account', args=[self.obligation.pk])}"
        return f"{settings.PUBLIC_URL}{reverse('console:notices')}"

    def _language(self) -> str:
        """The installation's, but for an employee who does not answer in it: his first."""
        employee = Employee.objects.filter(user=self.to).first()
        if employee is None or not employee.languages or settings.LANGUAGE_CODE in employee.languages:
            return settings.LANGUAGE_CODE
        return employee.languages[0]
