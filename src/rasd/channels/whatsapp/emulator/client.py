"""The emulator from outside: for tests, scripts and the demo. Synchronous.

with run_emulator(webhook_url=...) as emulator:
    phone = emulator.phone("+968 9000 0001", name="عميل تجريبي")
    phone.send_text("السلام عليكم")
    phone.wait_for("وعليكم")
    print(phone.chat_as_text())
"""

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import httpx

from .settings import LOOPBACK, Settings

Wanted = str | Callable[[dict], bool]


class EmulatorError(Exception):
    """The emulator refused; the words are its own and name the field."""


class EmulatorTransport(httpx.HTTPTransport):
    """Sends what is meant for Meta's hosts to an emulator: ``httpx.Client(transport=EmulatorTransport(url))``.

    For clients whose address of the Graph API cannot be set, such as pywa's ``WhatsApp(session=...)``.
    """

    HOSTS = frozenset({"graph.facebook.com", "lookaside.fbsbx.com"})

    def __init__(self, url: str) -> None:
        super().__init__(trust_env=False)
        self._url = httpx.URL(_loopback(url))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host in self.HOSTS:
            request.url = request.url.copy_with(
                scheme=self._url.scheme, host=self._url.host, port=self._url.port
            )
            request.headers["Host"] = request.url.netloc.decode()
        return super().handle_request(request)


class Emulator:
    """A running emulator at ``url`` (loopback only).

    Raises:
        ValueError: the address is not on this machine.
    """

    def __init__(self, url: str, *, settings: Settings | None = None) -> None:
        self.url = _loopback(url).rstrip("/")
        self.settings = settings
        self._http = httpx.Client(base_url=f"{self.url}/_emulator", timeout=150, trust_env=False)

    def phone(
        self, number: str = "", *, name: str = "", user_id: str = "", line: str = "", **more: Any
    ) -> "Phone":
        """A customer's phone, made if it is not there. ``more``: username, online, reads, reachable."""
        body = {"number": number, "name": name, "user_id": user_id, **more}
        made = self.request("POST", "/phones", json=body)
        return Phone(self, made["key"], line)

    def phones(self) -> list[dict]:
        return list(self.request("GET", "/phones")["phones"])

    def state(self) -> dict:
        return self.request("GET", "/state")

    def faults(self, **changes: Any) -> dict:
        """Sets the named faults (see ``faults.Faults``); returns all of them."""
        return self.request("POST", "/faults", json=changes)

    def fail_next(self, code: int, times: int = 1, *, to: str = "", via: str = "response") -> None:
        """The next ``times`` sends meet Meta's error ``code``, besides what was asked for before."""
        errors = self.request("GET", "/faults")["errors"]
        self.faults(errors=[*errors, {"code": code, "times": times, "to": to, "via": via}])

    def clear_faults(self) -> None:
        self.request("DELETE", "/faults")

    def advance(self, seconds: float) -> None:
        """Moves the emulated clock on."""
        self.request("POST", "/clock", json={"advance_seconds": seconds})

    def set_time(self, at: datetime) -> None:
        """Makes it ``at`` (aware) in the emulator; it runs on from there."""
        self.request("POST", "/clock", json={"at": at.isoformat()})

    def set_webhook(self, url: str, **more: Any) -> bool:
        """Where webhooks go from now on (``more``: max_batch, linger); returns whether the handshake worked."""
        return bool(self.request("POST", "/webhook", json={"url": url, **more})["verified"])

    def add_line(self, phone_number_id: str, **more: str) -> dict:
        return self.request("POST", "/lines", json={"phone_number_id": phone_number_id, **more})

    def add_template(self, name: str, body: str, language: str = "ar") -> None:
        self.request("POST", "/templates", json={"name": name, "language": language, "body": body})

    def deliveries(self, limit: int = 200) -> list[dict]:
        """Webhook calls, newest first."""
        return list(self.request("GET", "/deliveries", params={"limit": limit})["deliveries"])

    def delivery_summary(self) -> dict:
        """Counts of webhook calls, what still waits, and ``latency_ms`` with p50, p99 and max."""
        return dict(self.request("GET", "/deliveries", params={"limit": 0})["summary"])

    def retry_now(self) -> int:
        return int(self.request("POST", "/deliveries/retry")["repeated"])

    def settle(self, timeout: float = 30.0) -> dict:
        """Waits until no message is on its way to a phone and no webhook call waits any more; returns the summary.

        Raises:
            TimeoutError: some still wait.
        """
        deadline = time.monotonic() + timeout
        while True:
            summary = self.delivery_summary()
            if not summary["waiting"] and not summary["on_the_way"]:
                return summary
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"After {timeout} s {summary['waiting']} calls wait and {summary['on_the_way']} messages are on the way."
                )
            time.sleep(0.05)

    def load(self, *, photos: Iterable[bytes] = (), wait: bool = True, **plan: Any) -> dict:
        """Many messages at once (fields: ``load.Plan``); returns what was sent, with the message ids.

        Args:
            photos: JPEG or PNG files to choose from for ``photo_share`` of the messages.
            wait: whether to return only when all have been sent (not: delivered; see ``settle``).
        """
        files = [("photo", (f"{n}.jpg", data, _image_type(data))) for n, data in enumerate(photos)]
        progress = self.request("POST", "/load", data={"plan": json.dumps(plan)}, files=files or None)
        while wait and progress["state"] == "running":
            time.sleep(0.1)
            progress = self.load_progress()
        return progress

    def load_progress(self) -> dict:
        return self.request("GET", "/load")

    def reset(self) -> None:
        self.request("POST", "/reset")

    def request(self, method: str, path: str, **more: Any) -> dict:
        """A call of the control API.

        Raises:
            EmulatorError: it was refused.
        """
        answer = self._http.request(method, path, **more)
        if answer.is_error:
            is_json = answer.headers.get("content-type", "").startswith("application/json")
            raise EmulatorError(
                answer.json()["error"] if is_json else f"{answer.status_code}: {answer.text[:200]}"
            )
        return dict(answer.json())

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


class Phone:
    """A customer's phone, writing to one line. Methods that send return the message as a dict."""

    def __init__(self, emulator: Emulator, key: str, line: str = "") -> None:
        self.emulator = emulator
        self.key = key
        self.line = line
        self._baseline = 0  # what came before the last message sent is not waited for
        self._matched: set[int] = set()

    def send_text(self, text: str, *, reply_to: str = "", forwarded: bool = False) -> dict:
        return self.send("text", body=text, context=reply_to, forwarded=forwarded)

    def send_photo(self, data: bytes, caption: str = "", *, mime_type: str = "") -> dict:
        return self.send_file(data, mime_type or _image_type(data), caption=caption, filename="photo.jpg")

    def send_voice(self, data: bytes, mime_type: str = "audio/ogg; codecs=opus") -> dict:
        return self.send_file(data, mime_type, voice=True, filename="voice.ogg")

    def send_document(
        self, data: bytes, filename: str, mime_type: str = "application/pdf", caption: str = ""
    ) -> dict:
        return self.send_file(data, mime_type, caption=caption, filename=filename, kind="document")

    def send_file(
        self,
        data: bytes,
        mime_type: str,
        *,
        caption: str = "",
        filename: str = "file",
        voice: bool = False,
        kind: str = "",
    ) -> dict:
        """A file of any kind; ``kind`` (image, audio, video, sticker, document) where the MIME type should not decide."""
        form = {"caption": caption, "voice": "true" if voice else "", "kind": kind, "line": self.line}
        sent = self.emulator.request(
            "POST", self._path("send"), data=form, files={"file": (filename, data, mime_type)}
        )
        return self._remember(sent)

    def press(self, button: str) -> dict:
        """Presses the newest button with this title or id."""
        return self.send("press", button=button)

    def choose(self, row: str) -> dict:
        """Chooses the newest list row with this title or id."""
        return self.send("choose", row=row)

    def send_location(self, latitude: float, longitude: float, name: str = "", address: str = "") -> dict:
        return self.send("location", latitude=latitude, longitude=longitude, name=name, address=address)

    def send_contacts(self, *contacts: dict) -> dict:
        return self.send("contacts", contacts=list(contacts))

    def react(self, message_id: str, emoji: str) -> dict:
        return self.send("reaction", message_id=message_id, emoji=emoji)

    def edit(self, message_id: str, text: str) -> dict:
        return self.send("edit", message_id=message_id, text=text)

    def revoke(self, message_id: str) -> dict:
        return self.send("revoke", message_id=message_id)

    def change_number(self, number: str) -> dict:
        sent = self.send("change_number", number=number)
        self.key = "".join(c for c in number if c.isdigit())
        return sent

    def change_user_id(self, user_id: str) -> dict:
        sent = self.send("change_user_id", user_id=user_id)
        self.key = self.key if self.key.isdigit() else user_id
        return sent

    def send_unsupported(self, of_type: str = "poll") -> dict:
        return self.send("unsupported", of_type=of_type)

    def send_raw(self, kind: str, content: Any) -> dict:
        """A message of any other type with any content, as it shall stand in the webhook (an ``order``, say)."""
        return self.send("raw", kind=kind, content=content)

    def send(self, action: str, /, **fields: Any) -> dict:
        """Any action of ``customer.Customer`` by its ``type`` in the control API."""
        body = {"type": action, "line": self.line, **fields}
        return self._remember(self.emulator.request("POST", self._path("send"), json=body))

    def set_online(self, online: bool) -> None:
        self._change(online=online)

    def set_reads(self, reads: bool) -> None:
        """Whether messages are opened as soon as they arrive."""
        self._change(reads=reads)

    def set_reachable(self, reachable: bool) -> None:
        self._change(reachable=reachable)

    def read(self) -> None:
        """Opens the chat."""
        self.emulator.request("POST", self._path("read"))

    def wait_for(self, wanted: Wanted = "", timeout: float = 30.0) -> dict:
        """The next message of the business since the last one sent from here that holds the text, or for which
        ``wanted(message)`` is true. A message once returned is not returned again.

        Raises:
            TimeoutError: none came; the words hold the chat.
        """
        fits = wanted if callable(wanted) else lambda m: wanted in searchable(m)
        deadline = time.monotonic() + timeout
        after = self._baseline
        while True:
            left = max(0.0, deadline - time.monotonic())
            query = {"after": after, "timeout": min(left, 60.0), "direction": "out", "line": self.line}
            found = self.emulator.request("GET", f"/chats/{quote(self.key)}/wait", params=query)["messages"]
            for message in sorted(found, key=lambda m: m["seq"]):
                if message["seq"] not in self._matched and fits(message):
                    self._matched.add(message["seq"])
                    return dict(message)
            if left <= 0:
                what = repr(wanted) if isinstance(wanted, str) else "the wanted message"
                raise TimeoutError(
                    f"{what} did not come within {timeout} s. The chat:\n{self.chat_as_text()}"
                )
            after = max([after, *(m["seq"] for m in found)])

    def chat(self) -> list[dict]:
        """All messages on this phone, oldest first; times in UTC."""
        answer = self.emulator.request("GET", f"/chats/{quote(self.key)}", params={"line": self.line})
        return list(answer["messages"])

    def chat_as_text(self, zone: str = "Asia/Muscat") -> str:
        """The chat for people: a line a message, with the time in ``zone``, who wrote, the words, the status."""
        return "\n".join(_as_text(m, ZoneInfo(zone)) for m in self.chat())

    def _change(self, **fields: bool) -> None:
        self.emulator.request("PATCH", f"/phones/{quote(self.key)}", json=fields)

    def _path(self, action: str) -> str:
        return f"/phones/{quote(self.key)}/{action}"

    def _remember(self, sent: dict) -> dict:
        self._baseline = sent["seq"]
        return sent


def searchable(message: dict) -> str:
    """The words of a message that a person sees, titles of buttons and rows included."""
    titles = [title for title, _ in choices(message)]
    return "\n".join([message["text"] or "", *titles])


def choices(message: dict) -> list[tuple[str, str]]:
    """Title and id of each button or list row of a message."""
    if message["type"] != "interactive" or "action" not in message["content"]:
        return []
    action = message["content"]["action"]
    rows = [r for s in action.get("sections", []) for r in s.get("rows", [])]
    return [(c["title"], c["id"]) for c in [*(b["reply"] for b in action.get("buttons", [])), *rows]]


def _as_text(message: dict, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(message["at"]).astimezone(UTC).astimezone(zone)
    who = "العميل" if message["direction"] == "in" else "المؤسسة"
    kind = "" if message["type"] in {"text", "interactive", "button", "template"} else f"[{message['type']}] "
    buttons = "".join(f" [{title}]" for title, _ in choices(message))
    words = "(حُذفت)" if message["revoked"] else f"{kind}{message['text']}{buttons}"
    return f"{at:%H:%M:%S} {who}: {words} ({message['status']})"


def _image_type(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if data[8:12] == b"WEBP" else "image/jpeg"


def _loopback(url: str) -> str:
    if urlsplit(url).hostname not in LOOPBACK:
        raise ValueError(
            f"{url}: an emulator runs on this machine only (127.0.0.1). It must not reach anybody else."
        )
    return url
