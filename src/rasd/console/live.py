"""Pages that change by themselves: PostgreSQL's NOTIFY, fanned out to the browsers as server-sent events.

One connection a web process listens, however many pages are open, and none is held for a page. What is sent is a topic
(``review``, ``conversation:17``), never content: the page fetches its own fragment anew, with its own rights. It may say which
conversation something was said in (``owner:5#17``): then the page fetches that row, and not the list. A page that
is slow can hold nothing up and grow nothing: for each there is a set of the topics that changed since it was last told,
which cannot be larger than what it asked for and MOST_SAID.

Only the numbers beside the pages' names and the inbox's views are told themselves: every page shows them, they change all the
time, and two hundred pages asking for them were most of what a web process did. They are counted for all at once (``numbers``).

A notification that was sent while the listening connection was down is lost (PostgreSQL keeps none), so on every
reconnect all pages are told that everything may have changed. What changed between the making of a page and the opening
of its stream is remembered for a while, so that a page need not fetch itself twice to be sure.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from rasd.channels.models import lines_of
from rasd.console import numbers, rights, roles
from rasd.console.access import lacks_second_factor
from rasd.console.sight import may_hear

log = structlog.get_logger("rasd.console.live")

CHANNEL = "rasd_live"
MAX_TOPICS = 20  # of one page
GATHER = 0.3  # seconds between two events of one topic to one page: a burst becomes one fetch
GATHER_LONGER = {
    "owed": 1.5
}  # the like, of what changes all the time and is looked at every 15 s; shorter than SKEW
MOST_SAID = (
    20  # conversations in which something was said, not told yet: of more, the topics have changed as a whole
)
HEARTBEAT = 20.0  # seconds: shorter than the idle time-outs of the usual proxies (60 s)
LIFE = 10 * 60.0  # seconds; then the browser connects anew, and whether its person may is asked again
RETRY = 2_000  # milliseconds after which a browser connects anew
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before another try to listen, doubled each time
LINGER = 30.0  # seconds that it goes on listening after the last page left: people go from page to page
REMEMBERED = 60.0  # seconds; a page that was made longer ago is told to look at everything
SKEW = 2.0  # seconds by which the clocks of two web machines may differ
MANY = 10_000  # topics heard, after which the old ones are forgotten
CHECK = 30.0  # seconds of silence after which the listening connection is tried

NUMBERS_REST = 3.0  # seconds between two counts for all open pages, however much changes
NUMBERS_BY_THEMSELVES = (
    15.0  # seconds after which they are counted though nothing was told: things get late by time alone
)
NUMBERS_SHARE = 0.1  # of the time: what took long to count is counted less often

TOPICS: dict[str, str] = {
    "review": roles.REVIEW,
    "conversations": roles.CONVERSATIONS,
    "owed": roles.CONVERSATIONS,
    "conversation": roles.CONVERSATIONS,
    "owner": roles.CONVERSATIONS,
    "queue": roles.CONVERSATIONS,
    "cases": roles.CASES,
    "case": roles.CASES,
    "notices": roles.CONVERSATIONS,
    "cycle": roles.CYCLE,
    "troubles": roles.TROUBLES,
    "team": roles.TEAM,
    numbers.BAR: "",  # for each number what its page needs
    numbers.VIEWS: roles.CONVERSATIONS,
}
"""The first word of a topic, and the permission without which nobody is told of it."""


class Subscriber:
    """One open page.

    Args:
        user: whose page (primary key), where it shows numbers.
        names_them: whether it is told in which conversation something was said; not who is limited to some lines, as it may be
            one that he does not see.
    """

    def __init__(self, topics: frozenset[str], *, user: int | None = None, names_them: bool = True) -> None:
        self.topics, self._names_them = topics, names_them
        self.shows = [(what, user) for what in numbers.SHOWN & topics if user is not None]
        self._numbers: dict[str, numbers.Words] = {}  # as they were counted last
        self.new_numbers: numbers.Words = {}
        """Those that it was not told yet; whoever tells it takes them out."""
        self._changed: set[str] = set()
        self._told: dict[str, float] = {}  # when each was told last, of those that rest
        self._woken = asyncio.Event()

    def tell(self, told: frozenset[str]) -> None:
        mine = {each if self._names_them else _topic(each) for each in told if _topic(each) in self.topics}
        if not mine:
            return
        changed = self._changed | mine
        if len(changed) > len(self.topics) + MOST_SAID:
            changed = {_topic(each) for each in changed}
        self._changed = {each for each in changed if each in self.topics or _topic(each) not in changed}
        self._woken.set()

    def tell_number(self, what: str, counted: numbers.Words) -> None:
        """Those of BAR or VIEWS, of which it is told what is another; of one that is counted no more, that there is none."""
        before = self._numbers.get(what, {})
        now = dict.fromkeys(before, "") | counted
        if new := {place: words for place, words in now.items() if before.get(place) != words}:
            self._numbers[what] = now
            self.new_numbers |= new
            self.tell(frozenset({what}))

    async def changed(self, within: float) -> set[str]:
        """The topics that changed since they were told last; empty where none did within ``within`` seconds.

        Each rests for GATHER seconds by itself, or longer (GATHER_LONGER): that everything changes all the time delays no word of
        the one conversation that is open.
        """
        clock = asyncio.get_running_loop().time
        ends = clock() + within
        while (now := clock()) < ends:
            self._told = {topic: at for topic, at in self._told.items() if now < at + _gather(topic)}
            if ready := self._changed - self._told.keys():
                self._changed -= ready
                self._told |= dict.fromkeys(ready, now)
                return ready
            rested = min((self._told[topic] + _gather(topic) for topic in self._changed), default=ends)
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(rested, ends) - now):
                    await self._woken.wait()
        return set()


def _topic(told: str) -> str:
    """Without which conversation it was."""
    return told.partition("#")[0]


def _gather(told: str) -> float:
    return GATHER_LONGER.get(told, GATHER)


class Hub:
    """The one listener of this process and its subscribers. Listens while there is somebody to tell, and a little longer."""

    def __init__(self, connect: Callable[[], Awaitable[psycopg.AsyncConnection]] | None = None) -> None:
        self._connect = connect or _connect
        self._subscribers: set[Subscriber] = set()
        self._listening: asyncio.Task[None] | None = None
        self._counting: asyncio.Task[None] | None = None
        self._to_count = asyncio.Event()
        self._heard: dict[
            str, float
        ] = {}  # when each topic changed last, of those of the last REMEMBERED seconds
        self._listens_since = 0.0
        self.ready = asyncio.Event()
        """Set while the database is being listened to."""

    @contextlib.asynccontextmanager
    async def subscribed(
        self,
        topics: frozenset[str],
        since: float | None = None,
        *,
        user: int | None = None,
        names_them: bool = True,
    ) -> AsyncIterator[Subscriber]:
        """``since``: when the page was made (seconds of Unix time); what changed after that is told at once."""
        subscriber = Subscriber(topics, user=user, names_them=names_them)
        if since is not None and self.ready.is_set():
            subscriber.tell(self._changed_since(since - SKEW, topics) - numbers.SHOWN)
        self._subscribers.add(subscriber)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="rasd.console.live")
            self._counting = asyncio.create_task(self._count(), name="rasd.console.live.numbers")
        if subscriber.shows:
            self._to_count.set()
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            asyncio.get_running_loop().call_later(LINGER, self._stop_if_alone)

    def _stop_if_alone(self) -> None:
        if not self._subscribers and self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()
            if self._counting is not None:
                self._counting.cancel()

    def _changed_since(self, since: float, topics: frozenset[str]) -> frozenset[str]:
        """All of them where we cannot know."""
        if since < max(self._listens_since, time.time() - REMEMBERED):
            return topics
        return frozenset(topic for topic in topics if self._heard.get(topic, 0.0) >= since)

    async def _listen(self) -> None:
        wait = 0.0
        while True:
            try:
                async with await self._connect() as listener:
                    await listener.execute(f"LISTEN {CHANNEL}")
                    self._listens_since = time.time()
                    self._heard.clear()
                    self.ready.set()
                    wait = 0.0
                    self._tell_all()
                    self._to_count.set()
                    await self._pass_on(listener)
            except (psycopg.Error, OSError) as error:
                log.warning("live.listener_lost", error=str(error), again_in=round(wait, 1))
            finally:
                self.ready.clear()
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, max(FIRST_WAIT, wait * 2)) * random.uniform(0.8, 1.2)  # noqa: S311 (spreads processes apart)

    async def _pass_on(self, listener: psycopg.AsyncConnection) -> None:
        """Until the connection dies. A silent one is tried now and then: a vanished server says nothing."""
        while True:
            async for notification in listener.notifies(timeout=CHECK):
                told, topic = frozenset({notification.payload}), _topic(notification.payload)
                self._remember(topic)
                if topic in numbers.HANG_ON:
                    self._to_count.set()
                for subscriber in self._subscribers:
                    if topic in subscriber.topics:
                        subscriber.tell(told)
            await listener.execute("SELECT 1")

    async def _count(self) -> None:
        """The numbers of all open pages, where they may have changed."""
        clock = asyncio.get_running_loop().time
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(NUMBERS_BY_THEMSELVES):
                    await self._to_count.wait()
            self._to_count.clear()
            began = clock()
            if shown := {each for subscriber in self._subscribers for each in subscriber.shows}:
                try:
                    counted = await sync_to_async(_counted, thread_sensitive=False)(shown, timezone.now())
                except Exception:  # whatever it was: the pages show what they showed, and it is counted again
                    log.exception("live.not_counted")
                else:
                    for subscriber in self._subscribers:
                        for each in subscriber.shows:
                            if each in shown:
                                subscriber.tell_number(each[0], counted.get(each, {}))
            await asyncio.sleep(max(NUMBERS_REST, (clock() - began) / NUMBERS_SHARE))

    def _remember(self, topic: str) -> None:
        now = time.time()
        self._heard[topic] = now
        if len(self._heard) > MANY:
            self._heard = {each: at for each, at in self._heard.items() if at > now - REMEMBERED}

    def _tell_all(self) -> None:
        for subscriber in self._subscribers:
            subscriber.tell(subscriber.topics - numbers.SHOWN)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This process's (there is one event loop in a web process; tests have more)."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for closed in [each for each in _hubs if each.is_closed()]:
            del _hubs[closed]
        _hubs[loop] = Hub()
    return _hubs[loop]


def stream(request: HttpRequest) -> HttpResponseBase:
    """``GET /live?topic=review&topic=conversation:17&since=…``, for people who are logged in and may see each of them."""
    user: Any = request.user
    if not user.is_authenticated:
        return HttpResponse(status=204)  # tells the browser's EventSource not to try again
    topics = frozenset(request.GET.getlist("topic")[:MAX_TOPICS])
    wanted = {topic.partition(":")[0] for topic in topics}
    if not topics or not wanted <= TOPICS.keys():
        return HttpResponseBadRequest("topic: one or more of " + ", ".join(TOPICS))
    if lacks_second_factor(user, is_demanded=rights.ask(user)):
        return HttpResponse(status=204)
    if not all(map(user.has_perm, {TOPICS[word] for word in wanted} - {""})) or not may_hear(user, topics):
        return HttpResponse(status=204)
    names_them = lines_of(user) is None
    events = _events(topics, _number(request.GET.get("since")), user.pk, names_them)
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the events back
    return response


async def _events(
    topics: frozenset[str], since: float | None, user: int, names_them: bool
) -> AsyncIterator[str]:
    # The request's thread still holds the connection with which its session was read; the stream lives long and asks
    # the database nothing more. Same thread as the middleware's: Django runs a request's synchronous code in one.
    await sync_to_async(_let_go_of_the_connection)()
    ends = asyncio.get_running_loop().time() + LIFE
    async with hub().subscribed(topics, since, user=user, names_them=names_them) as subscriber:
        yield f"retry: {RETRY}\n\n"
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            changed = await subscriber.changed(min(HEARTBEAT, left))
            told = [f"data: {topic}\n\n" for topic in sorted(changed - numbers.SHOWN)]
            if subscriber.new_numbers:
                told.append(f"event: numbers\ndata: {json.dumps(subscriber.new_numbers)}\n\n")
                subscriber.new_numbers = {}
            yield "".join(told) or ": still here\n\n"


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _counted(shown: Collection[tuple[str, int]], at: datetime) -> dict[tuple[str, int], numbers.Words]:
    """In a thread of its own, which keeps no connection."""
    try:
        return numbers.told(shown, at)
    finally:
        connection.close()


def _let_go_of_the_connection() -> None:
    if not connection.in_atomic_block:  # a test's transaction is not ours to end
        connection.close()


async def _connect() -> psycopg.AsyncConnection:
    chosen = connection.get_connection_params()
    plain = {
        name: value
        for name, value in chosen.items()
        if name not in {"cursor_factory", "context", "prepare_threshold"}
    }
    return await psycopg.AsyncConnection.connect(
        **plain, autocommit=True, connect_timeout=5, application_name=f"rasd-live {settings.UTILITY_NAME}"
    )
