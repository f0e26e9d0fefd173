from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef

from rasd.desk.models.case_records import CaseEntry, Rating
from rasd.desk.models.conversations import Conversation

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case  # noqa: F401 (named in a string below)

CLOSED = "closed"


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> "CaseQuerySet":
        return self.exclude(stage=CLOSED)

    def solved(self) -> "CaseQuerySet":
        """Closed at the first try: never reopened, not brought up again within a week, and the customer does not say
        that it is not solved."""
        reopened = CaseEntry.objects.filter(case=OuterRef("pk"), kind=CaseEntry.Kind.REOPENED)
        again = self.model.objects.filter(repeats=OuterRef("pk"))
        unsolved = Rating.objects.filter(closing=OuterRef("closing_answer"), score=Rating.Score.UNSOLVED)
        return self.filter(~Exists(reopened), ~Exists(again), ~Exists(unsolved), stage=CLOSED)

    def of_chat(self, conversation: Conversation) -> "CaseQuerySet":
        """Whose answers go where ``conversation`` goes: it, or an earlier one of the same line and address."""
        return self.filter(
            conversation__line=conversation.line_id, conversation__address=conversation.address_id
        )
