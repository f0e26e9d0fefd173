"""The Cloud API's routes, as far as a business that answers its customers uses them."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .errors import GraphError
from .media import ACCEPTED, LIMITS, UPLOAD_ID_SECONDS, bare
from .network import Network
from .outgoing import PLACEHOLDER
from .settings import Line

LARGEST_UPLOAD = max(size for size, _ in LIMITS.values())
Answer = Callable[[Request], Awaitable[Response]]


class _Version(Convertor[str]):
    regex = r"v\d+\.\d+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("graphversion", _Version())


def network(request: Request) -> Network:
    """The emulator that this request came to."""
    found: Network = request.app.state.network
    return found


def routes() -> list[BaseRoute]:
    """All routes of the Cloud API, and the address of media."""
    v = "/{version:graphversion}/{node}"
    return [
        Route(f"{v}/messages", _api(send), methods=["POST"]),
        Route(f"{v}/media", _api(upload), methods=["POST"]),
        Route(f"{v}/whatsapp_business_profile", _api(profile), methods=["GET"]),
        Route(f"{v}/phone_numbers", _api(phone_numbers), methods=["GET"]),
        Route(f"{v}/message_templates", _api(templates), methods=["GET"]),
        Route(f"{v}/message_templates", _api(create_template), methods=["POST"]),
        Route(v, _api(look_up), methods=["GET"]),
        Route(v, _api(delete), methods=["DELETE"]),
        Route("/whatsapp_business/attachments/", download, methods=["GET"]),
        Route("/{version:graphversion}/{rest:path}", _api(unknown), methods=["GET", "POST", "DELETE"]),
    ]


def _api(answer: Answer) -> Answer:
    """Checks the token, waits the latency switched on, and turns a GraphError into Meta's JSON."""

    async def endpoint(request: Request) -> Response:
        latency = network(request).world.faults.latency
        if latency:
            await asyncio.sleep(latency)
        try:
            _authorise(request)
            return await answer(request)
        except GraphError as e:
            return JSONResponse(e.body(), e.status)

    return endpoint


def _authorise(request: Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not hmac.compare_digest(
        token.strip().encode(), network(request).settings.token.encode()
    ):
        raise GraphError(190, "Send the emulator's token: Authorization: Bearer TOKEN.")


def _line(request: Request) -> Line:
    node = request.path_params["node"]
    try:
        return network(request).world.lines[node]
    except KeyError:
        raise _no_object(node, request.method) from None


def _no_object(node: str, method: str) -> GraphError:
    return GraphError(
        100,
        message=f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation.",
        subcode=33,
    )


async def _json(request: Request) -> dict:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return body


async def send(request: Request) -> Response:
    """``POST /{phone-number-id}/messages``: a message, a read receipt or a typing indicator."""
    net, line, body = network(request), _line(request), await _json(request)
    if "status" in body:
        if body["status"] != "read":
            raise GraphError(131009, f"status: {body['status']!r} is not 'read'.")
        net.mark_read(line, str(body.get("message_id") or ""), typing="typing_indicator" in body)
        return JSONResponse({"success": True})
    answer = net.accept(line, body)
    if net.world.faults.take("die_after_accepting"):
        await _hang_up(request)
    return JSONResponse(answer)


async def _hang_up(request: Request) -> None:
    """Drops the connection without an answer, as if the line went dead after Meta had taken the message."""
    transport = request.scope.get("rasd.transport")
    if transport is None:
        raise ConnectionAbortedError("dropped on purpose (die_after_accepting)")
    transport.abort()
    await asyncio.sleep(
        0.02
    )  # uvicorn learns of it in the next turn of its loop, and then drops the answer too


async def upload(request: Request) -> Response:
    """``POST /{phone-number-id}/media`` (multipart: file, messaging_product, type)."""
    line = _line(request)
    async with request.form(max_part_size=LARGEST_UPLOAD) as form:
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product is required and must be 'whatsapp'.")
        if not isinstance(file, UploadFile):
            raise GraphError(131008, "The parameter file is required.")
        mime_type = str(form.get("type") or file.content_type or "")
        if "/" not in mime_type:  # "type=webp", as one of Meta's own examples has it
            mime_type = file.content_type or mime_type
        if bare(mime_type) not in ACCEPTED:
            kinds = ", ".join(sorted(ACCEPTED))
            raise GraphError(
                100, f"Param file must be a file of one of these types: {kinds}. It is {mime_type or 'none'}."
            )
        data, filename = await file.read(), file.filename or ""
    kind = next((k for k, (_, types) in LIMITS.items() if bare(mime_type) in types), "document")
    most = LIMITS[kind][0]
    if len(data) > most:
        raise GraphError(131053, f"file: {len(data)} bytes; {kind} may have {most} at most.")
    media = network(request).world.media.add(
        data, mime_type, filename=filename, phone_number_id=line.phone_number_id, seconds=UPLOAD_ID_SECONDS
    )
    return JSONResponse({"id": media.id})


async def look_up(request: Request) -> Response:
    """``GET /{id}`` of a media file, a business number or an account."""
    net, node = network(request), request.path_params["node"]
    if node in net.world.lines:
        return JSONResponse(_chosen(_number(net.world.lines[node]), request))
    if any(line.waba_id == node for line in net.world.lines.values()):
        return JSONResponse({"id": node, "name": "Emulator account", "currency": "OMR", "timezone_id": "1"})
    media = net.world.media.get(node)
    wanted_line = request.query_params.get("phone_number_id")
    if media is None or (wanted_line and media.phone_number_id != wanted_line):
        raise _no_object(node, "GET")
    if net.world.faults.take("media_lookup_failures"):
        raise GraphError(131000)
    base = net.settings.public_url or str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "url": net.world.media.url(media, base),
            "mime_type": media.mime_type,
            "sha256": media.sha256.hex(),
            "file_size": media.size,
            "id": media.id,
            "messaging_product": "whatsapp",
        }
    )


async def delete(request: Request) -> Response:
    """``DELETE /{media-id}``."""
    net, node = network(request), request.path_params["node"]
    if net.world.media.get(node) is None:
        raise _no_object(node, "DELETE")
    net.world.media.delete(node)
    return JSONResponse({"success": True})


async def download(request: Request) -> Response:
    """The address of a media file: 401 without the token, 404 when it is older than 5 minutes."""
    net, query = network(request), request.query_params
    try:
        _authorise(request)
    except GraphError as e:
        return JSONResponse(e.body(), e.status)
    if net.world.faults.take("media_failures"):
        return Response("media dropped on purpose", net.world.faults.media_status, media_type="text/plain")
    media = net.world.media.opened(query.get("mid", ""), query.get("ext", ""), query.get("hash", ""))
    if media is None:
        return Response("URL signature expired", 404, media_type="text/plain")
    return FileResponse(media.path, media_type=media.mime_type)


async def profile(request: Request) -> Response:
    """``GET /{phone-number-id}/whatsapp_business_profile``."""
    line = _line(request)
    about = {"messaging_product": "whatsapp", "about": f"{line.name} (emulator)", "vertical": "GOVT"}
    return JSONResponse({"data": [about]})


async def phone_numbers(request: Request) -> Response:
    """``GET /{waba-id}/phone_numbers``."""
    node = request.path_params["node"]
    lines = [line for line in network(request).world.lines.values() if line.waba_id == node]
    if not lines:
        raise _no_object(node, "GET")
    return JSONResponse({"data": [_chosen(_number(line), request) for line in lines]})


async def templates(request: Request) -> Response:
    """``GET /{waba-id}/message_templates``: all are approved."""
    node, world = request.path_params["node"], network(request).world
    data = [_template(name, language, body) for (name, language), body in world.templates.items()]
    if all(line.waba_id != node for line in world.lines.values()):
        raise _no_object(node, "GET")
    name = request.query_params.get("name")
    return JSONResponse({"data": [t for t in data if not name or t["name"] == name], "paging": {}})


async def create_template(request: Request) -> Response:
    """``POST /{waba-id}/message_templates``: approved at once, which Meta does not do."""
    body = await _json(request)
    texts = [
        c.get("text", "") for c in body.get("components") or [] if str(c.get("type", "")).upper() == "BODY"
    ]
    if not body.get("name") or not body.get("language") or not texts:
        raise GraphError(100, "name, language and a component of type BODY with text are required.")
    network(request).world.templates[body["name"], body["language"]] = texts[0]
    made = _template(body["name"], body["language"], texts[0])
    return JSONResponse({"id": made["id"], "status": "APPROVED", "category": body.get("category", "UTILITY")})


async def unknown(request: Request) -> Response:
    """A part of the Graph API that this emulator does not have."""
    raise GraphError(
        100, message=f"This emulator does not know {request.method} {request.url.path}.", status=404
    )


def _number(line: Line) -> dict:
    return {
        "id": line.phone_number_id,
        "verified_name": line.name,
        "display_phone_number": line.display_phone_number,
        "code_verification_status": "VERIFIED",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {},
    }


def _chosen(found: dict, request: Request) -> dict:
    """Only the ``fields`` that were asked for, and the id."""
    fields = {f for f in request.query_params.get("fields", "").split(",") if f}
    return {k: v for k, v in found.items() if not fields or k in fields or k == "id"}


def _template(name: str, language: str, body: str) -> dict:
    return {
        "id": str(int.from_bytes(f"{name}{language}".encode()[:7], "big")),
        "name": name,
        "language": language,
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL" if all(p.isdigit() for p in PLACEHOLDER.findall(body)) else "NAMED",
        "components": [{"type": "BODY", "text": body}],
    }
