"""The routes under ``/_emulator/``: everything that is not Meta's, in JSON. For scripts, tests and the pages."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from . import load
from .clock import iso
from .customer import Customer
from .faults import Faults
from .graph import LARGEST_UPLOAD, network
from .settings import DEFAULT_WABA_ID, Line
from .world import Message, NotKnownError, Phone

LONGEST_WAIT = 120.0  # seconds of one long poll
SHOWN_DELIVERIES = 200
Answer = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """All routes of the control API."""
    p = "/_emulator"
    table: list[tuple[str, str, Answer]] = [
        ("GET", f"{p}/state", state),
        ("POST", f"{p}/reset", reset),
        ("GET", f"{p}/faults", faults),
        ("POST", f"{p}/faults", set_faults),
        ("DELETE", f"{p}/faults", clear_faults),
        ("POST", f"{p}/clock", set_clock),
        ("POST", f"{p}/webhook", set_webhook),
        ("POST", f"{p}/lines", add_line),
        ("POST", f"{p}/templates", add_template),
        ("GET", f"{p}/phones", phones),
        ("POST", f"{p}/phones", add_phone),
        ("PATCH", f"{p}/phones/{{key}}", change_phone),
        ("POST", f"{p}/phones/{{key}}/read", read),
        ("POST", f"{p}/phones/{{key}}/send", send),
        ("GET", f"{p}/chats/{{key}}", chat),
        ("GET", f"{p}/chats/{{key}}/wait", wait),
        ("GET", f"{p}/chats/{{key}}/events", events),
        ("GET", f"{p}/media/{{media_id}}", media),
        ("GET", f"{p}/deliveries", deliveries),
        ("POST", f"{p}/deliveries/retry", retry),
        ("GET", f"{p}/load", load_state),
        ("POST", f"{p}/load", start_load),
    ]
    return [Route(path, _json_errors(answer), methods=[method]) for method, path, answer in table]


def _json_errors(answer: Answer) -> Answer:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except LookupError as e:
            return JSONResponse({"error": str(e.args[0]) if e.args else str(e)}, 404)
        except (ValueError, TypeError) as e:  # FaultSpecError is a ValueError
            return JSONResponse({"error": str(e)}, 422)

    return endpoint


async def _body(request: Request) -> dict:
    raw = await request.body()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise ValueError("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object.")
    return body


def _phone(request: Request) -> Phone:
    return network(request).world.phone(request.path_params["key"])


async def state(request: Request) -> Response:
    """What runs here: lines, phones, clock, webhook."""
    net = network(request)
    world = net.world
    return JSONResponse(
        {
            "emulator": "WhatsApp Cloud API emulator, not WhatsApp",
            "now": iso(world.clock.now()),
            "clock_offset_seconds": world.clock.offset,
            "webhook": net.settings.webhook_url or None,
            "lines": [vars(line) for line in world.lines.values()],
            "templates": [{"name": n, "language": c, "body": b} for (n, c), b in world.templates.items()],
            "phones": len(world.phones),
            "messages": len(world.messages),
            "deliveries": net.summary(),
        }
    )


async def reset(request: Request) -> Response:
    """Forgets phones, chats, media, faults and deliveries."""
    network(request).reset()
    return JSONResponse({"ok": True})


async def faults(request: Request) -> Response:
    return JSONResponse(_faults(network(request).world.faults))


async def set_faults(request: Request) -> Response:
    """Sets the faults named in the body and leaves the others."""
    net = network(request)
    changes = await _body(request)
    net.world.faults.update(changes)
    net.courier.pause(net.world.faults.paused)
    return JSONResponse(_faults(net.world.faults))


async def clear_faults(request: Request) -> Response:
    net = network(request)
    net.world.faults = Faults()
    net.courier.pause(False)
    return JSONResponse(_faults(net.world.faults))


def _faults(found: Faults) -> dict:
    return {**vars(found), "errors": [vars(e) for e in found.errors]}


async def set_clock(request: Request) -> Response:
    """``{"advance_seconds": 90000}``, ``{"offset_seconds": 0}`` or ``{"at": "2026-07-18T09:00+04:00"}``."""
    net, body = network(request), await _body(request)
    if "offset_seconds" in body:
        net.world.clock.offset = float(body["offset_seconds"])
    if "at" in body:
        net.world.clock.set(datetime.fromisoformat(str(body["at"])))
    net.world.clock.advance(float(body.get("advance_seconds", 0)))
    net.courier.poke()
    return JSONResponse({"now": iso(net.world.clock.now()), "clock_offset_seconds": net.world.clock.offset})


async def set_webhook(request: Request) -> Response:
    """``{"url": "http://127.0.0.1:8000/channels/whatsapp/webhook"}``: subscribes it with Meta's handshake."""
    net, body = network(request), await _body(request)
    url = str(body.get("url", net.settings.webhook_url))
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"url: {url!r} does not begin with http:// or https://.")
    net.settings.webhook_url = url
    for name in ("max_batch", "linger"):
        if name in body:
            setattr(net.settings, name, type(getattr(net.settings, name))(body[name]))
    verified = await net.courier.verify() if net.settings.webhook_url else None
    return JSONResponse({"url": net.settings.webhook_url or None, "verified": verified})


async def add_line(request: Request) -> Response:
    """Another business number: ``phone_number_id``, ``display_phone_number``, ``name``, ``waba_id``."""
    body = await _body(request)
    if not str(body.get("phone_number_id", "")).isdigit():
        raise ValueError("phone_number_id: give one in digits, like 106540352242923.")
    line = Line(
        phone_number_id=str(body["phone_number_id"]),
        display_phone_number=str(body.get("display_phone_number", "+968 2400 0001")),
        name=str(body.get("name", "Rasd")),
        waba_id=str(body.get("waba_id", DEFAULT_WABA_ID)),
    )
    network(request).world.lines[line.phone_number_id] = line
    return JSONResponse(vars(line), 201)


async def add_template(request: Request) -> Response:
    """``{"name": ..., "language": "ar", "body": "... {{1}} ..."}``: an approved template."""
    body = await _body(request)
    if not body.get("name") or not body.get("body"):
        raise ValueError("name and body are needed: a template without them cannot be sent.")
    network(request).world.templates[str(body["name"]), str(body.get("language", "en_US"))] = str(
        body["body"]
    )
    return JSONResponse({"ok": True}, 201)


async def phones(request: Request) -> Response:
    return JSONResponse({"phones": [p.as_dict() for p in network(request).world.phones.values()]})


async def add_phone(request: Request) -> Response:
    """``number`` or ``user_id``, ``name``, ``username``; answers with the phone, the old one where it is known."""
    body = await _body(request)
    known = {k: str(body[k]) for k in ("user_id", "name", "username") if body.get(k)}
    phone = network(request).world.add_phone(str(body.get("number") or ""), **known)
    phone.reachable = True
    _change(phone, body, request)
    return JSONResponse(phone.as_dict(), 201)


async def change_phone(request: Request) -> Response:
    """``online``, ``reads``, ``reachable`` (booleans), ``name``."""
    phone = _phone(request)
    _change(phone, await _body(request), request)
    return JSONResponse(phone.as_dict())


def _change(phone: Phone, body: dict, request: Request) -> None:
    for name in ("reads", "reachable", "online"):
        if name in body and not isinstance(body[name], bool):
            raise ValueError(f"{name}: {body[name]!r} is neither true nor false.")
    phone.reads = body.get("reads", phone.reads)
    phone.reachable = body.get("reachable", phone.reachable)
    phone.name = str(body.get("name") or phone.name)
    if "online" in body:
        network(request).set_online(phone, body["online"])


async def read(request: Request) -> Response:
    """The customer opens the chat."""
    network(request).read(_phone(request))
    return JSONResponse({"ok": True})


async def send(request: Request) -> Response:
    """A message of the customer: JSON with ``type`` and its fields, or a form with ``file``."""
    net, phone = network(request), _phone(request)
    if request.headers.get("content-type", "").startswith("multipart/"):
        async with request.form(max_part_size=LARGEST_UPLOAD) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise ValueError("file: it is missing. Choose one.")
            words = {k: str(form.get(k) or "") for k in ("caption", "kind", "context")}
            message = Customer(net, phone, str(form.get("line") or "")).upload(
                await file.read(),
                file.content_type or "application/octet-stream",
                filename=file.filename or "",
                voice=form.get("voice") == "true",
                **words,
            )
    else:
        body = await _body(request)
        message = act(Customer(net, phone, str(body.pop("line", "") or "")), body)
    return JSONResponse(message.as_dict(), 201)


def act(customer: Customer, body: dict[str, Any]) -> Message:
    """What the body's ``type`` says: the fields are the parameters of the method of that name."""
    actions: dict[str, Callable[..., Message]] = {
        "text": customer.text,
        "press": customer.press,
        "choose": customer.choose,
        "location": customer.location,
        "contacts": customer.contacts,
        "reaction": customer.react,
        "edit": customer.edit,
        "revoke": customer.revoke,
        "change_number": customer.change_number,
        "change_user_id": customer.change_user_id,
        "unsupported": customer.unsupported,
        "raw": customer.raw,
    }
    kind = str(body.pop("type", "text"))
    if kind not in actions:
        raise ValueError(
            f"type: {kind!r} is none of {', '.join(actions)} (a file goes as a form with 'file')."
        )
    return actions[kind](**body)


def _seen(phone: Phone, request: Request) -> list[Message]:
    line = request.query_params.get("line")
    return [m for m in phone.messages if not m.hidden and (not line or m.line == line)]


async def chat(request: Request) -> Response:
    """The chat as the customer has it, both directions, oldest first."""
    phone = _phone(request)
    return JSONResponse({"phone": phone.as_dict(), "messages": [m.as_dict() for m in _seen(phone, request)]})


async def wait(request: Request) -> Response:
    """Long poll: the messages with ``seq`` above ``after``, as soon as there is one, or none after ``timeout`` seconds.

    ``direction`` (``in`` or ``out``) leaves the others out.
    """
    query, phone = request.query_params, _phone(request)
    after, seconds = int(query.get("after", 0)), min(float(query.get("timeout", 30)), LONGEST_WAIT)
    wanted = query.get("direction", "")

    def new() -> list[dict]:
        seen = _seen(phone, request)
        return [m.as_dict() for m in seen if m.seq > after and wanted in ("", m.direction)]

    async with phone.watched() as changed:
        found = new()
        try:
            async with asyncio.timeout(seconds):
                while not found:
                    await changed.wait()
                    changed.clear()
                    found = new()
        except TimeoutError:
            pass
    return JSONResponse({"messages": found})


async def events(request: Request) -> Response:
    """Server-sent events: ``message`` with each new or changed message, ``phone`` with the phone's state, ``world``
    with a word that is another after a reset (what a page shows is then out of date)."""
    net, phone = network(request), _phone(request)

    async def stream() -> AsyncIterator[str]:
        revision = int(request.headers.get("Last-Event-ID") or request.query_params.get("after", "0"))
        before, born = "", net.world.born
        async with phone.watched() as changed:
            yield f"event: world\ndata: {born}\n\n"
            while born == net.world.born:  # a reset ends the stream; the browser then asks for a new one
                now = net.world.clock.now()
                typing = any(until > now for until in phone.typing_until.values())
                about = json.dumps({**phone.as_dict(), "last": None, "typing": typing})
                if about != before:
                    yield f"event: phone\ndata: {about}\n\n"
                    before = about
                news = [m for m in _seen(phone, request) if m.revision > revision]  # in the order of the chat
                for message in news:
                    yield f"event: message\ndata: {json.dumps(message.as_dict())}\n\n"
                if news:
                    revision = max(m.revision for m in news)
                    yield f"id: {revision}\nevent: revision\ndata: {revision}\n\n"
                try:
                    async with asyncio.timeout(5.0):
                        await changed.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                changed.clear()

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


async def media(request: Request) -> Response:
    """A file for the pages, without a token."""
    found = network(request).world.media.get(request.path_params["media_id"])
    if found is None:
        raise NotKnownError("media: no such file, or it has expired.")
    return FileResponse(found.path, media_type=found.mime_type, content_disposition_type="inline")


async def deliveries(request: Request) -> Response:
    """The webhook calls, newest first (``limit`` of them, 200 unless told), and their latency."""
    net, limit = network(request), int(request.query_params.get("limit", SHOWN_DELIVERIES))
    newest = list(net.courier.record)[-limit:][::-1] if limit else []
    return JSONResponse({"summary": net.summary(), "deliveries": [d.as_dict() for d in newest]})


async def retry(request: Request) -> Response:
    """What waits to be repeated goes at once."""
    return JSONResponse({"repeated": network(request).courier.retry_now()})


async def load_state(request: Request) -> Response:
    return JSONResponse(getattr(request.app.state, "load", None) or {"state": "none"})


async def start_load(request: Request) -> Response:
    """Many messages at once; see ``load.Plan`` for the fields (a form: ``plan`` as JSON, and ``photo`` files)."""
    if getattr(request.app.state, "load", {}).get("state") == "running":
        raise ValueError("A load is running. Wait for its end (GET /_emulator/load) or reset.")
    async with request.form(max_files=1000, max_part_size=LARGEST_UPLOAD) as form:
        plan = load.Plan(**json.loads(str(form.get("plan") or "{}")))
        photos = [
            (await f.read(), f.content_type or "image/jpeg")
            for f in form.getlist("photo")
            if isinstance(f, UploadFile)
        ]
    plan.check(photos, network(request).settings.webhook_url)
    request.app.state.load = progress = {"state": "running", "sent": 0, "photos": 0, "seconds": 0.0}
    network(request).later(load.run(network(request), plan, photos, progress))
    return JSONResponse(progress, 202)
