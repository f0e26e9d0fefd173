"""Two hundred at work while messages pour in: what each page takes in the server, and how long a message needs to an open screen.

A page is played as its script plays it: one stream, and each fragment fetched anew when its topic is told, at its rest.
"""

import asyncio
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from bench.desk.entering import client, headers_of
from bench.desk.pages import searches
from bench.desk.size import SPREAD, Size, phone
from bench.desk.timing import Times

PROBE = re.compile(r"probe-\d+-\d+")
LIST_RESTS = 1.0  # seconds, as the pages say: data-rest
BY_ITSELF = {"list": 60.0, "bell": 120.0}  # seconds after which each is fetched, told or not
SETTLES = 0.06  # seconds that a fragment without a rest is busy after its fetch (app.js)


@dataclass
class Board:
    """When each message was handed to the webhook, and when it stood on which screen (``time.time()``)."""

    sent: dict[str, float] = field(default_factory=dict)
    watched: set[str] = field(default_factory=set)  # those sent to a conversation that an agent had open
    screens: Times = field(default_factory=Times)
    acknowledged: Times = field(default_factory=Times)
    refused: int = 0
    open_at: dict[int, int] = field(default_factory=dict)  # agents by the conversation that they have open
    failed: int = 0
    numbers: int = 0
    """How often a page was told numbers by its stream."""

    def begin(self) -> None:
        """From here on it is measured."""
        self.screens, self.failed, self.numbers = Times(), 0, 0

    def shown(self, probes: list[str], seen: set[str], since: float) -> None:
        now = time.time()
        for probe in probes:
            at = self.sent.get(probe)
            if probe not in seen and at is not None:
                seen.add(probe)
                if at >= since:  # it was open when the message came
                    self.watched.add(probe)
                    self.screens.add(1000 * (now - at))


class Fragment:
    """A part of an open page."""

    def __init__(self, rest: float) -> None:
        self.rest, self.busy, self.stale = rest, False, False


class Agent:
    def __init__(
        self,
        number: int,
        size: Size,
        cookies: dict[str, str],
        user: int,
        board: Board,
        asking: httpx.AsyncClient,
    ) -> None:
        self.cookies, self.user, self.board, self.asking = cookies, user, board, asking
        self.size, self.chance = size, random.Random(number)
        self.mine = size.of_agent(number) or [size.conversations]
        self.open = self.mine[0]
        self.opened = 0.0
        self.seen: set[str] = set()
        self.fragments = {
            "list": Fragment(LIST_RESTS),
            "bell": Fragment(SETTLES),
            "conversation": Fragment(SETTLES),
            "about": Fragment(SETTLES),
        }
        self.tasks: set[asyncio.Task[None]] = set()
        self.last = ""

    async def work(self, ends: float, pace: float) -> None:
        """Sits down some time in the first seconds, and does something every ``pace`` seconds, at random."""
        await asyncio.sleep(self.chance.uniform(0, SPREAD))
        await self.look("inbox, mine", "/conversations/?mine=1")
        await self.look_into(self.open)
        while time.monotonic() < ends:
            await asyncio.sleep(min(self.chance.expovariate(1 / pace), max(0.0, ends - time.monotonic())))
            if time.monotonic() >= ends:
                break
            await self.chance.choices(
                [self.next_one, self.answer, self.search, self.list_anew, self.account], [45, 25, 15, 10, 5]
            )[0]()
        for task in self.tasks:
            task.cancel()

    # What one does.

    async def next_one(self) -> None:
        await self.look_into(self.chance.choice(self.mine))

    async def answer(self) -> None:
        conversation = self.open
        await self.do("claim", f"/conversations/{conversation}/take", {})
        key = f"{self.chance.random()}"
        await self.do(
            "reply", f"/conversations/{conversation}/reply", {"as": "answer", "text": "شكرا لكم", "key": key}
        )

    async def search(self) -> None:
        await self.look("search", f"/conversations/?state=all&q={searches(self.size, self.chance)}")

    async def list_anew(self) -> None:
        await self.look("inbox, all that is owed", "/conversations/")

    async def account(self) -> None:
        await self.look("account, mine", "/accountability/mine")

    async def look_into(self, conversation: int) -> None:
        """Another one in the pane, and the stream for it."""
        with suppress(KeyError):
            self.board.open_at[self.open] -= 1
        self.open = conversation
        self.board.open_at[conversation] = self.board.open_at.get(conversation, 0) + 1
        text = await self.look("conversation", f"/conversations/{conversation}", part="pane")
        self.seen |= set(PROBE.findall(text))
        self.opened = time.time()
        for task in self.tasks:
            task.cancel()
        self.tasks = {
            asyncio.create_task(self.listen()),
            *(asyncio.create_task(self.by_itself(each)) for each in BY_ITSELF),
        }

    async def look(self, what: str, address: str, *, part: str = "") -> str:
        try:
            answer = await self.asking.get(address, headers=headers_of(self.cookies, what, part=part))
        except httpx.HTTPError:
            self.board.failed += 1
            return ""
        self.board.failed += answer.status_code != 200
        return answer.text

    async def do(self, what: str, address: str, form: dict[str, str]) -> None:
        try:
            answer = await self.asking.post(
                address, data=form, headers=headers_of(self.cookies, what, part="conversation")
            )
            self.board.failed += answer.status_code >= 400
        except httpx.HTTPError:
            self.board.failed += 1

    # What the open page does by itself.

    async def listen(self) -> None:
        topics = [
            f"conversation:{self.open}",
            f"owner:{self.user}",
            f"notices:{self.user}",
            "numbers",
            "views",
        ]
        while True:
            query = httpx.QueryParams([*(("topic", each) for each in topics), ("since", str(self.opened))])
            with suppress(httpx.HTTPError):
                async with self.asking.stream(
                    "GET", f"/live?{query}", headers=headers_of(self.cookies, "live"), timeout=None
                ) as stream:
                    async for line in stream.aiter_lines():
                        if line.startswith("data: {"):
                            self.board.numbers += 1
                        elif line.startswith("data: "):
                            self.told(line[6:])
            await asyncio.sleep(2)

    async def by_itself(self, part: str) -> None:
        while True:
            await asyncio.sleep(BY_ITSELF[part])
            self.wake(part)

    def told(self, event: str) -> None:
        topic, _sign, said = event.partition("#")
        kind = topic.partition(":")[0]
        parts = {
            "conversation": ("conversation",) if said else ("conversation", "about"),
            "owner": (f"one-{said}",) if said else ("list",),
            "notices": ("bell",),
        }
        for part in parts.get(kind, ()):
            self.wake(part)

    def wake(self, part: str) -> None:
        fragment = self.fragments.setdefault(part, Fragment(LIST_RESTS))  # a row
        if fragment.busy:
            fragment.stale = True
        else:
            fragment.busy = True
            task = asyncio.create_task(self.fetch(part, fragment))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def fetch(self, part: str, fragment: Fragment) -> None:
        addresses = {"list": "/conversations/?mine=1", "bell": "/notices/"}
        row = part.removeprefix("one-") if part.startswith("one-") else ""
        try:
            while True:
                fragment.stale = False
                address = addresses.get(part, f"/conversations/{row or self.open}?mine=1")
                since = self.opened
                text = await self.look(f"live: {'row' if row else part}", address, part=part)
                if part == "conversation":
                    self.board.shown(PROBE.findall(text), self.seen, since)
                await asyncio.sleep(fragment.rest)
                if not fragment.stale:
                    return
        finally:
            fragment.busy = False


async def pour(
    url: str,
    secret: str,
    size: Size,
    board: Board,
    rate: float,
    seconds: float,
    watched: dict[int, int],
    lanes: int = 24,
) -> None:
    """``rate`` messages a second by webhook, each at its moment: one in twenty from anybody at all, one a second to each
    conversation that a browser shows, the rest to those in which something is owed."""
    from bench.desk.webhook import Door

    chance, doors = random.Random(7), asyncio.LifoQueue()
    for _ in range(lanes):
        doors.put_nowait(Door(url, secret))
    began, run = time.monotonic(), int(time.time())
    shown = list(watched)

    async def one(number: int) -> None:
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        if shown and number % max(1, round(rate)) < len(shown):
            customer = size.customer_of(shown[number % max(1, round(rate))])
        elif chance.random() < 0.05:
            customer = chance.randint(1, size.customers)
        else:
            customer = size.customer_of(chance.randint(size.first_owed, size.conversations))
        door = await doors.get()
        probe = f"probe-{run}-{number}"
        try:
            board.sent[probe] = time.time()
            status = await door.deliver(phone(customer), f"{probe} ما أخبار طلبي؟", probe)
            board.refused += status != 200
            board.acknowledged.add(1000 * (time.time() - board.sent[probe]))
        finally:
            doors.put_nowait(door)

    await asyncio.gather(*(one(number) for number in range(round(rate * seconds))))


def open_client(url: str) -> httpx.AsyncClient:
    return client(url)
