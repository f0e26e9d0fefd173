"""What may be written to a customer who did not write: texts that Meta has approved, in each language."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

PLACEHOLDER = re.compile(r"\{\{(\d+)\}\}")

FALLBACK = "ar"
"""The language of those whose own has no template."""


class ApprovedTemplate(models.Model):
    """A template as Meta approved it: its name, its language's code, and its text with ``{{1}}`` for what is filled in."""

    class Use(models.TextChoices):
        START = "start", _("reminder at the window's start")
        ENDING = "ending", _("reminder before the window's end")
        VISIT = "visit", _("did the reader come?")
        ESTIMATE = "estimate", _("this bill is an estimate")

    FILLED = {
        Use.START: ("first day", "last day", "address of the account's page"),
        Use.ENDING: ("first day", "last day", "address of the account's page"),
        Use.VISIT: ("day of the visit", "place"),
        Use.ESTIMATE: ("place", "month", "estimated use", "first day", "last day"),
    }
    """What stands for ``{{1}}``, ``{{2}}`` …, by use. A template of :attr:`Use.VISIT` has two quick replies, yes and no."""

    use = models.CharField(max_length=10, choices=Use)
    language = models.CharField(max_length=5, help_text="the customer's: ar, en")
    name = models.CharField(max_length=512, help_text="as WhatsApp Manager shows it")
    code = models.CharField(max_length=10, help_text="of its language with Meta: ar, en, en_US")
    body = models.TextField(help_text="its text as approved, with {{1}}, {{2}} …")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["use", "language"], name="one_template_a_use")]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def clean(self) -> None:
        wanted = self.FILLED.get(self.Use(self.use), ()) if self.use in self.Use.values else ()
        found = {int(number) for number in PLACEHOLDER.findall(self.body)}
        if found != set(range(1, len(wanted) + 1)):
            raise ValidationError(
                {"body": _("It must have {{1}} to {{%(n)s}}, and no others.") % {"n": len(wanted)}}
            )

    @classmethod
    def in_language(cls, use: str, language: str) -> "ApprovedTemplate | None":
        """For a customer of ``language``; in :data:`FALLBACK` where there is none in his; None where there is neither."""
        found = {one.language: one for one in cls.objects.filter(use=use)}
        return found.get(language) or found.get(FALLBACK)

    def text(self, parameters: Sequence[str]) -> str:
        """What the customer reads."""
        return PLACEHOLDER.sub(lambda at: parameters[int(at[1]) - 1], self.body)

    def content(self, parameters: Sequence[str], buttons: Sequence[str] = ()) -> dict[str, object]:
        """As :meth:`Outgoing.queue` takes it. ``buttons``: the ids of its quick replies."""
        template = {"name": self.name, "language": self.code, "parameters": list(parameters)}
        return {"template": template | ({"buttons": list(buttons)} if buttons else {})}
