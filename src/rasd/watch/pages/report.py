"""A visit's report: read by a manager in ten seconds, and by a lawyer for an hour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from pydantic import ValidationError

from rasd.watch import reasons
from rasd.watch.journeys import NotAJourney, Persona
from rasd.watch.models import JourneyFile, Probe
from rasd.watch.pages import words
from rasd.watch.pages.evidence import Piece, pieces_of, probe_of
from rasd.watch.players.finding import ExhibitKind, Finding
from rasd.watch.players.report import Report
from rasd.watch.templatetags.watch import figures, titled
from rasd.watch.verdicts import overloaded

SHOWN_LINES = 100
"""Of failures and of complaints each; all of them are in the exhibits."""


@dataclass(frozen=True)
class Frame:
    """A step of the film."""

    finding: Finding
    pieces: list[Piece] = field(default_factory=list)
    longest: float = 0.0
    """Seconds of the visit's longest step: the full width of the bars."""

    @property
    def picture(self) -> Piece | None:
        return next((each for each in self.pieces if each.is_picture), None)

    @property
    def others(self) -> list[Piece]:
        return [each for each in self.pieces if each is not self.picture]

    @property
    def width(self) -> float:
        return 100 * self.finding.seconds / self.longest if self.longest else 0.0

    @property
    def busy(self) -> bool:
        """The host beside it did much else: its seconds are to be taken with care."""
        return overloaded(self.finding)


@dataclass(frozen=True)
class Part:
    name: str
    frames: list[Frame]
    because: str = ""
    """Why he tried another way, in his words."""


def film(report: Report, pieces: list[Piece], journey: JourneyFile) -> list[Part]:
    longest = max((each.seconds for each in report.findings), default=0.0)
    of_step: dict[int | None, list[Piece]] = {}
    for piece in pieces:
        of_step.setdefault(piece.row.step, []).append(piece)
    frames = [Frame(each, of_step.get(each.number, []), longest) for each in report.findings]
    return [
        Part(name, list(some), _because(name, journey))
        for name, some in groupby(frames, lambda frame: frame.finding.part)
    ]


def still(parts: list[Part]) -> Frame | None:
    """The picture that says most: what he saw where it first failed, else what he saw at the end of his errand."""
    frames = [frame for part in parts if part.name != "clean_up" for frame in part.frames]
    seen = [frame for frame in frames if frame.picture and frame.picture.is_here]
    return next((each for each in seen if not each.finding.went_well), seen[-1] if seen else None)


def _because(part: str, journey: JourneyFile) -> str:
    name, _, number = part.partition(":")
    if name != "otherwise" or not number.isdigit():
        return ""
    try:
        return journey.journey.otherwise[int(number) - 1].because
    except (NotAJourney, IndexError):  # a wording of an older language: the film is shown all the same
        return ""


def report(request: HttpRequest, token: str) -> HttpResponse:
    probe = probe_of(token)
    told, pieces = probe.told, pieces_of(probe)
    parts = film(told, pieces, probe.journey)
    here = ZoneInfo(probe.zone)
    context: dict[str, Any] = {
        "here": "home",
        "probe": probe,
        "target": probe.target,
        "report": told,
        "title": titled(probe.journey),
        "persona": _persona(told.persona),
        "began": told.began.astimezone(here),
        "ended": told.ended.astimezone(here),
        "began_utc": told.began.astimezone(UTC),
        "lasted": (told.ended - told.began).total_seconds(),
        "because": _because_of(told),
        "parts": parts,
        "still": still(parts),
        "pieces": pieces,
        "of_the_visit": [each for each in pieces if each.row.step is None],
        "presented": [(words.PRESENTED.get(key, key), value) for key, value in told.presented.items()],
        "changed": probe.changed(),
        "earlier": Probe.objects.filter(digest=probe.previous).first() if probe.previous else None,
        "talks": _talks(_of_kind(pieces, ExhibitKind.TRANSCRIPT)),
        "letters": _of_kind(pieces, ExhibitKind.LETTER),
        "failures": _complaints(_of_kind(pieces, ExhibitKind.NETWORK)),
        "errors": _complaints(_of_kind(pieces, ExhibitKind.CONSOLE)),
        "traces": _of_kind(pieces, ExhibitKind.TRACE),
    }
    return render(request, "watch/report.html", context)


def _because_of(told: Report) -> list[str]:
    """A reason that is not known any more is told by its code."""
    facts, said = shown_facts(told.facts), []
    for code in told.because:
        try:
            said.append(reasons.sentence(code, facts.get(code, {})))
        except (KeyError, ValueError):
            said.append(code)
    return said


def shown_facts(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """As sentences are told with them: numbers in the digits of the page, the journey's own words kept apart from their
    neighbours, which may run the other way."""

    def shown(name: str, value: Any) -> Any:
        if name in {"from", "to"}:  # channels, which the sentence names itself
            return value
        if isinstance(value, int | float):
            return figures(value)
        return f"\u2068{words.step(value) if name == 'says' else value}\u2069"

    return {code: {name: shown(name, value) for name, value in told.items()} for code, told in facts.items()}


def _persona(told: dict[str, Any]) -> Persona | None:
    """None: told in an older language of journeys, which nobody can read any more."""
    try:
        return Persona.model_validate(told)
    except ValidationError:
        return None


def _of_kind(pieces: list[Piece], kind: ExhibitKind) -> list[Piece]:
    return [each for each in pieces if each.row.kind == kind]


@dataclass(frozen=True)
class Complaint:
    """A line of what failed behind the page. ``what``: a status, a reason, a kind."""

    step: int | None
    what: str
    text: str


def _complaints(pieces: list[Piece]) -> list[Complaint]:
    """Of exhibits that are lists in JSON. What is not as it should be in them costs the line, never the page."""
    found = []
    for piece in pieces:
        for each in piece.data if isinstance(piece.data, list) else []:
            if isinstance(each, dict):
                what = each.get("status") or each.get("reason") or each.get("type") or ""
                told = [each.get(name) for name in ("method", "url", "kind", "text")]
                found.append(Complaint(piece.row.step, str(what), " ".join(str(one) for one in told if one)))
    return found[:SHOWN_LINES]


@dataclass(frozen=True)
class Said:
    """A line of a chat. ``seconds``: from its beginning."""

    who: str
    words: str
    seconds: float | None


def _talks(pieces: list[Piece]) -> list[list[Said]]:
    """Of each transcript that has lines (``players.conversation``)."""
    talks = []
    for piece in pieces:
        lines = piece.data.get("lines") if isinstance(piece.data, dict) else None
        talk = [
            Said(str(each.get("who", "")), str(each.get("words", "")), _number(each.get("seconds")))
            for each in (lines if isinstance(lines, list) else [])
            if isinstance(each, dict)
        ]
        if talk:
            talks.append(talk)
    return talks


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def document(request: HttpRequest, token: str) -> HttpResponse:
    """All that the digest is made of: whoever has it checks the seal by himself (``evidence/chain.py``)."""
    probe = probe_of(token)
    answer = JsonResponse(
        {"digest": probe.digest, "document": probe.document},
        json_dumps_params={"ensure_ascii": False, "indent": 1},
    )
    answer["Content-Disposition"] = f'attachment; filename="probe-{token}.json"'
    return answer
