"""Pages that change by themselves: PostgreSQL's NOTIFY, fanned out to the browsers as server-sent events.

One connection a web process listens, however many pages are open, and none is held for a page. What is sent is a topic
(``review``, ``conversation:17``), never content: the page fetches its own fragment anew, with its own rights. A page that
is slow can hold nothing up and grow nothing: for each there is a set of the topics that changed since it was last told,
which cannot be larger than what it asked for.

A notification that was sent while the listening connection was down is lost (PostgreSQL keeps none), so on every
reconnect all pages are told that everything may have changed.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from rasd.console import roles

log = structlog.get_logger("rasd.console.live")

CHANNEL = "rasd_live"
MAX_TOPICS = 20  # of one page
GATHER = 0.3  # seconds between two events to one page: a burst becomes one fetch
HEARTBEAT = 20.0  # seconds: shorter than the idle time-outs of the usual proxies (60 s)
LIFE = 10 * 60.0  # seconds; then the browser connects anew, and whether its person may is asked again
RETRY = 2_000  # milliseconds after which a browser connects anew
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before another try to listen, doubled each time
CHECK = 30.0  # seconds of silence after which the listening connection is tried

TOPICS: dict[str, str] = {
    "review": roles.REVIEW,
    "conversations": roles.CONVERSATIONS,
    "conversation": roles.CONVERSATIONS,
    "cycle": roles.CYCLE,
    "troubles": roles.TROUBLES,
}
"""The first word of a topic, and the permission without which nobody is told of it."""


class Subscriber:
    """One open page."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._changed: set[str] = set()
        self._woken = asyncio.Event()

    def tell(self, topics: frozenset[str]) -> None:
        if mine := topics & self.topics:
            self._changed |= mine
            self._woken.set()

    async def changed(self, within: float) -> set[str]:
        """The topics that changed since the last call; empty where none did within ``within`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._woken.wait()
        self._woken.clear()
        changed, self._changed = self._changed, set()
        return changed


class Hub:
    """The one listener of this process and its subscribers. Listens while there is somebody to tell."""

    def __init__(self, connect: Callable[[], Awaitable[psycopg.AsyncConnection]] | None = None) -> None:
        self._connect = connect or _connect
        self._subscribers: set[Subscriber] = set()
        self._listening: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        """Set while the database is being listened to."""

    @contextlib.asynccontextmanager
    async def subscribed(self, topics: frozenset[str]) -> AsyncIterator[Subscriber]:
        subscriber = Subscriber(topics)
        self._subscribers.add(subscriber)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="rasd.console.live")
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            if not self._subscribers and self._listening is not None:
                listening, self._listening = self._listening, None
                listening.cancel()

    async def _listen(self) -> None:
        wait = 0.0
        while True:
            try:
                async with await self._connect() as listener:
                    await listener.execute(f"LISTEN {CHANNEL}")
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
                for subscriber in self._subscribers:
                    subscriber.tell(frozenset({notification.payload}))
            await listener.execute("SELECT 1")

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
    """``GET /live?topic=review&topic=conversation:17``, for people who are logged in and may see each of them."""
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
    response = StreamingHttpResponse(_events(topics), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the events back
    return response


async def _events(topics: frozenset[str]) -> AsyncIterator[str]:
    # The request's thread still holds the connection with which its session was read; the stream lives long and asks
    # the database nothing more. Same thread as the middleware's: Django runs a request's synchronous code in one.
    await sync_to_async(_let_go_of_the_connection)()
    ends = asyncio.get_running_loop().time() + LIFE
    async with hub().subscribed(topics) as subscriber:
        yield f"retry: {RETRY}\n\n"
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            changed = await subscriber.changed(min(HEARTBEAT, left))
            if changed:
                yield "".join(f"data: {topic}\n\n" for topic in sorted(changed))
                await asyncio.sleep(GATHER)
            else:
                yield ": still here\n\n"


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
