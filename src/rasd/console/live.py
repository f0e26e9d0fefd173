"""Pages that change by themselves: PostgreSQL's NOTIFY, fanned out to the browsers as server-sent events.

One connection a web process listens, however many pages are open, and none is held for a page. What is sent is a topic
(``review``, ``conversation:17``), never content: the page fetches its own fragment anew, with its own rights. It may say which
conversation something was said in (``owner:5#17``): then the page fetches that row, and not the list. A page that
is slow can hold nothing up and grow nothing: for each there is a set of the topics that changed since it was last told,
which cannot be larger than what it asked for and MOST_SAID.

A notification that was sent while the listening connection was down is lost (PostgreSQL keeps none), so on every
reconnect all pages are told that everything may have changed. What changed between the making of a page and the opening
of its stream is remembered for a while, so that a page need not fetch itself twice to be sure.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from rasd.channels.models import lines_of
from rasd.console import roles
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
}
"""The first word of a topic, and the permission without which nobody is told of it."""


class Subscriber:
    """One open page.

    Args:
        names_them: whether it is told in which conversation something was said; not who is limited to some lines, as it may be
            one that he does not see.
    """

    def __init__(self, topics: frozenset[str], *, names_them: bool = True) -> None:
        self.topics, self._names_them = topics, names_them
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
        self._heard: dict[
            str, float
        ] = {}  # when each topic changed last, of those of the last REMEMBERED seconds
        self._listens_since = 0.0
        self.ready = asyncio.Event()
        """Set while the database is being listened to."""

    @contextlib.asynccontextmanager
    async def subscribed(
        self, topics: frozenset[str], since: float | None = None, *, names_them: bool = True
    ) -> AsyncIterator[Subscriber]:
        """``since``: when the page was made (seconds of Unix time); what changed after that is told at once."""
        subscriber = Subscriber(topics, names_them=names_them)
        if since is not None and self.ready.is_set():
            subscriber.tell(self._changed_since(since - SKEW, topics))
        self._subscribers.add(subscriber)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="rasd.console.live")
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            asyncio.get_running_loop().call_later(LINGER, self._stop_if_alone)

    def _stop_if_alone(self) -> None:
        if not self._subscribers and self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()

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
                for subscriber in self._subscribers:
                    if topic in subscriber.topics:
                        subscriber.tell(told)
            await listener.execute("SELECT 1")

    def _remember(self, topic: str) -> None:
        now = time.time()
        self._heard[topic] = now
        if len(self._heard) > MANY:
            self._heard = {each: at for each, at in self._heard.items() if at > now - REMEMBERED}

    def _tell_all(self) -> None:
        for subscriber in self._subscribers:
            subscriber.tell(subscriber.topics)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This process's (there is one event loop in a web process; tests have more)."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for closed in [each for each in _hubs if each.is_closed()]:
            del _hubs[closed]
        _hubs[loop] = Hub()
    return _hubs[loop]


async def stream(request: HttpRequest) -> HttpResponseBase:
    """``GET /live?topic=review&topic=conversation:17&since=…``, for people who are logged in and may see each of them."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=204)  # tells the browser's EventSource not to try again
    topics = frozenset(request.GET.getlist("topic")[:MAX_TOPICS])
    wanted = {topic.partition(":")[0] for topic in topics}
    if not topics or not wanted <= TOPICS.keys():
        return HttpResponseBadRequest("topic: one or more of " + ", ".join(TOPICS))
    for word in wanted:
        if not await user.ahas_perm(TOPICS[word]):
            return HttpResponse(status=204)
    if not await sync_to_async(may_hear)(user, topics):
        return HttpResponse(status=204)
    names_them = await sync_to_async(lines_of)(user) is None
    events = _events(topics, _number(request.GET.get("since")), names_them)
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the events back
    return response


async def _events(topics: frozenset[str], since: float | None, names_them: bool) -> AsyncIterator[str]:
    # The request's thread still holds the connection with which its session was read; the stream lives long and asks
    # the database nothing more. Same thread as the middleware's: Django runs a request's synchronous code in one.
    await sync_to_async(_let_go_of_the_connection)()
    ends = asyncio.get_running_loop().time() + LIFE
    async with hub().subscribed(topics, since, names_them=names_them) as subscriber:
        yield f"retry: {RETRY}\n\n"
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            changed = await subscriber.changed(min(HEARTBEAT, left))
            if changed:
                yield "".join(f"data: {topic}\n\n" for topic in sorted(changed))
            else:
                yield ": still here\n\n"


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


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
