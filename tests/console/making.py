"""A very small made-up utility: rows as the other rooms leave them, and photographs that we drew."""

import io
import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from PIL import Image, ImageDraw, ImageFont

from rasd.channels.models import Address, Delivery, Incoming, Line, Media, Outgoing
from rasd.desk.models import Contact, Conversation, Message, Queue
from rasd.ledger import evidence
from rasd.metering.models import (
    Account,
    AccountContact,
    Cycle,
    Judgement,
    Meter,
    Photograph,
    Reading,
    Register,
    Review,
    ServicePoint,
    Submission,
)

BOX = (0.2, 0.4, 0.6, 0.16)
NAMES = ("سالم المثال", "Made-up Maryam", "نورة التجربة", "Example Ahmed")


def photograph_of(digits: str) -> bytes:
    """A drawn meter (no photograph of anybody's): its counter lies in ``BOX``."""
    picture = Image.new("RGB", (1200, 900), "#8d9699")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((150, 90, 1050, 830), 60, fill="#d9dde0", outline="#666", width=6)
    draw.text((600, 200), "kWh", fill="#333", anchor="mm", font=ImageFont.load_default(60))
    left, top, width, height = 240, 360, 720, 144
    draw.rectangle((left, top, left + width, top + height), fill="#111")
    step = width / len(digits)
    for place, digit in enumerate(digits):
        x = left + step * place
        draw.rectangle((x + 6, top + 8, x + step - 6, top + height - 8), fill="#1c1c1c", outline="#444")
        draw.text(
            (x + step / 2, top + height / 2),
            digit,
            fill="#f4f4f4",
            anchor="mm",
            font=ImageFont.load_default(110),
        )
    draw.ellipse((480, 590, 720, 790), fill="#b9bec2", outline="#777", width=5)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


def seen(digits: str, *, doubt_at: int | None = None, decision: str = "review") -> dict[str, Any]:
    """What the reader would say of such a photograph, in the form that metering stores."""
    readings = []
    for place, digit in enumerate(digits):
        sure = 0.55 if place == doubt_at else 0.985
        probabilities = [(1 - sure) / 9] * 10
        probabilities[int(digit)] = sure
        if place == doubt_at:
            probabilities[(int(digit) + 3) % 10] += 0.3
            probabilities = [each / sum(probabilities) for each in probabilities]
        x, y, width, height = BOX
        each = width / len(digits)
        readings.append(
            {"probabilities": probabilities, "box": [x + place * each, y, each, height], "decimal": False}
        )
    return {
        "digits": digits,
        "decimals": 0,
        "value": digits.lstrip("0") or "0",
        "confidence": 0.55 if doubt_at is not None else 0.93,
        "decision": decision,
        "reason": "unsure",
        "kind": "roller",
        "digit_readings": readings,
        "candidates": [{"digits": digits, "value": digits, "probability": 0.55}],
        "findings": [{"code": "glare", "severity": "note", "text": "Light is reflected on the counter."}],
        "counter_box": list(BOX),
        "serials": ["K123456"],
        "model": "drawn",
        "milliseconds": 120.0,
    }


class Utility:
    """One line, and as many customers as are asked for."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.count = itertools.count(1)
        self.line = Line.objects.create(
            channel="whatsapp",
            purpose="readings",
            external_id="100",
            name="Readings",
            display_address="+968 2400 0000",
        )
        self.queue = Queue.objects.create(name="First line", answer_within=timedelta(minutes=30))
        self.delivery = Delivery.objects.create(channel="whatsapp", body=b"{}")

    def cycle(self, *, opens: int = -3, days: int = 10) -> Cycle:
        today = timezone.localdate(self.now)
        return Cycle.objects.get_or_create(
            name=f"{today:%Y-%m}",
            defaults={
                "window_opens": today + timedelta(days=opens),
                "window_closes": today + timedelta(days=opens + days),
            },
        )[0]

    def point(self, *, last: int = 4100, digits: int = 5, decimals: int = 0) -> ServicePoint:
        """A home with fourteen monthly readings that end in ``last`` a month ago."""
        n = next(self.count)
        account = Account.objects.create(number=f"A{n:06}", holder_name=NAMES[n % len(NAMES)])
        AccountContact.objects.create(account=account, identifier=f"tel:+9689000{n:04}")
        point = ServicePoint.objects.create(
            number=f"SP{n:06}", account=account, place=f"الخوض، سكة {n}", district="السيب"
        )
        meter = Meter.objects.create(
            service_point=point, serial=f"K{n:06}", installed_on=(self.now - timedelta(days=900)).date()
        )
        register = Register.objects.create(meter=meter, digits=digits, decimals=decimals)
        use = 330
        Reading.objects.bulk_create(
            Reading(
                service_point=point,
                register=register,
                value=Decimal(max(last - use * back, 0)),
                source="field" if back % 2 else "customer",
                taken_at=self.now - timedelta(days=30 + 30 * back),
            )
            for back in range(13, -1, -1)
        )
        return point

    def conversation(self, *, name: str = "") -> Conversation:
        n = next(self.count)
        address = Address.objects.create(
            channel="whatsapp",
            phone=f"+9689000{n:04}",
            profile_name=name or NAMES[n % len(NAMES)],
            last_wrote_at=self.now,
        )
        return Conversation.objects.create(
            line=self.line,
            address=address,
            contact=Contact.objects.create(name=address.profile_name),
            opened_at=self.now,
            last_message_at=self.now,
        )

    def writes(
        self, conversation: Conversation, text: str, *, minutes_ago: float = 0, kind: str = "text"
    ) -> Message:
        at = self.now - timedelta(minutes=minutes_ago)
        incoming = Incoming.objects.create(
            line=self.line,
            address=conversation.address,
            delivery=self.delivery,
            external_id=f"wamid.{next(self.count)}",
            kind=kind,
            text=text,
            payload={},
            sent_at=at,
        )
        return Message.objects.create(conversation=conversation, at=at, incoming=incoming)

    def sends_photograph(self, conversation: Conversation, digits: str, *, minutes_ago: float = 0) -> Message:
        message = self.writes(conversation, "", minutes_ago=minutes_ago, kind="image")
        sha256, size = evidence.keep([photograph_of(digits)], limit=10_000_000)
        Media.objects.create(
            incoming=message.incoming,
            external_id="m1",
            gives_up_at=self.now,
            stored_at=self.now,
            sha256=sha256,
            size=size,
            content_type="image/jpeg",
        )
        return message

    def says(
        self, conversation: Conversation, text: str, *, minutes_ago: float = 0, **reached: Any
    ) -> Message:
        at = self.now - timedelta(minutes=minutes_ago)
        buttons = reached.pop("buttons", None)
        outgoing = Outgoing.objects.create(
            line=self.line,
            address=conversation.address,
            key=f"k{next(self.count)}",
            kind="buttons" if buttons else "text",
            text=text,
            content={"buttons": [{"id": each, "title": each} for each in buttons]} if buttons else {},
            **reached,
        )
        return Message.objects.create(conversation=conversation, at=at, outgoing=outgoing)

    def submission(
        self,
        digits: str = "04521",
        *,
        point: ServicePoint | None = None,
        message: Message | None = None,
        doubt_at: int | None = 2,
        hours_ago: float = 1,
        typed: str = "",
    ) -> Submission:
        n = next(self.count)
        sent_at = message.at if message else self.now - timedelta(hours=hours_ago)
        origin = f"whatsapp:{message.incoming.external_id}" if message else f"whatsapp:wamid.s{n}"
        submission = Submission.objects.create(
            identifier=f"tel:+9689000{n:04}",
            origin=origin,
            conversation=str(message.conversation) if message else "",
            service_point=point,
            cycle=self.cycle() if point else None,
            sent_at=sent_at,
            typed=typed,
        )
        if not typed:
            sha256, _size = evidence.keep([photograph_of(digits)], limit=10_000_000)
            Photograph.objects.create(
                submission=submission,
                origin=origin,
                sha256=sha256,
                sent_at=sent_at,
                read_at=sent_at,
                seen=seen(digits, doubt_at=doubt_at),
                model="drawn",
            )
        return submission

    def review(self, digits: str = "04521", *, point: ServicePoint | None = None, **more: Any) -> Review:
        """A photograph before a person."""
        submission = self.submission(digits, point=point or self.point(), **more)
        Judgement.objects.create(
            submission=submission,
            actor="machine:reader",
            verdict="review",
            value=Decimal(digits),
            confidence=0.55,
            why="unsure",
        )
        return Review.objects.create(
            submission=submission,
            why="unsure",
            opened_at=submission.sent_at + timedelta(seconds=next(self.count)),
        )
