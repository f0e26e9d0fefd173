"""Webhook calls: signed, batched, repeated until they are answered with 200."""

import asyncio
import hashlib
import heapq
import hmac
import itertools
import json
import secrets
import statistics
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from .clock import iso
from .payloads import Update, payload
from .world import World

GIVE_UP_SECONDS = 7 * 24 * 3600  # "up to 7 days", developers.facebook.com, "Webhooks"
FIRST_RETRY_SECONDS = (
    5.0  # Meta says "immediately, then with decreasing frequency" and no more; doubling from here
)
LONGEST_RETRY_SECONDS = 6 * 3600.0
DUPLICATE_AFTER_SECONDS = 2.0
KEPT_CONNECTION_SECONDS = (
    2.0  # shorter than servers keep idle ones (uvicorn: 5 s), so that none is closed under a call
)


def sign(body: bytes, app_secret: str) -> str:
    """The value of ``X-Hub-Signature-256``: HMAC-SHA256 of the raw body with the app's secret."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass
class Delivery:
    """One webhook call with its attempts. Times are emulated, latencies real."""

    id: str
    first_at: float
    updates: list[Update]
    attempts: list[dict] = field(default_factory=list)
    state: str = "waiting"  # then delivered, retrying or given up

    def as_dict(self) -> dict:
        return {
            "id": self.id,
            "at": iso(self.first_at),
            "state": self.state,
            "updates": len(self.updates),
            "message_ids": [u.message_id for u in self.updates],
            "kinds": [u.item.get("status") or u.item.get("type") for u in self.updates],
            "attempts": self.attempts,
        }


class Courier:
    """Takes updates and sees that the webhook gets them.

    ``on_delivered`` is called with each update that the webhook answered 200 for.
    """

    def __init__(self, world: World, on_delivered: Callable[[Update], None]) -> None:
        self._world = world
        self._settings = world.settings
        self._on_delivered = on_delivered
        self.verified: bool | None = None  # None: not tried
        self._lanes: list[asyncio.Queue[Update | Delivery]] = [
            asyncio.Queue() for _ in range(world.settings.lanes)
        ]
        self._poke = asyncio.Event()
        self._running = asyncio.Event()
        self._under_way = self._resets = 0
        self.begin()

    def begin(self) -> None:
        """Empty lanes and an empty record."""
        self._resets += 1
        for lane in self._lanes:  # emptied, not replaced: the workers wait on them
            while not lane.empty():
                lane.get_nowait()
        self._later: list[tuple[float, int, Update | Delivery, int]] = []
        self._order = itertools.count()
        self._running.set()
        self.record: deque[Delivery] = deque(maxlen=self._settings.kept_deliveries)
        self._latencies: deque[float] = deque(maxlen=self._settings.kept_deliveries)
        self._counts = {
            "attempts": 0,
            "delivered": 0,
            "refused": 0,
            "given_up": 0,
            "updates": 0,
            "duplicates": 0,
        }

    async def run(self) -> None:
        """Works until cancelled."""
        limits = httpx.Limits(
            max_connections=self._settings.lanes * 2, keepalive_expiry=KEPT_CONNECTION_SECONDS
        )
        async with (
            httpx.AsyncClient(
                timeout=self._settings.webhook_timeout, limits=limits, trust_env=False
            ) as self._http,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._release())
            for lane in range(self._settings.lanes):
                group.create_task(self._work(lane))

    def post(self, update: Update) -> None:
        """Sends an update on its way, through whatever trouble is switched on."""
        faults, random = self._world.faults, self._world.random
        lane = zlib.crc32(update.phone_key.encode()) % len(self._lanes)
        self._counts["updates"] += 1
        self._post(
            update, faults.delay + (random.uniform(0, faults.reorder) if faults.reorder else 0.0), lane
        )
        if faults.duplicate_rate and random.random() < faults.duplicate_rate:
            self._counts["duplicates"] += 1
            self._post(
                update, faults.delay + faults.reorder + random.uniform(0, DUPLICATE_AFTER_SECONDS), lane
            )

    def pause(self, paused: bool) -> None:
        self._world.faults.paused = paused
        (self._running.clear if paused else self._running.set)()

    def poke(self) -> None:
        """The clock was moved: look again at what is due."""
        self._poke.set()

    def retry_now(self) -> int:
        """What waits to be repeated goes at once; returns how many calls."""
        due = [entry for entry in self._later if isinstance(entry[2], Delivery)]
        self._later = [
            (0.0, *entry[1:]) if isinstance(entry[2], Delivery) else entry for entry in self._later
        ]
        heapq.heapify(self._later)
        self.poke()
        return len(due)

    @property
    def waiting(self) -> int:
        """Updates and calls not yet answered with 200."""
        return len(self._later) + sum(lane.qsize() for lane in self._lanes) + self._under_way

    async def verify(self) -> bool:
        """Meta's handshake: the webhook must answer ``hub.challenge``. Returns and remembers whether it did."""
        challenge = str(secrets.randbelow(10**10))
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": self._settings.verify_token,
            "hub.challenge": challenge,
        }
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
                answer = await http.get(self._settings.webhook_url, params=query)
            self.verified = answer.status_code == 200 and answer.text.strip() == challenge
        except (httpx.HTTPError, httpx.InvalidURL):
            self.verified = False
        return self.verified

    def summary(self) -> dict:
        """Counts since the last reset, and the latency of the webhook's answers in milliseconds."""
        ms = sorted(self._latencies)
        hundredths = statistics.quantiles(ms, n=100, method="inclusive") if len(ms) > 1 else ms * 99
        latency = {"p50": hundredths[49], "p99": hundredths[98], "max": ms[-1]} if ms else None
        return {**self._counts, "waiting": self.waiting, "verified": self.verified, "latency_ms": latency}

    def _post(self, update: Update | Delivery, seconds: float, lane: int) -> None:
        if seconds <= 0:
            self._lanes[lane].put_nowait(update)
            return
        heapq.heappush(self._later, (self._world.clock.now() + seconds, next(self._order), update, lane))
        self._poke.set()

    async def _release(self) -> None:
        while True:
            self._poke.clear()
            now = self._world.clock.now()
            while self._later and self._later[0][0] <= now:
                _, _, update, lane = heapq.heappop(self._later)
                self._lanes[lane].put_nowait(update)
            try:
                async with asyncio.timeout(self._later[0][0] - now if self._later else None):
                    await self._poke.wait()
            except TimeoutError:
                pass

    async def _work(self, lane: int) -> None:
        while True:
            first = await self._lanes[lane].get()
            resets = self._resets
            self._under_way += 1
            try:
                await self._running.wait()
                if resets == self._resets:  # else it belongs to a world that is gone
                    await self._call(first, lane)
            finally:
                self._under_way -= 1

    async def _call(self, first: Update | Delivery, lane: int) -> None:
        if isinstance(first, Delivery):
            await self._attempt(first, lane)
            return
        updates = [first]
        repeats: list[Delivery] = []
        if self._settings.max_batch > 1:
            await self._fill(self._lanes[lane], updates, repeats)
        delivery = Delivery(secrets.token_hex(8), self._world.clock.now(), updates)
        self.record.append(delivery)
        for one in [delivery, *repeats]:
            await self._attempt(one, lane)

    async def _fill(
        self, queue: "asyncio.Queue[Update | Delivery]", updates: list[Update], repeats: list[Delivery]
    ) -> None:
        """Waits up to ``linger`` for more updates to go into the same call."""
        try:
            async with asyncio.timeout(self._settings.linger):
                while len(updates) < self._settings.max_batch:
                    more = await queue.get()
                    if isinstance(more, Delivery):
                        repeats.append(more)
                    else:
                        updates.append(more)
        except TimeoutError:
            pass

    async def _attempt(self, delivery: Delivery, lane: int) -> None:
        if not self._settings.webhook_url:
            delivery.state = "no webhook"
            return
        wrong = self._world.faults.take("wrong_signatures")
        body = json.dumps(payload(delivery.updates), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": sign(body, self._settings.app_secret + ("-wrong" if wrong else "")),
        }
        resets = self._resets
        at, began, status, trouble = self._world.clock.now(), time.perf_counter(), 0, ""
        try:
            answer = await self._http.post(self._settings.webhook_url, content=body, headers=headers)
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            trouble = f"{type(e).__name__}: {e}"
        if resets != self._resets:
            return
        ms = (time.perf_counter() - began) * 1000
        delivery.attempts.append({"at": iso(at), "status": status, "ms": round(ms, 2), "error": trouble})
        self._counts["attempts"] += 1
        if status == 200:
            delivery.state = "delivered"
            self._counts["delivered"] += 1
            self._latencies.append(ms)
            for update in delivery.updates:
                self._on_delivered(update)
        else:
            self._counts["refused"] += 1
            self._repeat(delivery, lane)

    def _repeat(self, delivery: Delivery, lane: int) -> None:
        waits = [
            min(FIRST_RETRY_SECONDS * 2**n, LONGEST_RETRY_SECONDS) for n in range(len(delivery.attempts))
        ]
        if sum(waits) > GIVE_UP_SECONDS:
            delivery.state = "given up"
            self._counts["given_up"] += 1
            return
        delivery.state = "retrying"
        jitter = self._world.random.uniform(0.8, 1.2)
        self._post(delivery, max(0.001, waits[-1] * jitter * self._settings.retry_scale), lane)
