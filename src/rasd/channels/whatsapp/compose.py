"""What we send, as the Cloud API wants it, checked when it is queued and not when it is too late.

Limits: ``components/schemas`` of Meta's OpenAPI v23.0 and developers.facebook.com, "Messages".
"""

import re
from typing import Any

from rasd.channels.models import Outgoing
from rasd.channels.rules import TEMPLATE_TEXT_MAX
from rasd.channels.whatsapp.payload import Status

TEXT_MAX = 4096
BODY_MAX = CAPTION_MAX = 1024
BUTTONS_MAX, BUTTON_TITLE_MAX, BUTTON_ID_MAX = 3, 20, 256
ROWS_MAX, ROW_TITLE_MAX, ROW_ID_MAX, ROW_DESCRIPTION_MAX = 10, 24, 200, 72

Kind = Outgoing.Kind


def check(kind: str, text: str, content: dict[str, Any]) -> None:
    """Raise ValueError where the Cloud API would refuse it; the message names the field, the limit and the mend."""
    if kind not in Kind.values:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(Kind.values)}")
    if template := content.get("template"):
        for name in ("name", "language"):
            if not isinstance(template.get(name), str) or not template[name]:
                raise ValueError(f"template.{name}: missing")
    match kind:
        case Kind.TEXT:
            _length("text", text, TEXT_MAX)
        case Kind.IMAGE:
            if bool(content.get("sha256")) == bool(content.get("link")):
                raise ValueError("image: give either sha256 (of evidence) or link")
            if len(text) > CAPTION_MAX:
                raise ValueError(f"text: {len(text)} characters; a caption may have {CAPTION_MAX}")
        case Kind.BUTTONS:
            _length("text", text, BODY_MAX)
            _each(
                "buttons",
                content.get("buttons"),
                BUTTONS_MAX,
                {"id": BUTTON_ID_MAX, "title": BUTTON_TITLE_MAX},
                {"id", "title"},
            )
        case Kind.CHOICES:
            _length("text", text, TEXT_MAX)
            _length("button", content.get("button"), BUTTON_TITLE_MAX)
            _each("rows", content.get("rows"), ROWS_MAX, {"id": ROW_ID_MAX, "title": ROW_TITLE_MAX}, {"id"})
            for number, row in enumerate(content["rows"]):
                if len(row.get("description") or "") > ROW_DESCRIPTION_MAX:
                    raise ValueError(
                        f"rows[{number}].description: more than {ROW_DESCRIPTION_MAX} characters"
                    )
        case Kind.TEMPLATE if not template:
            raise ValueError("template: missing; give its name and language")


def _length(field: str, value: object, longest: int) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{field}: missing or empty")
    if len(value) > longest:
        raise ValueError(
            f"{field}: {len(value)} characters; WhatsApp takes {longest}. Shorten {value[:40]!r}"
        )


def _each(field: str, rows: object, most: int, lengths: dict[str, int], unique: set[str]) -> None:
    if not isinstance(rows, list) or not 1 <= len(rows) <= most:
        raise ValueError(f"{field}: there may be 1 to {most}")
    for number, row in enumerate(rows):
        for name, longest in lengths.items():
            _length(f"{field}[{number}].{name}", row.get(name) if isinstance(row, dict) else None, longest)
    for name in unique:
        if len({row[name] for row in rows}) < len(rows):
            raise ValueError(f"{field}: two have the same {name}")


def template_of(outgoing: Outgoing) -> dict[str, Any] | None:
    """The template that carries this message where the window is closed: its own, or the line's with the text in it; with
    ``content["in_short"]`` in its place where the text would be too long for it."""
    if own := outgoing.content.get("template"):
        return dict(own)
    default = outgoing.line.reopening_template
    if default.get("name") and outgoing.text:
        text = outgoing.text
        if len(_parameter(text)) > TEMPLATE_TEXT_MAX:
            text = outgoing.content.get("in_short", text)
        return {**default, "parameters": [text]}
    return None


def fault_of_template(outgoing: Outgoing) -> str:
    """Why it cannot go inside a template; empty where it can. It is not cut: the customer would have half an answer, and nobody
    would know."""
    longest = max(
        (len(_parameter(str(each))) for each in (template_of(outgoing) or {}).get("parameters", [])),
        default=0,
    )
    if longest <= TEMPLATE_TEXT_MAX:
        return ""
    return (
        f"the customer last wrote more than 24 hours ago, and the template in which it would go takes {TEMPLATE_TEXT_MAX}"
        f" characters, not {longest}: send it in parts"
    )


def body(outgoing: Outgoing, *, as_template: bool) -> dict[str, Any]:
    """The body of ``POST /{phone-number-id}/messages``; an image kept as evidence still stands in it as ``sha256``."""
    kind, part = _template(outgoing) if as_template else _part(outgoing)
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        # The number where there is one; someone who hides it is written to by the user id.
        **(
            {"to": outgoing.address.phone}
            if outgoing.address.phone
            else {"recipient": outgoing.address.user_id}
        ),
        "type": kind,
        kind: part,
        **({"context": {"message_id": outgoing.replies_to.external_id}} if outgoing.replies_to else {}),
        "biz_opaque_callback_data": outgoing.key,
    }


def _part(outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
    content, text = outgoing.content, outgoing.text
    match outgoing.kind:
        case Kind.IMAGE:
            source = {"link": content["link"]} if content.get("link") else {"sha256": content["sha256"]}
            return "image", {**source, **({"caption": text} if text else {})}
        case Kind.BUTTONS:
            buttons = [
                {"type": "reply", "reply": {"id": b["id"], "title": b["title"]}} for b in content["buttons"]
            ]
            part: dict[str, Any] = {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}}
            if sha256 := content.get("picture"):
                part["header"] = {"type": "image", "image": {"sha256": sha256}}
            return "interactive", part
        case Kind.CHOICES:
            rows = [
                {k: row[k] for k in ("id", "title", "description") if row.get(k)} for row in content["rows"]
            ]
            action = {"button": content["button"], "sections": [{"rows": rows}]}
            return "interactive", {"type": "list", "body": {"text": text}, "action": action}
        case _:
            return "text", {"body": text}


def _template(outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
    template = template_of(outgoing) or {}
    parameters = [{"type": "text", "text": _parameter(str(p))} for p in template.get("parameters", [])]
    part: dict[str, Any] = {"name": template["name"], "language": {"code": template["language"]}}
    components: list[dict[str, Any]] = [{"type": "body", "parameters": parameters}] if parameters else []
    for place, button in enumerate(template.get("buttons", [])):
        pressed = [{"type": "payload", "payload": button}]
        components.append(
            {"type": "button", "sub_type": "quick_reply", "index": str(place), "parameters": pressed}
        )
    if components:
        part["components"] = components
    return "template", part


def _parameter(text: str) -> str:
    """A template's parameter may have no line break, no tab and no more than four spaces in a row."""
    flat = re.sub(r"\s*\n\s*", " · ", text.strip())
    return re.sub(r"[\t ]+", " ", flat)


def failure_of(status: dict[str, Any]) -> tuple[int | None, str]:
    """Meta's code and words in a ``failed`` status."""
    errors = Status.model_validate(status).errors
    if not errors:
        return None, "Meta reports a failure without a reason"
    return errors[0].number, "; ".join(str(error) for error in errors)
