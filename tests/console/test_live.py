"""The live stream against the real PostgreSQL: one listening connection, many pages, and what happens when it dies."""

import asyncio
import contextlib
import time
from typing import Any

import httpx
import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connection
from django.test import Client, RequestFactory

from rasd.console import live
from rasd.console.models import SecondFactorDemand
from rasd.flows.live import CHANNEL, announce
from tests.console.browsing import served

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch):
    monkeypatch.setattr(live, "LINGER", 0.0)


async def database() -> psycopg.AsyncConnection:
    return await live._connect()


async def announced(*topics: str) -> None:
    await sync_to_async(announce)(*topics)


async def listening() -> int:
    """How many connections listen for pages."""

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'rasd-live%'"
            )
            return cursor.fetchone()[0]

    return await sync_to_async(count)()


async def told(subscriber: live.Subscriber) -> set[str]:
    return await subscriber.changed(5)


@contextlib.asynccontextmanager
async def page(hub: live.Hub, *topics: str, **whose: Any):
    """An open page that has had its first look."""
    async with hub.subscribed(frozenset(topics), **whose) as subscriber:
        await asyncio.wait_for(hub.ready.wait(), 5)
        subscriber._changed.clear()
        subscriber._woken.clear()
        yield subscriber


def test_the_conductor_and_the_pages_mean_the_same_channel():
    assert live.CHANNEL == CHANNEL


async def test_a_page_is_told_what_it_asked_for_and_nothing_else():
    hub = live.Hub()
    async with page(hub, "conversation:1") as one, page(hub, "review") as other:
        await announced("conversation:1", "conversation:2")
        assert await told(one) == {"conversation:1"}
        assert await other.changed(0.2) == set()


async def test_what_changes_all_the_time_delays_no_word_of_the_open_conversation():
    hub = live.Hub()
    async with page(hub, "conversations", "conversation:1") as one:
        await announced("conversations")
        assert await told(one) == {"conversations"}
        await announced("conversations", "conversation:1")
        assert await one.changed(live.GATHER / 3) == {"conversation:1"}, "the other rests a while"
        assert await told(one) == {"conversations"}


async def test_a_hundred_pages_share_one_connection_and_the_last_one_closes_it():
    hub = live.Hub()
    async with contextlib.AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(hub, "review")) for _each in range(100)]
        assert await listening() == 1
        await announced("review")
        assert all([await told(each) == {"review"} for each in pages])
    for _each in range(50):
        if not await listening():
            break
        await asyncio.sleep(0.05)
    assert await listening() == 0


async def test_what_changed_between_the_page_and_its_stream_is_told_at_once():
    hub = live.Hub()
    async with page(hub, "review", "cycle") as early:
        await announced("review")
        await told(early)
        made = time.time()
        async with hub.subscribed(frozenset({"review", "cycle"}), since=made + live.SKEW + 1) as nothing_new:
            assert await nothing_new.changed(0.1) == set()
        hub._listens_since -= 100
        async with hub.subscribed(frozenset({"review", "cycle"}), since=made) as late:
            assert await late.changed(0.1) == {"review"}
        async with hub.subscribed(frozenset({"review", "cycle"}), since=made - live.REMEMBERED) as old:
            assert await old.changed(0.1) == {"review", "cycle"}, "too long ago to know: look at everything"


async def test_a_transaction_that_fails_tells_nobody():
    hub = live.Hub()

    def fails() -> None:
        from django.db import transaction

        with contextlib.suppress(RuntimeError), transaction.atomic():
            announce("review")
            raise RuntimeError

    async with page(hub, "review") as one:
        await sync_to_async(fails)()
        assert await one.changed(0.3) == set()


async def test_a_slow_page_holds_nothing_up_and_grows_nothing():
    hub = live.Hub()
    async with page(hub, "review", "cycle") as slow:
        for _each in range(500):
            slow.tell(frozenset({"review", "cycle", "conversation:1"}))
        assert len(slow._changed) == 2
        assert await told(slow) == {"review", "cycle"}
        assert await slow.changed(0.05) == set()


async def test_a_page_is_told_in_which_conversation_something_was_said_until_those_are_many():
    hub = live.Hub()
    async with page(hub, "owner:5", "conversation:17") as one:
        await announced("owner:5#17", "conversation:17#17", "owner:6#17")
        assert await told(one) == {"owner:5#17", "conversation:17#17"}
        one.tell(frozenset({"owner:5#18", "owner:5"}))
        assert one._changed == {"owner:5"}, "all of it is looked at: its rows too"
        for pk in range(500):
            one.tell(frozenset({f"owner:5#{pk}"}))
        assert one._changed == {"owner:5"}


async def test_numbers_are_told_to_those_who_show_them_and_only_those_that_are_others_now(
    person, monkeypatch
):
    monkeypatch.setattr(live, "GATHER", 0.0)
    monkeypatch.setattr(live, "NUMBERS_REST", 0.05)
    counted = {"conversations": "3", "cases": ""}
    monkeypatch.setattr(live.numbers, "told", lambda shown, at: {each: dict(counted) for each in shown})
    user: User = await sync_to_async(person)("agent")
    parts = aiter(await ask(user, "numbers"))
    assert (await anext(parts)).startswith(b"retry: ")
    assert await anext(parts) == b'event: numbers\ndata: {"conversations": "3", "cases": ""}\n\n'
    counted["cases"] = "1"
    await announced("cases")
    assert await anext(parts) == b'event: numbers\ndata: {"cases": "1"}\n\n'
    del counted["conversations"]
    await announced("owed")
    assert await anext(parts) == b'event: numbers\ndata: {"conversations": ""}\n\n', "it is his no more"
    await parts.aclose()


async def test_a_count_that_fails_is_made_again(monkeypatch):
    monkeypatch.setattr(live, "NUMBERS_REST", 0.01)
    tries = []

    def fails_once(shown, at):
        tries.append(at)
        if len(tries) == 1:
            raise ValueError("a fault of ours")
        return {each: {"cases": "1"} for each in shown}

    monkeypatch.setattr(live.numbers, "told", fails_once)
    hub = live.Hub()
    async with page(hub, "numbers", user=1) as one:
        await announced("owed")
        while not one.new_numbers:
            await announced("owed")
            await one.changed(1)
        assert one.new_numbers == {"cases": "1"}


async def test_who_is_limited_to_some_lines_is_told_of_no_conversation_by_its_number():
    """It may be one that he does not see."""
    hub = live.Hub()
    async with page(hub, "queue:3", names_them=False) as limited:
        await announced("queue:3#17")
        assert await told(limited) == {"queue:3"}


async def test_after_the_database_died_it_listens_again_and_everything_is_looked_at():
    hub = live.Hub()
    async with page(hub, "review", "cycle") as one:

        def kill() -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name LIKE 'rasd-live%'"
                )

        await sync_to_async(kill)()
        assert await told(one) == {"review", "cycle"}, (
            "what was announced meanwhile is lost, so look at everything"
        )
        await announced("cycle")
        assert await told(one) == {"cycle"}


async def test_it_goes_on_trying_while_the_database_is_away(monkeypatch):
    tries = 0

    async def away_twice() -> psycopg.AsyncConnection:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise psycopg.OperationalError("not there")
        return await database()

    monkeypatch.setattr(live, "FIRST_WAIT", 0.01)
    hub = live.Hub(away_twice)
    async with hub.subscribed(frozenset({"review"})) as one:
        assert await told(one) == {"review"}
    assert tries == 3


# The view


async def ask(user, *topics: str):
    request = RequestFactory().get("/live", {"topic": list(topics)})
    request.user = user
    return await sync_to_async(live.stream)(request)


@pytest.mark.parametrize(
    ("role", "topic", "status"),
    [
        ("reviewer", "review", 200),
        ("agent", "conversation:7", 200),
        ("agent", "conversations", 200),
        ("supervisor", "cycle", 200),
        ("supervisor", "troubles", 200),
        ("reviewer", "conversation:7", 204),
        ("reviewer", "numbers", 200),
        ("agent", "views", 200),
        ("reviewer", "views", 204),
        ("agent", "review", 204),
        ("agent", "nonsense", 400),
    ],
)
async def test_a_page_is_told_of_what_its_person_may_see(person, role, topic, status):
    user = await sync_to_async(person)(role)
    answer = await ask(user, topic)
    assert answer.status_code == status


async def test_nor_is_who_came_in_without_the_second_factor_that_is_demanded_of_him(person):
    def agent() -> User:
        user = person("agent")
        SecondFactorDemand.objects.create(group=Group.objects.get(name="agent"))
        user.is_verified = lambda: False
        return user

    user = await sync_to_async(agent)()
    assert (await ask(user, "numbers")).status_code == 204
    user.is_verified = lambda: True
    assert (await ask(user, "numbers")).status_code == 200


async def test_a_stranger_is_told_nothing_and_not_to_come_again():
    assert (await ask(AnonymousUser(), "review")).status_code == 204


async def test_the_stream_speaks_server_sent_events_and_lets_go_of_its_connection(person, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT", 0.2)
    monkeypatch.setattr(live, "GATHER", 0.0)
    user: User = await sync_to_async(person)("reviewer")
    answer = await ask(user, "review")
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["X-Accel-Buffering"] == "no"
    parts = aiter(answer)
    assert (await anext(parts)).startswith(b"retry: ")
    assert await anext(parts) == b"data: review\n\n"  # the first look, once it listens
    assert await sync_to_async(lambda: connection.connection)() is None, "no connection is held for a page"
    assert await anext(parts) == b": still here\n\n"
    await announced("review")
    assert await anext(parts) == b"data: review\n\n"
    await parts.aclose()


async def next_data(lines) -> str:
    async with asyncio.timeout(10):
        async for line in lines:
            if line.startswith("data: "):
                return line.removeprefix("data: ")
    raise AssertionError("the stream ended")


async def others() -> int:
    """Connections to this database that are not this test's own."""

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return cursor.fetchone()[0]

    return await sync_to_async(count)()


async def test_forty_open_pages_hold_one_connection_and_leave_none_behind(person):
    """Under uvicorn and all of the middleware, where each request has a thread and a connection of its own."""
    user: User = await sync_to_async(person)("reviewer")

    def session() -> dict[str, str]:
        client = Client()
        client.force_login(user)
        return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}

    cookies = await sync_to_async(session)()
    before = await others()
    limits = httpx.Limits(max_connections=60)
    with served() as url:
        async with httpx.AsyncClient(base_url=url, cookies=cookies, limits=limits) as client:

            async def open_page(stack: contextlib.AsyncExitStack):
                answer = await stack.enter_async_context(
                    client.stream("GET", "/live?topic=review", timeout=10)
                )
                lines = answer.aiter_lines()
                return lines

            async with contextlib.AsyncExitStack() as stack:
                pages = [await open_page(stack) for _each in range(40)]
                await next_data(pages[0])  # the first look of the page for which the listener was started
                await asyncio.sleep(0.5)
                assert await listening() == 1
                assert await others() - before == 1, "the listener, and nothing for the pages"
                await announced("review")
                assert await asyncio.gather(*map(next_data, pages)) == ["review"] * 40
            for _each in range(100):
                if not await listening():
                    break
                await asyncio.sleep(0.05)
            assert await others() == before


async def test_a_stream_ends_after_a_while_so_that_rights_are_asked_for_again(person, monkeypatch):
    monkeypatch.setattr(live, "LIFE", 0.1)
    answer = await ask(await sync_to_async(person)("reviewer"), "review")
    assert [part async for part in answer]
