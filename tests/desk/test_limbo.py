"""G7, played: customers, agents, shifts, absences, leavers, crashes, clock changes; nothing ends in nobody's hands.

After each step a worker makes its pass. Then nobody's hands are empty, each open obligation has one place with somebody there,
nobody who has room is passed by, and the ledger says of each what its row says.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rasd.desk import hours
from rasd.desk.errors import AnswerHeld, Claimed, LastOne, NotOnShift, NotWaivable
from rasd.desk.models import Absence, Conversation, Employee, Message, Obligation, Queue
from rasd.ledger.models import Entry
from tests.desk.playing import Desk

START = datetime(2027, 3, 25, 7, tzinfo=UTC)
"""A Thursday; in Beirut the clocks go forward in the night to Sunday, the 28th."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MORNING = ((time(8), time(15)),)
SPLIT = ((time(8), time(12)), (time(16), time(20)))
NIGHT = (
    (time(0), time(6)),
    (time(20), time(0)),
)  # two shifts of a night, either side of midnight; through it they are one

nth = st.integers(0, 7)


class Crash(Exception):
    """The process died here."""


class Limbo(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.at = START
        self.desk = desk = Desk()
        self.boss = User.objects.create_user("boss")
        office = desk.hours("office", MORNING, zone="Asia/Beirut")
        split = desk.hours("split", SPLIT, days=(5, 6, 0, 1, 2), zone="Asia/Beirut")
        night = desk.hours("night", NIGHT, days=range(7), zone="Asia/Beirut")
        last = Queue.last_resort()
        night_desk = desk.queue("Night", within=HOUR)
        counter = desk.queue("Counter", calendar=office, falls_to=night_desk)
        complaints = desk.queue("Complaints", within=2 * HOUR, calendar=split, falls_to=counter)
        self.queues = [counter, complaints, night_desk]
        self.people = [
            desk.employee("noor", counter, calendar=office, languages=["ar"], capacity=2),
            desk.employee("salma", counter, complaints, calendar=office, capacity=3),
            desk.employee("aziz", complaints, calendar=split, languages=["en"], capacity=2),
            desk.employee("hilal", night_desk, calendar=night, capacity=1),
            desk.employee("root", last, night_desk, capacity=4),
        ]
        self.conversations: list[Conversation] = []
        self.on_their_way: list[Message] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    # Customers

    @rule(queue=nth, language=st.sampled_from(["ar", "en", "hi"]), ago=st.integers(0, 120))
    def somebody_writes(self, queue: int, language: str, ago: int) -> None:
        sent = self.at - ago * MINUTE
        owed = self.desk.owed(self.queues[queue % 3], sent, language=language)
        assert owed.conversation is not None
        self.conversations.append(owed.conversation)

    @precondition(lambda self: self.conversations)
    @rule(which=nth, queue=nth)
    def writes_again(self, which: int, queue: int) -> None:
        self.desk.owed(self.queues[queue % 3], self.at, conversation=self.conversation(which))

    # Agents

    @precondition(lambda self: self.conversations)
    @rule(which=nth, who=nth, arrives=st.sampled_from([True, False, None]), keeps=st.booleans())
    def answers(self, which: int, who: int, arrives: bool | None, keeps: bool) -> None:
        one = self.conversation(which)
        kept = [promise.pk for promise in one.promises] if keeps else []
        with suppress(AnswerHeld):  # somebody else has the conversation
            message = self.desk.answer(one, self.person(who).user, self.at, arrives=arrives, keeps=kept)
            if arrives is None:
                self.on_their_way.append(message)

    @precondition(lambda self: self.on_their_way)
    @rule(arrives=st.booleans())
    def an_answer_arrives_or_fails(self, arrives: bool) -> None:
        self.desk.outcome(self.on_their_way.pop(0), self.at, arrives=arrives)

    @precondition(lambda self: self.conversations)
    @rule(which=nth, who=nth, days=st.integers(1, 4))
    def promises(self, which: int, who: int, days: int) -> None:
        by = self.at + days * DAY
        with suppress(AnswerHeld):
            self.conversation(which).promise(
                "يوم غد",
                author=self.person(who).user,
                key=f"promise{next(self.desk.count)}",
                at=self.at,
                by=by,
            )

    @precondition(lambda self: self.conversations)
    @rule(which=nth, who=nth, force=st.booleans())
    def claims(self, which: int, who: int, force: bool) -> None:
        with suppress(Claimed):
            self.conversation(which).claim(self.person(who).user, at=self.at, by_force=force)

    @rule(which=nth, who=nth)
    def hands_on_to_a_colleague(self, which: int, who: int) -> None:
        def give(owed: Obligation) -> None:
            with suppress(NotOnShift):
                owed.give(self.person(who).user, at=self.at, actor="user:boss", why="asked for")

        self.with_open(which, give)

    @rule(which=nth, queue=nth)
    def hands_on_to_a_queue(self, which: int, queue: int) -> None:
        self.with_open(which, lambda owed: owed.move(self.queues[queue % 3], at=self.at, actor="user:boss"))

    @rule(which=nth)
    def waives(self, which: int) -> None:
        """Said of a promise or of work it is refused, and changes nothing."""

        def said(owed: Obligation) -> None:
            with suppress(NotWaivable):
                owed.waive(by=self.boss, at=self.at, why="thanks only")

        self.with_open(which, said)

    @rule(which=nth)
    def waits_for_the_customer(self, which: int) -> None:
        self.with_open(which, lambda owed: owed.pause(at=self.at, actor="user:boss"))

    @rule(which=nth)
    def goes_on(self, which: int) -> None:
        self.with_open(which, lambda owed: owed.resume(at=self.at, actor="user:boss"))

    # People come and go

    @rule(who=nth, begins=st.integers(0, 300), lasts=st.integers(1, 4000))
    def is_absent(self, who: int, begins: int, lasts: int) -> None:
        begins_at = self.at + begins * MINUTE
        if who % 5 != 4:  # somebody has to be left
            self.person(who).be_absent(begins_at, begins_at + lasts * MINUTE, "", by=self.boss, at=self.at)

    @rule(which=nth)
    def is_back(self, which: int) -> None:
        absences = list(Absence.objects.filter(ends_at__gt=self.at).order_by("pk"))
        if absences:
            absences[which % len(absences)].end(by=self.boss, at=self.at)

    @rule(who=nth)
    def leaves(self, who: int) -> None:
        with suppress(LastOne):
            self.person(who).leave(by=self.boss, at=self.at)

    @rule(who=nth)
    def returns(self, who: int) -> None:
        self.person(who).come_back(by=self.boss, at=self.at)

    @rule(who=st.integers(0, 3), is_active=st.booleans())
    def is_let_in_or_out_by_an_administrator(self, who: int, is_active: bool) -> None:
        user = self.person(who).user
        user.is_active = is_active
        user.save()

    @rule(who=nth, capacity=st.integers(0, 4))
    def can_do_more_or_less(self, who: int, capacity: int) -> None:
        Employee.objects.filter(pk=self.person(who).pk).update(capacity=capacity)

    @rule(queue=nth)
    def a_queue_loses_its_people(self, queue: int) -> None:
        self.queues[queue % 3].people.clear()

    @rule(queue=nth, who=nth)
    def somebody_joins_a_queue(self, queue: int, who: int) -> None:
        self.queues[queue % 3].people.add(self.person(who).user)

    # Time and crashes

    @rule(minutes=st.integers(1, 180))
    def time_passes(self, minutes: int) -> None:
        self.at += minutes * MINUTE

    @rule(days=st.integers(1, 3))
    def nobody_looks_for_days(self, days: int) -> None:
        """The workers were down, over a weekend or over the night in which the clocks change."""
        self.at += days * DAY

    @rule(after=st.integers(0, 3), what=st.sampled_from(["give", "move", "_record"]))
    def a_pass_crashes(self, after: int, what: str) -> None:
        """In the middle of the so-manieth deed: that one is undone, those before stay."""
        calls, deed = iter(range(after + 1)), getattr(Obligation, what)

        def dying(owed: Obligation, *args: object, **more: object) -> object:
            done = deed(owed, *args, **more)
            if next(calls, None) is None:
                raise Crash
            return done

        self.at += HOUR
        with mock.patch.object(Obligation, what, dying), suppress(Crash):
            self.desk.tick(self.at)

    @rule(which=nth)
    def a_deed_crashes(self, which: int) -> None:
        def half(owed: Obligation) -> None:
            with suppress(Crash, NotWaivable), transaction.atomic():
                owed.waive(by=self.boss, at=self.at)
                raise Crash

        self.with_open(which, half)

    # What is true after each step, when a worker has passed

    @invariant()
    def nothing_is_in_limbo(self) -> None:
        self.desk.tick(self.at)
        assert not list(Obligation.objects.in_nobodys_hands(self.at))
        self.look()
        self.each_has_one_place_with_somebody_there()
        self.nobody_with_room_is_passed_by()
        self.the_ledger_says_what_the_rows_say()

    def each_has_one_place_with_somebody_there(self) -> None:
        """Worked out anew, in the plainest way."""
        for owed in self.standing:
            if owed.owner_id is not None:
                assert self.comes[owed.owner_id] == self.at, (
                    f"{owed} lies with {owed.owner}, who is not there"
                )
                assert owed.owner_until is None or owed.owner_until > self.at
                continue
            until = owed.queue.due(self.at, owed.queue.answer_within)
            if owed.queue.is_last_resort:
                until = self.at + hours.LOOKS_AHEAD
            coming = [self.comes[each.user_id] for each in self.who_can(owed)]
            assert any(at and at <= until for at in coming), (
                f"{owed} lies in {owed.queue}, where nobody comes"
            )

    def nobody_with_room_is_passed_by(self) -> None:
        load = Counter(each.owner_id for each in self.standing if each.running_since)
        waiting = set(Obligation.objects.waiting().values_list("pk", flat=True))
        for owed in self.standing:
            if owed.pk in waiting:
                for each in self.who_can(owed):
                    has_room = self.comes[each.user_id] == self.at and load[each.user_id] < each.capacity
                    assert not has_room, f"{owed} waits, and {each} has room"

    def the_ledger_says_what_the_rows_say(self) -> None:
        told = dict(Entry.objects.order_by("number").values_list("subject", "facts"))
        for owed in Obligation.objects.select_related("owner", "queue"):
            facts = told[str(owed)]
            assert facts["owner"] == (owed.owner.username if owed.owner else None)
            assert facts["queue"] == owed.queue.name
            assert datetime.fromisoformat(facts["due_at"]) == owed.due_at

    # Helpers

    def conversation(self, which: int) -> Conversation:
        return Conversation.objects.get(pk=self.conversations[which % len(self.conversations)].pk)

    def person(self, who: int) -> Employee:
        return Employee.objects.select_related("user").get(pk=self.people[who % len(self.people)].pk)

    def with_open(self, which: int, deed: Callable[[Obligation], object]) -> None:
        standing = list(Obligation.objects.open().order_by("pk"))
        if standing:
            deed(standing[which % len(standing)])

    def look(self) -> None:
        """What stands, and who comes when (now, for who is there), read from the rows."""
        open_ = Obligation.objects.open().with_language().select_related("queue__calendar", "owner")
        self.standing = list(open_)
        employees = Employee.objects.select_related("user", "calendar")
        self.employees = {each.user_id: each for each in employees}
        self.comes = {
            each.user_id: hours.opens_at(each.hours, self.at) if each.user.is_active else None
            for each in self.employees.values()
        }
        self.serving = {
            queue.pk: [self.employees[user.pk] for user in queue.people.all()]
            for queue in Queue.objects.all()
        }

    def who_can(self, owed: Obligation) -> list[Employee]:
        people = self.serving[owed.queue_id]
        language = owed.language  # type: ignore[attr-defined]
        return (
            people if owed.queue.is_last_resort else [each for each in people if language in each.languages]
        )


@pytest.mark.django_db
def test_g7_nothing_ends_in_nobodys_hands_whatever_happens():
    run_state_machine_as_test(
        Limbo,
        settings=settings(
            max_examples=6,
            stateful_step_count=25,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
