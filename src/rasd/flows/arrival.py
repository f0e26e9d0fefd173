"""A message has arrived: into its conversation, where people see it; then understood, and answered or handed on.

The answer and a ``Handling`` that marks it as given are one transaction, so a job that runs twice, after a crash, changes
nothing the second time.
"""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation

from rasd.channels.models import Incoming, Line
from rasd.desk.models import Conversation, HandOver, Message, Queue
from rasd.flows import cases, identity, optouts, tongue, words
from rasd.flows.answering import (
    ask_whose,
    confirm,
    decline,
    has_review,
    judge_and_answer,
    origin_of,
    submission_identified,
)
from rasd.flows.live import announce, said_in
from rasd.flows.models import Dialogue, Handling
from rasd.flows.models.visits import answer as answer_visit
from rasd.flows.speaking import (
    dialogue_of,
    hand_over,
    hold,
    log,
    logging_of,
    say,
)
from rasd.flows.unanswered import FILES, SAYS_NOTHING, is_one_too_many
from rasd.language import NumberFound, Understanding, understand
from rasd.metering.models import Cycle, ServicePoint, Submission

Kind = Incoming.Kind
Expecting = Dialogue.Expecting

MISUNDERSTANDINGS_ALLOWED = 1


class Arrival:
    """One incoming message on its way through the house."""

    def __init__(self, incoming: Incoming, *, at: datetime) -> None:
        self.incoming, self.at = incoming, at
        self.identifier = incoming.address.identifier
        self.understood: Understanding = understand(incoming.text)

    def receive(self) -> None:
        with transaction.atomic():  # people see it, whatever becomes of the answer
            self.message = Conversation.take_in(self.incoming)
            self.conversation = self.message.conversation
            announce(*said_in(self.conversation))
        with transaction.atomic():
            hold(self.conversation)
            if Handling.objects.filter(incoming=self.incoming).exists():
                return
            Handling.objects.create(incoming=self.incoming, at=self.at)
            with logging_of(self.conversation):
                log.info("received", kind=self.incoming.kind, message=self.incoming.external_id)
                if self.incoming.kind not in SAYS_NOTHING:
                    self._learn_language()
                    with translation.override(self.conversation.language):
                        self._answer()

    def give_up(self, error: Exception) -> None:
        """The machine failed at it again and again: it is a person's, and the customer's next messages need not wait."""
        with transaction.atomic():
            self.message = Conversation.take_in(self.incoming)
            self.conversation = self.message.conversation
            Handling.objects.get_or_create(
                incoming=self.incoming,
                defaults={"at": self.at, "trouble": f"{type(error).__name__}: {error}"},
            )
            with translation.override(self.conversation.language):
                self._hand_over_by_machine("an error of ours")
            announce("troubles")

    def _learn_language(self) -> None:
        """A name that was asked for tells nothing of the language a person speaks."""
        told = tongue.told_by(self.incoming, spoken=self.conversation.language)
        if told and dialogue_of(self.conversation).expecting != Expecting.NAME:
            self.conversation.speak(told)

    def _answer(self) -> None:
        pressed = self.incoming.button_id
        if pressed.startswith("rate:") and cases.rate(self.message, pressed, at=self.at):
            return
        if optouts.hear(self.message, at=self.at):
            return
        if pressed.startswith("visit:") and answer_visit(self.incoming, at=self.at):
            thanks = words.thanks_for_visit()
            key = f"visit-answered:{self.message.pk}"
            say(self.conversation, thanks, key=key, at=self.at, answers=self.incoming, of_hand_over=True)
            return
        if self._has_cases:
            cases.show(self.message, at=self.at, expects_answer=self._expects_answer)
        if (
            self._expects_answer
            and self._has_cases
            and self.incoming.kind == Kind.TEXT
            and cases.free_word(self.message, at=self.at)
        ):
            return
        complained_of = cases.complaint(self.message, at=self.at)
        if pressed == "person" or self.understood.wants_human:
            if not pressed:
                cases.case_of(self.message, at=self.at)
            hand_over(
                self.conversation,
                self.message,
                wish=HandOver.Wish.CUSTOMER,
                why=self.incoming.text[:300],
                at=self.at,
                queue=complained_of.work.home if complained_of and complained_of.work else None,
            )
        elif complained_of:
            cases.to_people(complained_of, self.message, at=self.at, wish=HandOver.Wish.COMPLAINT)
        elif self.conversation.is_with_people:
            self._while_with_people()
        elif self.incoming.line.purpose != Line.Purpose.READINGS:
            if not (self._expects_answer and self._of_a_case()):
                self._hand_over_by_machine("this line is for people")
        elif is_one_too_many(self.message, at=self.at):
            self._hand_over_by_machine("a third message without an answer")
        elif pressed:
            self._press(pressed)
        elif self.incoming.kind in {Kind.TEXT, Kind.BUTTON, Kind.EDIT}:
            self._read_text()
        elif self.incoming.kind in FILES:
            pass
        elif self.incoming.kind == Kind.UNSUPPORTED:
            self._say(words.not_understood(), "unsupported")
        elif not self._of_a_case():
            self._say(words.only_people_understand(), "for-people")
            self._hand_over_by_machine(f"a message of kind {self.incoming.kind}")

    def _while_with_people(self) -> None:
        if self.incoming.button_id == "robot" or self.understood.wants_robot:
            self._back_to_the_machine()
        elif self._expects_answer and not self._of_a_case():
            self.conversation.owe(self.message, queue=Queue.standing(Queue.Purpose.FIRST_LINE))

    @property
    def _expects_answer(self) -> bool:
        """Not of people who thank; of every picture, voice note and button it is expected."""
        return self.incoming.kind != Kind.TEXT or self.understood.expects_answer

    @cached_property
    def _has_cases(self) -> bool:
        """Whether there ever was one in this chat: asked once, before this message opens one."""
        return cases.has_any(self.message)

    def _of_a_case(self) -> bool:
        """Whether it is about a case of theirs, whose people answer it then."""
        of_the_meter = self.incoming.line.purpose == Line.Purpose.READINGS and (
            self.incoming.kind in FILES or self.understood.reading is not None
        )
        case = None
        if self.incoming.kind != Kind.BUTTON and self._has_cases:
            case = cases.case_of(self.message, at=self.at, reopens=not of_the_meter)
        if case:
            cases.to_people(case, self.message, at=self.at)
        return case is not None

    def _back_to_the_machine(self) -> None:
        """What people owed is the machine's again, but for what a reviewer still has to look at."""
        self.conversation.give_back(at=self.at, actor=f"customer:{self.identifier}")
        rounds = ((point, Cycle.latest(self.at, point)) for point in self._their_points())
        theirs = [point.adoption_in(cycle) for point, cycle in rounds if cycle]
        told = self._say(words.robot_again([adoption for adoption in theirs if adoption]), "robot-again")
        owed = self.conversation.owed
        if owed and has_review(self.conversation):
            owed.move(
                Queue.standing(Queue.Purpose.PHOTOGRAPHS), at=self.at, actor=f"customer:{self.identifier}"
            )
        elif owed and told:
            owed.answer_with(told)

    # Buttons carry what they are about, so that an old one still means what it said.

    def _press(self, pressed: str) -> None:
        verb, _, rest = pressed.partition(":")
        about, _, value = rest.partition(":")
        submission = (
            Submission.objects.filter(pk=about, identifier=self.identifier).first()
            if about.isdigit()
            else None
        )
        if submission is None:
            self._misunderstood()
        elif verb in {"yes", "replace"} and (number := _decimal(value)) is not None:
            confirm(self.conversation, submission, number, message=self.message, at=self.at)
        elif verb == "no":
            decline(self.conversation, submission, message=self.message, at=self.at)
        elif verb == "keep":
            dialogue_of(self.conversation).expect(Expecting.NOTHING, at=self.at)
            self._say(words.kept(), "kept")
        elif verb == "point" and (
            point := self._their_points().filter(pk=value if value.isdigit() else 0).first()
        ):
            self._point_chosen(submission, point)
        else:
            self._misunderstood()

    def _read_text(self) -> None:
        dialogue = dialogue_of(self.conversation)
        expected = {
            Expecting.CONFIRMATION: self._read_confirmation,
            Expecting.VALUE: self._read_value,
            Expecting.SERVICE_POINT: self._read_point,
            Expecting.ACCOUNT: self._read_account,
            Expecting.NAME: self._read_name,
            Expecting.REPLACEMENT: self._read_replacement,
        }.get(Expecting(dialogue.expecting))
        if expected and dialogue.submission and expected(dialogue, dialogue.submission):
            return
        if self.understood.reading:
            self._number_typed(typed(self.understood.reading))
        elif self.understood.greeting:
            self._say(words.welcome(list(self._their_points()), self.at), "welcome")
        elif self.understood.expects_answer:
            self._misunderstood()

    # Each returns whether the message was the answer that was expected.

    def _read_confirmation(self, dialogue: Dialogue, submission: Submission) -> bool:
        asked = submission.judgement
        if self.understood.reading:
            return self._read_value(dialogue, submission)
        if self.understood.yes_no is True and asked and asked.value is not None:
            confirm(self.conversation, submission, asked.value, message=self.message, at=self.at)
            return True
        if self.understood.yes_no is False:
            decline(self.conversation, submission, message=self.message, at=self.at)
            return True
        return False

    def _read_value(self, dialogue: Dialogue, submission: Submission) -> bool:
        if not self.understood.reading:
            return False
        value = submission.meaning_of(typed(self.understood.reading))
        confirm(self.conversation, submission, value, message=self.message, at=self.at)
        return True

    def _read_point(self, dialogue: Dialogue, submission: Submission) -> bool:
        number = self._a_number_of_theirs()
        chosen = self._their_points().filter(number__iexact=number) | self._their_points().filter(
            account__number__iexact=number
        )
        if chosen.count() != 1:
            return False
        self._point_chosen(submission, chosen.get())
        return True

    def _read_account(self, dialogue: Dialogue, submission: Submission) -> bool:
        number = self._a_number_of_theirs()
        if not number:
            return False
        dialogue.expect(Expecting.NAME, at=self.at, submission=submission, account_number=number[:40])
        self._say(words.whose_name(), "whose-name")
        return True

    def _read_name(self, dialogue: Dialogue, submission: Submission) -> bool:
        account = identity.prove(
            identifier=self.identifier,
            account_number=dialogue.account_number,
            name=self.incoming.text,
            at=self.at,
        )
        if account:
            ask_whose(self.conversation, submission, message=self.message, at=self.at)
        elif left := identity.tries_left(self.identifier, self.at):
            dialogue.expect(Expecting.ACCOUNT, at=self.at, submission=submission)
            self._say(words.no_match(left), "no-match")
        else:
            self._hand_over_by_machine("could not prove whose account it is")
        return True

    def _read_replacement(self, dialogue: Dialogue, submission: Submission) -> bool:
        asked = submission.judgement
        if self.understood.yes_no is True and asked and asked.value is not None:
            confirm(self.conversation, submission, asked.value, message=self.message, at=self.at)
        elif self.understood.yes_no is False:
            dialogue.expect(Expecting.NOTHING, at=self.at)
            self._say(words.kept(), "kept")
        else:
            return False
        return True

    def _number_typed(self, digits: str) -> None:
        submission = Submission.from_number(
            identifier=self.identifier,
            origin=origin_of(self.incoming),
            typed=digits,
            sent_at=self.incoming.sent_at,
            received_at=self.incoming.received_at,
            conversation=str(self.conversation),
        )
        points = list(self._their_points()[:2])
        if len(points) == 1:
            submission.identify(points[0], at=self.at)
        judge_and_answer(submission.pk, at=self.at)

    def _point_chosen(self, submission: Submission, point: ServicePoint) -> None:
        dialogue_of(self.conversation).expect(Expecting.NOTHING, at=self.at)
        if adoption := submission.adoption:  # a row of an old list
            self._say(words.already_adopted(adoption), "point-again")
            return
        if submission.open_review:
            self._say(words.with_reviewer(submission), "point-in-review")
            return
        submission.identify(point, at=self.at)
        submission_identified(submission, at=self.at)

    def _their_points(self) -> QuerySet[ServicePoint]:
        return identity.points_of(self.incoming.address)

    def _a_number_of_theirs(self) -> str:
        """An account's or a service point's number, as customers type them: often indistinguishable from a reading."""
        found = self.understood.account_number or (self.understood.reading and self.understood.reading.digits)
        return str(found or next((number.digits for number in self.understood.numbers), "") or "")

    def _misunderstood(self) -> None:
        if self._of_a_case():
            return
        if self.incoming.kind == Kind.TEXT and (disputed := cases.dispute(self.message, at=self.at)):
            cases.to_people(disputed, self.message, at=self.at)
            return
        if dialogue_of(self.conversation).misunderstand() > MISUNDERSTANDINGS_ALLOWED:
            self._hand_over_by_machine("two messages in a row were not understood")
        else:
            self._say(words.not_understood(), "not-understood")

    def _hand_over_by_machine(self, why: str) -> None:
        hand_over(self.conversation, self.message, wish=HandOver.Wish.MACHINE, why=why, at=self.at)

    def _say(self, message: words.Say, about: str) -> Message | None:
        return say(
            self.conversation, message, key=f"{about}:{self.message.pk}", at=self.at, answers=self.incoming
        )


def typed(number: NumberFound) -> str:
    """The digits as they were typed, leading zeros kept, with their point: ``04521.3``."""
    if not number.decimals:
        return number.digits
    return f"{number.digits[: -number.decimals]}.{number.digits[-number.decimals :]}"


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
