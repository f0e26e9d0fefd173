"""What the desk refuses, each with what the page needs to say why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from rasd.desk.models import Conversation, Employee, HeldAnswer, Obligation


class Claimed(Exception):
    """Somebody else is answering in the conversation.

    Attributes:
        holder: who.
        since: from when on.
    """

    def __init__(self, holder: User, since: datetime) -> None:
        super().__init__(f"{holder.get_username()} has been answering since {since.isoformat()}")
        self.holder = holder
        self.since = since


class AnsweredMeanwhile(Claimed):
    """Somebody else has answered in the case after what the writer's page showed; there is nowhere to hold the answer."""

    def __init__(self, holder: User, since: datetime) -> None:
        super().__init__(holder, since)
        self.args = (
            f"{holder.get_username()} answered at {since.isoformat()}, after what you had read: read it, and then send",
        )


class AnswerHeld(Exception):
    """The answer was not sent: somebody else has the conversation, or has answered in it meanwhile.

    It is raised *after* the held answer was written: a caller that wraps the reply in a transaction of its own catches
    this inside of it, or what was typed would be rolled back.

    Attributes:
        held: the answer, for both to decide on.
    """

    def __init__(self, held: HeldAnswer) -> None:
        super().__init__(f"held: {held.other.get_username()} has the conversation or has answered in it")
        self.held = held


class Settled(Exception):
    """A held answer was decided on before, the other way; the message says how."""


class StillOwed(Exception):
    """The conversation cannot be closed: something in it is owed to the customer, or to be decided on.

    Attributes:
        what: ``answer``, ``promise``, ``case`` or ``held``, which is an answer that is neither sent nor dropped.
    """

    def __init__(self, what: str) -> None:
        words = "held answer" if what == "held" else what
        super().__init__(f"cannot be closed: in it, one {words} is open; settle it first")
        self.what = what


class NotMerged(Exception):
    """Two contacts cannot be made one, or a merge cannot be undone; the message says why."""


class GoesOnElsewhere(Exception):
    """A closed conversation is neither opened again nor answered in: between the same two another is open.

    Attributes:
        other: that one.
    """

    def __init__(self, other: Conversation) -> None:
        super().__init__(f"{other} is open between the same two: go on there")
        self.other = other


class IsClosed(Exception):
    """Nothing is answered or promised in a conversation that is over."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(f"{conversation} is closed: open it again, and then answer")


class NotInThisStage(Exception):
    """It cannot be done now; the message says why and what can be done instead."""


class CannotReceive(Exception):
    """The customer could not receive the answer where it was to be written (G11); the message says what can be done."""


class NotWaivable(Exception):
    """It cannot be said to need no answer: it is a promise, or work on a case."""

    def __init__(self, owed: Obligation) -> None:
        super().__init__(
            f"{owed} is {owed.get_kind_display()}: only an answer can be waived, a promise is kept, and work on a case"
            " ends with its closing answer"
        )


class NotTheirs(Exception):
    """Somebody decides on what is neither his nor, as he leads nobody, his to decide."""


class NotOnShift(Exception):
    """Nobody is given what they cannot look at now. Its words are for people, and translated.

    Attributes:
        back_at: when they come on shift again; None: not within a year.
    """

    def __init__(self, who: Employee, back_at: datetime | None) -> None:
        self.back_at = back_at
        if back_at is None:
            words = gettext("%(who)s is not on shift. Give it to somebody else, or to the queue.")
        else:
            words = gettext(
                "%(who)s is not on shift before %(when)s. Give it to somebody else, or to the queue."
            )
        when = date_format(timezone.localtime(back_at), "j F H:i") if back_at else ""
        super().__init__(words % {"who": who, "when": when})


class NotTheirLine(Exception):
    """Nobody is given what they would not find: they are limited to other lines. Its words are for people, and translated."""

    def __init__(self, who: User) -> None:
        words = gettext("%(who)s does not see this line. Give it to somebody else, or to a queue.")
        super().__init__(words % {"who": who.get_full_name() or who.get_username()})


class LastOne(Exception):
    """Without this person nobody would be left for what nobody else can take. Its words are for people, and translated."""

    def __init__(self, who: Employee) -> None:
        words = gettext(
            "%(who)s is the last one in the queue of last resort. Put somebody else into it first."
        )
        super().__init__(words % {"who": who})
