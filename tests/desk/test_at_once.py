"""Several workers at once, each with its own connection and real transactions."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from rasd.desk import assigning
from rasd.desk.models import Obligation
from rasd.ledger.models import Entry, verify
from tests.desk.playing import MONDAY, Desk

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 6


def at_once(do: Callable[[], object], times: int = WORKERS) -> list[object]:
    """``do`` in so many threads that begin together."""
    start = threading.Barrier(times)

    def one() -> object:
        try:
            start.wait()
            return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [each.result(timeout=60) for each in [pool.submit(one) for _ in range(times)]]


def test_workers_who_pass_at_once_give_nothing_twice_and_fill_nobody_beyond_his_capacity():
    desk = Desk()
    queue = desk.queue()
    people = [desk.employee(f"user{number}", queue, capacity=3) for number in range(4)]
    for _ in range(30):
        desk.owed(queue)
    at_once(lambda: assigning.tick(MONDAY))
    assigning.tick(MONDAY)  # what one skipped because another had it in hand, and then had no room for
    assert [each.load(MONDAY) for each in people] == [3, 3, 3, 3]
    given = Entry.objects.filter(action="obligation.given").values_list("subject", flat=True)
    assert len(given) == len(set(given)) == 12
    assert Obligation.objects.waiting().count() == 18
    assert verify() is None


def test_what_somebody_is_at_work_on_is_left_for_the_next_pass():
    desk = Desk()
    queue = desk.queue()
    desk.employee("salma", queue)
    busy, free = desk.owed(queue), desk.owed(queue)
    with transaction.atomic():
        assert Obligation.hold(busy.pk)
        passed = at_once(lambda: assigning.give_out(queue, MONDAY), times=1)
    assert passed == [1]
    free.refresh_from_db()
    assert free.owner is not None
    assert assigning.give_out(queue, MONDAY) == 1


def test_two_who_give_the_same_thing_at_once_leave_a_ledger_that_says_what_the_row_says():
    desk = Desk()
    queue = desk.queue()
    people = [desk.employee(f"user{number}", queue) for number in range(WORKERS)]
    owed = desk.owed(queue)
    takers = iter(people)

    def take() -> None:
        user = next(takers).user
        Obligation.objects.get(pk=owed.pk).give(user, at=MONDAY, actor=f"user:{user.username}")

    at_once(take)
    owed.refresh_from_db()
    last = Entry.objects.filter(subject=str(owed)).latest("number")
    assert owed.owner is not None
    assert last.facts["owner"] == owed.owner.username
    assert verify() is None


def test_escalation_steps_are_taken_once_however_many_look():
    desk = Desk()
    queue = desk.queue()
    desk.employee("salma", queue)
    owed = desk.owed(queue)
    assigning.tick(MONDAY)
    steps = sum(each["steps"] for each in at_once(lambda: assigning.tick(owed.due_at)))
    assert steps == owed.escalations.count()
    assert Entry.objects.filter(action="obligation.escalated").count() >= 1
