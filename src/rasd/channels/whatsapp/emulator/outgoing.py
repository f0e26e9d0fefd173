"""What a business may send: the checks that Meta makes before it accepts a message.

Lengths and counts: the ``components/schemas`` of Meta's OpenAPI v23.0 (ActionObject, SectionObject, MessageContext) and
developers.facebook.com, "Messages". Each check answers with Meta's code and names the field.
"""

import re
from collections.abc import Callable
from typing import Any

from .errors import GraphError
from .media import LIMITS, MediaStore, bare

TEXT_MAX = 4096
BODY_MAX = 1024
CAPTION_MAX = 1024
HEADER_MAX = FOOTER_MAX = 60
BUTTONS_MAX = 3
BUTTON_TITLE_MAX = 20
BUTTON_ID_MAX = 256
ROWS_MAX = SECTIONS_MAX = 10
ROW_ID_MAX = 200
ROW_TITLE_MAX = SECTION_TITLE_MAX = 24
ROW_DESCRIPTION_MAX = 72
OPAQUE_MAX = 512
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")

Templates = dict[tuple[str, str], str]


def check(payload: dict, media: MediaStore, templates: Templates) -> tuple[str, Any, str]:
    """Checks a body of ``POST /{phone-number-id}/messages``.

    Returns:
        The message's type, its content (the part under the type's name) and its text as a person would read it.

    Raises:
        GraphError: 100, 131008, 131009, 131051, 131053, 132000 or 132001, as Meta would answer.
    """
    if payload.get("messaging_product") != "whatsapp":
        raise GraphError(100, "messaging_product must be 'whatsapp'.")
    if len(str(payload.get("biz_opaque_callback_data") or "")) > OPAQUE_MAX:
        raise GraphError(131009, f"biz_opaque_callback_data may have {OPAQUE_MAX} characters at most.")
    kind = payload.get("type", "text")
    if kind in LIMITS:
        return kind, *_media(kind, _object(payload, kind), media)
    if kind == "template":
        return kind, *_template(_object(payload, kind), templates)
    if kind == "contacts":
        return kind, *_contacts(payload.get("contacts"))
    checks: dict[str, Callable[[dict], tuple[dict, str]]] = {
        "text": _text,
        "location": _location,
        "reaction": _reaction,
        "interactive": _interactive,
    }
    if kind not in checks:
        raise GraphError(131051, f"type: {kind!r} cannot be sent, or this emulator does not know it.")
    return kind, *checks[kind](_object(payload, kind))


def _text(text: dict) -> tuple[dict, str]:
    body = _string(text, "text.body", "body", TEXT_MAX)
    return {"body": body, **({"preview_url": True} if text.get("preview_url") else {})}, body


def _media(kind: str, part: dict, store: MediaStore) -> tuple[dict, str]:
    if bool(part.get("id")) == bool(part.get("link")):
        raise GraphError(131009, f"{kind}: give either id or link.")
    if part.get("link") and not str(part["link"]).startswith(("http://", "https://")):
        raise GraphError(131009, f"{kind}.link must begin with http:// or https://.")
    caption = part.get("caption") or ""
    if caption and kind in {"audio", "sticker"}:
        raise GraphError(100, f"{kind}.caption: {kind} has no caption.")
    if len(caption) > CAPTION_MAX:
        raise GraphError(131009, f"{kind}.caption may have {CAPTION_MAX} characters at most.")
    if part.get("id"):
        found = store.get(str(part["id"]))
        if found is None:
            raise GraphError(131009, f"{kind}.id: no media {part['id']}, or it has expired. Upload it again.")
        size_max, types = LIMITS[kind]
        if types and bare(found.mime_type) not in types:
            raise GraphError(131053, f"{kind}.id: {found.mime_type} cannot be sent as {kind}.")
        if found.size > size_max:
            raise GraphError(131053, f"{kind}.id: {found.size} bytes; {kind} may have {size_max} at most.")
    return {k: part[k] for k in ("id", "link", "caption", "filename", "voice") if part.get(k)}, caption


def _location(part: dict) -> tuple[dict, str]:
    for name, bound in (("latitude", 90), ("longitude", 180)):
        try:
            value = float(part[name])
        except KeyError:
            raise GraphError(131008, f"location.{name} is missing.") from None
        except (TypeError, ValueError):
            raise GraphError(131009, f"location.{name}: {part[name]!r} is not a number.") from None
        if abs(value) > bound:
            raise GraphError(131009, f"location.{name}: {value} is not between -{bound} and {bound}.")
    return dict(part), " ".join(str(part[k]) for k in ("name", "address") if part.get(k))


def _reaction(part: dict) -> tuple[dict, str]:
    _string(part, "reaction.message_id", "message_id", 512)
    return {"message_id": part["message_id"], "emoji": part.get("emoji") or ""}, part.get("emoji") or ""


def _contacts(part: object) -> tuple[list, str]:
    if not isinstance(part, list) or not part:
        raise GraphError(131008, "contacts must be a list of at least one contact.")
    names = [(c.get("name") or {}).get("formatted_name") for c in part if isinstance(c, dict)]
    if len(names) < len(part) or not all(names):
        raise GraphError(
            131009, f"contacts[{names.index(None) if None in names else 0}].name.formatted_name is missing."
        )
    return part, ", ".join(str(n) for n in names)


def _interactive(part: dict) -> tuple[dict, str]:
    kind = part.get("type")
    body_max = TEXT_MAX if kind == "list" else BODY_MAX
    text = _string(_object(part, "body", "interactive."), "interactive.body.text", "text", body_max)
    for name, longest in (("header", HEADER_MAX), ("footer", FOOTER_MAX)):
        if isinstance(part.get(name), dict) and "text" in part[name]:
            _string(part[name], f"interactive.{name}.text", "text", longest)
    action = _object(part, "action", "interactive.")
    if kind == "button":
        _buttons(action.get("buttons"))
    elif kind == "list":
        _string(action, "interactive.action.button", "button", BUTTON_TITLE_MAX)
        _sections(action.get("sections"))
    elif kind == "cta_url":
        parameters = _object(action, "parameters", "interactive.action.")
        _string(parameters, "interactive.action.parameters.display_text", "display_text", BUTTON_TITLE_MAX)
        if not str(parameters.get("url", "")).startswith(("http://", "https://")):
            raise GraphError(131009, "interactive.action.parameters.url must begin with http:// or https://.")
    elif kind != "location_request_message":
        raise GraphError(131009, f"interactive.type: {kind!r} is unknown, or this emulator does not know it.")
    return part, text


def _buttons(buttons: object) -> None:
    field = "interactive.action.buttons"
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= BUTTONS_MAX:
        raise GraphError(131009, f"{field}: there may be 1 to {BUTTONS_MAX} buttons.")
    replies = []
    for row, button in enumerate(buttons):
        if not isinstance(button, dict) or button.get("type") != "reply":
            raise GraphError(131009, f"{field}[{row}].type must be 'reply'.")
        reply = _object(button, "reply", f"{field}[{row}].")
        _string(reply, f"{field}[{row}].reply.title", "title", BUTTON_TITLE_MAX)
        _string(reply, f"{field}[{row}].reply.id", "id", BUTTON_ID_MAX)
        replies.append(reply)
    for name in ("id", "title"):
        if len({r[name] for r in replies}) < len(replies):
            raise GraphError(131009, f"{field}: two buttons have the same {name}.")


def _sections(sections: object) -> None:
    field = "interactive.action.sections"
    if not isinstance(sections, list) or not 1 <= len(sections) <= SECTIONS_MAX:
        raise GraphError(131009, f"{field}: there may be 1 to {SECTIONS_MAX} sections.")
    ids: list[str] = []
    for i, section in enumerate(sections):
        if not isinstance(section, dict) or not isinstance(section.get("rows"), list) or not section["rows"]:
            raise GraphError(131009, f"{field}[{i}].rows must be a list of at least one row.")
        if len(sections) > 1 or section.get("title"):
            _string(section, f"{field}[{i}].title", "title", SECTION_TITLE_MAX)
        for j, row in enumerate(section["rows"]):
            where = f"{field}[{i}].rows[{j}]"
            ids.append(_string(row, f"{where}.id", "id", ROW_ID_MAX))
            _string(row, f"{where}.title", "title", ROW_TITLE_MAX)
            if len(row.get("description") or "") > ROW_DESCRIPTION_MAX:
                raise GraphError(
                    131009, f"{where}.description may have {ROW_DESCRIPTION_MAX} characters at most."
                )
    if len(ids) > ROWS_MAX:
        raise GraphError(131009, f"{field}: {len(ids)} rows; there may be {ROWS_MAX} in all.")
    if len(set(ids)) < len(ids):
        raise GraphError(131009, f"{field}: two rows have the same id.")


def _template(part: dict, templates: Templates) -> tuple[dict, str]:
    name = _string(part, "template.name", "name", 512)
    language = _string(_object(part, "language", "template."), "template.language.code", "code", 32)
    body = templates.get((name, language))
    if body is None:
        there = ", ".join(f"{n} ({code})" for n, code in templates) or "none"
        raise GraphError(132001, f"template name ({name}) does not exist in {language}. There are: {there}.")
    components = part.get("components") or []
    given = [
        p
        for c in components
        if isinstance(c, dict) and str(c.get("type", "")).lower() == "body"
        for p in c.get("parameters") or []
    ]
    wanted = list(dict.fromkeys(PLACEHOLDER.findall(body)))
    if len(given) != len(wanted):
        raise GraphError(132000, f"body: {len(given)} parameters given; the template has {len(wanted)}.")
    values = {p.get("parameter_name") or wanted[i]: _parameter(p) for i, p in enumerate(given)}
    return part, PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), body)


def _parameter(parameter: dict) -> str:
    value = parameter.get(parameter.get("type", "text"))
    return str(value.get("fallback_value", "")) if isinstance(value, dict) else str(value)


def _object(part: dict, name: str, path: str = "") -> dict:
    value = part.get(name)
    if not isinstance(value, dict):
        raise GraphError(131008, f"{path}{name} is missing or not an object.")
    return value


def _string(part: dict, path: str, name: str, longest: int) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    if value is None or value == "":
        raise GraphError(131008, f"{path} is missing or empty.")
    if not isinstance(value, str):
        raise GraphError(131009, f"{path}: {value!r} is not a string.")
    if len(value) > longest:
        raise GraphError(131009, f"{path}: {len(value)} characters; there may be {longest} at most.")
    return value
