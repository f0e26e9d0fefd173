"""Made-up services, errands, plans and visits, as real as the rows that the watch writes itself. Invented, all of it."""

import hashlib
import io
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from rasd.watch.evidence.box import Box
from rasd.watch.journeys.saying import said
from rasd.watch.journeys.written import Channel
from rasd.watch.models import JourneyFile, Plan, Probe, Skip, Target, Watcher
from rasd.watch.players.conversation import Conversation, Line, News, Who
from rasd.watch.players.finding import Exhibit, ExhibitKind, Finding, Moment, Outcome, Trouble
from rasd.watch.players.playing import CHANNEL_OF
from rasd.watch.players.report import Report, SelfCheck
from rasd.watch.verdicts import Verdict, done_after, judge

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
"""Sunday, half past ten in Muscat."""

A_TICKET = """
journey: open-a-ticket
title: {ar: أفتح بلاغًا عن انقطاع, en: I report an outage}
target: helpdesk
who: {language: ar, dialect: omani, device: phone, network: 4g, patience: 3m}
steps:
  - open: /
  - press: بلاغ جديد
  - fill: {الاسم: "{someone.name}", البريد: "{someone.email}", المشكلة: انقطعت الكهرباء عن البيت}
    note: ثلاثة حقول لا أكثر
  - press: أرسل
done:
  - see: وصل بلاغك
  - mail: {subject: رقم البلاغ, keep: {number: '\\d+'}}
    within: 90s
"""

A_CHAT = """
journey: ask-about-the-bill
title: {ar: أسأل عن فاتورتي في المحادثة, en: I ask about my bill in the chat}
target: helpdesk
channel: chat
who: {language: ar, dialect: omani, device: phone, network: 3g, patience: 5m}
chat: {box: اكتب رسالتك, opener: تحدث معنا}
steps:
  - open: /
  - say: السلام عليكم، ليش فاتورتي زايدة هالشهر؟
  - hear: فاتورة
    within: 60s
  - say: أبغى أكلم موظف
  - hear: {person: true}
    within: 3m
done:
  - see: رقم طلبك
"""

TROUBLES = {"theirs": Trouble.ERROR_PAGE, "wall": Trouble.WALL}


def make_watcher(name: str = "here", place: str = "Muscat") -> Watcher:
    return Watcher.objects.get_or_create(name=name, defaults={"place": place})[0]


def make_target(name: str = "helpdesk", **more: Any) -> Target:
    fields = {
        "title": "بلاغات الكهرباء",
        "url": "http://127.0.0.1:8765",
        "zone": "Asia/Muscat",
        "visits_a_day": 48,
        "public": True,
    }
    return Target.objects.get_or_create(name=name, defaults=fields | more)[0]


def make_journey(
    target: Target, text: str = A_TICKET, added_at: datetime = NOW - timedelta(days=60)
) -> JourneyFile:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    name = text.split("journey:")[1].split()[0]
    fields = {"text": text, "added_at": added_at}
    return JourneyFile.objects.get_or_create(target=target, name=name, sha256=sha256, defaults=fields)[0]


def a_self_check(at: datetime, **more: Any) -> SelfCheck:
    fields = {
        "at": at, "network": True, "clock_off": 0.04, "load": 0.21, "steal": 0.0, "memory_free": 0.6,
        "disk_free": 40 * 1024**3, "browser": True,
    }  # fmt: skip
    return SelfCheck(**(fields | more))


def a_report(
    journey: JourneyFile,
    began: datetime = NOW - timedelta(hours=1),
    how: str = "completed",
    *,
    box: Box | None = None,
    stops_at: int | None = None,
    trouble: Trouble | None = None,
    words: str = "",
    exhibits: Sequence[Exhibit] = (),
    pace: float = 1.0,
    before: dict[str, Any] | None = None,
) -> Report:
    """A visit of which each step took about ``pace`` times two seconds. ``how``: a verdict's value. Judged by the real judge."""
    read = journey.journey
    chance = random.Random(f"{journey.name} {began} {how}")
    trouble = trouble or TROUBLES.get(how)
    stops_at = stops_at or (len(read.steps) if how == "theirs" else 1)
    findings: list[Finding] = []
    at, well = began, True
    for part, steps in (("steps", read.steps), ("done", read.done)):
        for step in steps:
            number = len(findings) + 1
            channel = CHANNEL_OF.get(step.verb, read.channel if step.verb != "open" else Channel.WEB)
            plain = {
                "number": number,
                "part": part,
                "verb": step.verb,
                "says": said(step),
                "channel": channel,
            }
            stops = well and trouble is not None and number == stops_at
            if not well:
                findings.append(Finding(**plain, outcome=Outcome.NOT_REACHED, began=at))
                continue
            seconds = round(pace * chance.uniform(0.6, 3.4), 3)
            more: dict[str, Any] = {}
            if stops:
                gave_up = trouble in {Trouble.NO_ANSWER, Trouble.LOOP}
                more = {
                    "outcome": Outcome.GAVE_UP if gave_up else Outcome.FAILED,
                    "trouble": trouble,
                    "words": words or f"the page says {trouble.value}",
                }
            facts: dict[str, Any] = {"clicks": 1} if step.verb == "press" else {}
            if step.verb == "fill":
                facts = {"typed": len(step.fill)}
            if how == "completed, but" and number == 1:
                facts = {"errors": 2, "broken": 1}
            if step.verb == "hear":
                facts = {"person" if step.hear.person else "first_answer": None if stops else seconds}
            findings.append(
                Finding(
                    **({**plain, "outcome": Outcome.DONE} | more),
                    began=at,
                    seconds=seconds,
                    host=Moment(load=round(chance.uniform(0.05, 0.4), 2), late=0.01, network=True),
                    exhibits=_seen(box, number, stops, said(step)) if box else (),
                    facts=facts,
                )
            )
            at += timedelta(seconds=seconds + 0.4)
            well = well and not stops
    first, last = a_self_check(began, **(before or _ours(how))), a_self_check(at)
    judgement = judge(findings, first, last, read)
    assert judgement.verdict == how, f"it was judged {judgement.verdict} {judgement.because}, not {how}"
    return Report(
        journey=journey.name,
        journey_sha256=journey.sha256,
        target=journey.target.name,
        url=journey.target.url,
        began=began,
        ended=at,
        persona=read.who.model_dump(mode="json"),
        presented={
            "user_agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
            "Mobile Safari/537.36",
            "browser": "Chromium 142.0.7444.59",
            "viewport": "412×915",
            "locale": "ar-OM",
            "zone": "Asia/Muscat",
            "network": "4g",
        },
        findings=tuple(findings),
        exhibits=tuple(exhibits),
        before=first,
        after=last,
        verdict=judgement.verdict,
        because=judgement.because,
        facts=judgement.facts,
        done_after=done_after(findings) if judgement.verdict != Verdict.OURS else None,
        clicks=sum(each.facts.get("clicks", 0) for each in findings),
        typed=sum(each.facts.get("typed", 0) for each in findings),
    )


def _ours(how: str) -> dict[str, Any]:
    return {"network": False, "words": ("none of the two places answered",)} if how == "ours" else {}


def make_probe(
    journey: JourneyFile,
    began: datetime = NOW - timedelta(hours=1),
    how: str = "completed",
    *,
    why: str = Probe.Why.PLANNED,
    confirms: Probe | None = None,
    visit: Any = None,
    watcher: Watcher | None = None,
    **more: Any,
) -> Probe:
    return Probe.objects.record(
        a_report(journey, began, how, **more),
        journey=journey,
        watcher=watcher or make_watcher(),
        why=why,
        visit=visit,
        confirms=confirms,
    )


def make_weeks(
    journey: JourneyFile, weeks: int = 4, until: datetime = NOW, a_day: int = 8, seed: int = 7
) -> int:
    """Visits without pictures at random moments: worse at night, and much worse in the last week. Gives how many."""
    chance = random.Random(seed)
    began = sorted(
        until - timedelta(seconds=chance.uniform(60, weeks * 7 * 86_400)) for _ in range(weeks * 7 * a_day)
    )
    for at in began:
        night = (at + timedelta(hours=4)).hour < 6
        bad = 0.35 if night else 0.04
        if at > until - timedelta(days=7):
            bad += 0.15
        how = "theirs" if chance.random() < bad else "completed"
        if how == "completed" and chance.random() < 0.06:
            how = "completed, but"
        if chance.random() < 0.02:
            how = "ours"
        make_probe(journey, at, how, pace=1.7 if night else 1.0)
    return len(began)


# Evidence


def box_in(folder: Path) -> Box:
    folder.mkdir(parents=True, exist_ok=True)
    return Box(folder)


@cache
def a_picture(words: str, bad: bool = False) -> bytes:
    """A page as a telephone shows it."""
    image = Image.new("RGB", (390, 844), "#ffffff")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 390, 64), fill="#0f3d4c")
    draw.ellipse((330, 16, 362, 48), fill="#e9f6f4")
    for n in range(4):
        top = 96 + n * 120
        draw.rounded_rectangle((24, top, 366, top + 96), 12, fill="#fdeae7" if bad and n == 0 else "#ecebe4")
        for line in range(3):
            draw.rounded_rectangle(
                (340 - 60 * ((n + line) % 3) - 190, top + 16 + line * 24, 350, top + 28 + line * 24),
                5,
                fill="#b9b6a8",
            )
    draw.rounded_rectangle((24, 760, 366, 812), 14, fill="#0b6e6e")
    draw.text((30, 830), words[:60].encode("ascii", "replace").decode(), fill="#56626d")
    into = io.BytesIO()
    image.save(into, "PNG")
    return into.getvalue()


def _seen(box: Box, number: int, bad: bool, words: str) -> tuple[Exhibit, ...]:
    return (
        box.put(ExhibitKind.PICTURE, a_picture(f"{number} {words}", bad), "image/png"),
        box.put(
            ExhibitKind.WORDS,
            f"خدمات المشتركين\n{words}\n{'حدث خطأ' if bad else 'أهلًا بك'}".encode(),
            "text/plain",
        ),
    )


def a_transcript(box: Box, now: datetime = NOW) -> Exhibit:
    talk = Conversation(began=now, began_at=0.0)
    talk.learn([News("1", 1.2, "أهلًا بك في خدمة المشتركين، كيف نساعدك؟")])
    talk.he_says("السلام عليكم، ليش فاتورتي زايدة هالشهر؟", 6.0)
    sent = "أرسلنا بريدًا إلى القسم المختص، وسيُرد عليك في أقرب وقت."
    talk.learn([News("1", 1.2, "أهلًا بك في خدمة المشتركين، كيف نساعدك؟"), News("2", 9.4, sent)])
    talk.he_says("أبغى أكلم موظف", 31.0)
    talk.lines.append(Line(34.0, Who.MACHINE, sent, "3"))
    talk.lines.append(Line(70.0, Who.PERSON, "معك سالم من خدمة المشتركين، تفضل.", "4"))
    return box.put(ExhibitKind.TRANSCRIPT, talk.transcript(), "application/json")


def what_failed(box: Box) -> Exhibit:
    lines = [
        {"url": "http://127.0.0.1:8765/static/form.js", "method": "GET", "kind": "script", "status": 404}
    ]
    return box.put(ExhibitKind.NETWORK, json.dumps(lines).encode(), "application/json")


def what_the_browser_said(box: Box) -> Exhibit:
    lines = [{"type": "uncaught", "text": "TypeError: form is not defined"}]
    return box.put(ExhibitKind.CONSOLE, json.dumps(lines).encode(), "application/json")


def a_trace(box: Box) -> Exhibit:
    return box.put(ExhibitKind.TRACE, b"PK\x05\x06" + b"\0" * 18, "application/zip")


# Plans


def make_plan(target: Target, at: datetime, weeks: int = 4, *, revealed: bool = False) -> Plan:
    """The plan that the watch makes at that moment, where none stands; its seed is the same each time."""
    seed = hashlib.sha256(f"{target.name} {at}".encode()).hexdigest()
    made = Plan.objects.keep_ahead(at, weeks, seed=lambda: seed)
    plan = next(each for each in made if each.target_id == target.pk)
    if revealed:
        Plan.objects.filter(pk=plan.pk).update(revealed_at=plan.ends_at + timedelta(hours=1))
    return plan


def make_skips(plan: Plan, now: datetime) -> int:
    """Of the visits that are over: one in seven was not paid, for one reason or another."""
    reasons = ["stopped", "busy", "stopped", "maintenance"]
    visits = list(plan.visits.filter(due_at__lt=now).order_by("due_at"))[::7]
    Skip.objects.bulk_create(
        Skip(visit=each, reason=reasons[n % 4], noticed_at=each.until) for n, each in enumerate(visits)
    )
    return len(visits)
