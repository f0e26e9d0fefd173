"""Several workers at once, with real threads on the real database: no message twice, none lost, no deadlock."""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from rasd.channels import outbox, signals
from rasd.channels.models import Address, Channel, Delivery, Incoming, Line, Outgoing, StatusEvent
from tests.channels.doors import Cloud, envelope, status, text_message

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> None:
    """Run all in threads that start together; the first error of any is raised."""
    barrier, errors = threading.Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    if errors:
        raise errors[0]


def stored(*items: Iterable[dict], kind: str = "messages") -> list[Delivery]:
    return [
        Delivery.accept(Channel.WHATSAPP, json.dumps(envelope({kind: list(batch)})).encode())
        for batch in items
    ]


def test_the_same_delivery_sorted_by_four_workers_is_stored_and_told_once(line):
    (delivery,) = stored([text_message(n) for n in range(20)])
    told: list[int] = []
    signals.message_arrived.connect(
        lambda incoming, **_: told.append(incoming.pk), weak=False, dispatch_uid="t"
    )
    try:
        at_once(*[Delivery.objects.get(pk=delivery.pk).sort for _ in range(4)])
    finally:
        signals.message_arrived.disconnect(dispatch_uid="t")
    assert Incoming.objects.count() == 20
    assert sorted(told) == sorted(Incoming.objects.values_list("pk", flat=True))


def test_repeats_in_opposite_orders_do_not_lock_each_other_out(line):
    people = [f"9689000{n:04d}" for n in range(8)]
    messages = [
        text_message(n, **{"from": person, "from_user_id": f"OM.{person}"})
        for n, person in enumerate(people * 3)
    ]
    deliveries = stored(messages, messages[::-1], messages[12:] + messages[:12], messages)
    at_once(*[d.sort for d in deliveries])
    assert Incoming.objects.count() == len(messages)
    assert Address.objects.count() == len(people)
    assert not Delivery.objects.exclude(trouble="").exists()


def test_a_first_message_met_by_many_workers_makes_one_address(line):
    deliveries = stored(*[[text_message(n, from_user_id="OM.5")] for n in range(6)])
    at_once(*[d.sort for d in deliveries])
    assert Address.objects.count() == 1
    assert Incoming.objects.count() == 6


def test_two_workers_with_the_same_answer_send_it_once(line, customer, cloud: Cloud):
    outgoing = Outgoing.queue(line=line, address=customer, key="a", text="x")
    at_once(*[Outgoing.objects.get(pk=outgoing.pk).send for _ in range(4)])
    assert len(cloud.sent) == 1
    assert Outgoing.objects.get().state == Outgoing.State.ACCEPTED


def test_the_same_key_queued_by_many_is_one_row(line, customer):
    def queue() -> None:
        with transaction.atomic():
            Outgoing.queue(line=line, address=customer, key="same", text="x")

    at_once(*[queue] * 4)
    assert Outgoing.objects.count() == 1


def test_a_line_s_rate_holds_over_all_workers(line, cloud: Cloud):
    Line.objects.update(sends_per_second=25)
    queued = []
    for n in range(24):
        person = Address.objects.create(channel="whatsapp", user_id=f"OM.{n}", last_wrote_at=timezone.now())
        (delivery,) = stored([text_message(n, **{"from": "", "from_user_id": f"OM.{n}"})])
        delivery.sort()
        queued.append(Outgoing.queue(line=line, address=person, key=str(n), text="x"))
    began = timezone.now()

    def worker(mine: list[Outgoing]) -> Callable[[], None]:
        return lambda: [o.send() for o in mine] and None

    at_once(*[worker(queued[i::4]) for i in range(4)])
    took = (timezone.now() - began).total_seconds()
    assert len(cloud.sent) == 24
    assert took >= 23 / 25


def test_statuses_sorted_while_the_answer_is_being_recorded_are_not_lost(line, customer, cloud: Cloud):
    queued = [Outgoing.queue(line=line, address=customer, key=f"k{n}", text="x") for n in range(8)]
    deliveries = stored(
        *[[status(f"wamid.out.{n + 1}", name)] for n in range(8) for name in ("sent", "delivered")],
        kind="statuses",
    )

    at_once(
        lambda: [o.send() for o in queued],
        lambda: [d.sort() for d in deliveries],
        lambda: [d.sort() for d in deliveries[::-1]],
    )
    assert StatusEvent.objects.count() == 16
    outbox.merge_orphans(timezone.now())
    assert {o.state for o in Outgoing.objects.all()} == {Outgoing.State.DELIVERED}
