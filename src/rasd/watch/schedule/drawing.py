"""The draw: which hour is visited in which week, by which journey, and at which second (G14).

docs/watch-schedule.md says the same in words, with an example. What is changed here changes what old seeds give: then ``DRAW``
gets a new name, and the old one is kept for audits.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rasd.watch.journeys.written import Name, Strict
from rasd.watch.schedule.hours import DAY, MONDAY, WEEK, Span, span_of
from rasd.watch.schedule.stream import Ints, Stream, below

DRAW: Literal["rasd-watch-1"] = "rasd-watch-1"
GAP = 120  # seconds between two visits to one target: no burden, and most visits are over by then
LONGEST_GAP = 600
MOST_PASSED_OVER = 8
TRIES = 100
"""Of a visit that finds no second far enough from the others. At most half of its hour is barred: 2 to the minus 100."""
GRACE = 300
"""Seconds for which a visit that is due at the end of its hour may still be begun, as the one before it may last a little."""
DAYTIME = (7, 19)
"""Hours of the day in which journeys are dealt out apart from those of the night."""

Whole = Annotated[int, Field(strict=True)]


class Refused(ValueError):
    """This cannot be planned; the message names what could."""


def least_visits_a_day(weeks: int) -> int:
    """The smallest daily budget that visits all 168 hours of the week in so many weeks."""
    return math.ceil(DAY / weeks)


def least_weeks(visits_a_day: int) -> int:
    """The smallest N for such a daily budget."""
    return math.ceil(DAY / visits_a_day)


def refuse_what_cannot_be(weeks: int, visits_a_day: int) -> None:
    """Raises Refused."""
    if (needed := least_visits_a_day(weeks)) > visits_a_day:
        raise Refused(
            f"{visits_a_day} visits a day cannot reach all 168 hours of the week in {weeks} weeks: "
            f"that takes visits_a_day: {needed}, or weeks: {least_weeks(visits_a_day)}"
        )


class Inputs(Strict):
    """All that a plan is drawn from, besides its seed. Secret until revealed, as ``rotation`` tells who comes in which hour."""

    draw: Literal["rasd-watch-1"] = DRAW
    target: Name
    zone: str = Field(description="for people; the draw goes by the offsets")
    offsets: tuple[tuple[Whole, Whole], ...] = Field(
        min_length=1,
        max_length=100,
        description="[Unix second, seconds ahead of UTC]; the plan begins at the first",
    )
    weeks: int = Field(ge=1, le=26, strict=True)
    visits_a_day: int = Field(ge=1, strict=True)
    gap: int = Field(GAP, ge=0, le=LONGEST_GAP, strict=True, description="seconds")
    journeys: tuple[Name, ...] = Field(min_length=1, description="in order of the alphabet")
    rotation: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="the same for as many plans as there are journeys"
    )
    turn: int = Field(ge=0, strict=True, description="which of those plans this is, from 0")
    passed_over: dict[int, Annotated[int, Field(ge=1, le=MOST_PASSED_OVER, strict=True)]] = Field(
        default_factory=dict,
        description="how many seconds drawn for a visit were passed over: another target was due",
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if list(self.journeys) != sorted(set(self.journeys)):
            raise ValueError("the journeys stand in order of the alphabet, each once")
        moments = [moment for moment, _ in self.offsets]
        if moments != sorted(set(moments)) or any(abs(ahead) > DAY * 3600 for _, ahead in self.offsets):
            raise ValueError("the offsets stand in order of time, each of a day at most")
        if not 0 <= moments[0] <= 2**33:
            raise ValueError("the plan begins in this century or the next")
        refuse_what_cannot_be(self.weeks, self.visits_a_day)
        return self

    @property
    def span(self) -> Span:
        return span_of(self.offsets, self.weeks)

    @property
    def begins(self) -> int:
        """Unix seconds."""
        return self.offsets[0][0]

    @property
    def ends(self) -> int:
        """Unix seconds, exclusive: the next plan begins here."""
        ends = self.span.ends(np.flatnonzero(self.span.seconds)[-1:])
        return int(ends[0])


@dataclass(frozen=True)
class Drawing:
    """The visits, in the order of their numbers. Arrays of the same length; times are Unix seconds."""

    due: Ints
    until: Ints
    """The end of the hour that the visit is for."""
    hour: Ints
    """Of the week, 0 to 167."""
    journey: Ints
    """Which of ``Inputs.journeys``."""
    absent: tuple[int, ...]
    """Hours of the week that no visit covers, as the zone's clock leaps over them in the only week that they had."""


def draw(seed: str, inputs: Inputs) -> Drawing:
    """``seed``: hexadecimal. The same seed and inputs always give the same visits."""
    chance, span = Stream(bytes.fromhex(seed)), inputs.span
    covering, journeys, absent = _cover(chance, inputs, span)
    extra, of_extra = _surprises(chance, inputs, span)
    places = np.concatenate([covering, extra])
    order = np.lexsort((np.arange(len(places)) >= len(covering), places))
    places, journeys = places[order], np.concatenate([journeys, of_extra])[order]
    return Drawing(
        due=_seconds(chance, inputs, span, places),
        until=span.ends(places),
        hour=(span.first + places + MONDAY) % WEEK,
        journey=journeys,
        absent=absent,
    )


def _cover(chance: Stream, inputs: Inputs, span: Span) -> tuple[Ints, Ints, tuple[int, ...]]:
    """Each hour of the week once: its place in the span, its journey; and the hours that have no place."""
    weeks, hours, exists = inputs.weeks, np.arange(WEEK, dtype=np.int64), span.seconds > 0
    journey = journeys_of_the_week(inputs)
    after = (hours - span.first - MONDAY) % WEEK  # hours after the span's beginning when each comes first
    days = (span.first + after) // DAY - span.first // DAY  # 7: of the first day's weekday, but a week later
    words = chance.words("weeks", WEEK + 1)
    start = int(below(words[WEEK:], weeks)[0])
    order = np.lexsort((hours, words[:WEEK], journey, hours // DAY))
    dealt = np.empty(WEEK, np.int64)
    dealt[order] = (np.arange(WEEK) + start) % weeks

    def place(hour: int, week: int) -> int:
        return int(after[hour] + WEEK * ((week - days[hour] // 7) % weeks))

    places = after + WEEK * ((dealt - days // 7) % weeks)
    absent: list[int] = []
    for hour in [int(each) for each in order if not exists[places[each]]]:
        day = [int(each) for each in order if each // DAY == hour // DAY]
        at = day.index(hour)
        for other in day[at + 1 :] + day[:at]:
            mine, his = int(dealt[hour]), int(dealt[other])
            if mine != his and exists[place(hour, his)] and exists[place(other, mine)]:
                dealt[hour], dealt[other] = his, mine
                places[hour], places[other] = place(hour, his), place(other, mine)
                break
        else:
            absent.append(hour)
    kept = np.delete(hours, absent)
    return places[kept], journey[kept], tuple(sorted(absent))


def journeys_of_the_week(inputs: Inputs) -> Ints:
    """Which journey comes in each hour of the week, as an index. Over as many turns as there are journeys each has had every
    hour; in one turn each has its share of every weekday's daytime and night, within one."""
    count, hours = len(inputs.journeys), np.arange(WEEK, dtype=np.int64)
    if count == 1:
        return np.zeros(WEEK, np.int64)
    by_day = (hours % DAY >= DAYTIME[0]) & (hours % DAY < DAYTIME[1])
    words = Stream(bytes.fromhex(inputs.rotation)).words("journeys", WEEK)
    order = np.lexsort((hours, words, by_day, hours // DAY))
    journey = np.empty(WEEK, np.int64)
    journey[order] = (np.arange(WEEK) + inputs.turn) % count
    return journey


def _surprises(chance: Stream, inputs: Inputs, span: Span) -> tuple[Ints, Ints]:
    """One visit a day at any hour, where the budget has room: so that no hour that was visited is safe until the plan ends."""
    if inputs.visits_a_day <= least_visits_a_day(inputs.weeks):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    days = np.arange(7 * inputs.weeks + 1, dtype=np.int64)
    hour = below(chance.words("surprises", len(days)), DAY)
    places = (span.first // DAY + days) * DAY + hour - span.first
    journey = np.empty(len(days), np.int64)
    journey[np.lexsort((days, chance.words("surprise-journeys", len(days))))] = days % len(inputs.journeys)
    within = (places >= 0) & (places < len(span.seconds))
    places, journey = places[within], journey[within]
    whole = span.seconds[places] >= 3600
    return places[whole], journey[whole]


def _seconds(chance: Stream, inputs: Inputs, span: Span, places: Ints) -> Ints:
    """When each is due. In the order of their numbers each takes the first second drawn for it that is far enough from those
    before; the number of seconds passed over for other targets' sake is skipped first."""
    lengths = span.seconds[places]
    due = span.moments(places, below(chance.words("seconds/0", len(places)), lengths))

    def nth(number: int, candidate: int) -> int:
        word = chance.word(f"seconds/{candidate}", number)
        second = np.array([(word * int(lengths[number])) >> 32])
        return int(span.moments(places[number : number + 1], second)[0])

    for number, passed in inputs.passed_over.items():
        if number < len(due):
            due[number] = nth(number, passed)
    near = 5  # at most two visits in an hour and two in the one before: no earlier number can be too close
    pending = {
        int(each) + back
        for back in range(1, near)
        for each in np.flatnonzero(np.abs(due[back:] - due[:-back]) < inputs.gap)
    }
    while pending:
        number = min(pending)
        pending.discard(number)
        first = inputs.passed_over.get(number, 0)
        before = due[max(0, number - near) : number]
        for candidate in range(first, first + TRIES):
            moment = nth(number, candidate)
            if (np.abs(before - moment) >= inputs.gap).all():
                break
        else:
            raise Refused("no second is far enough from the visits beside it: draw another seed")
        if moment != due[number]:
            due[number] = moment
            pending |= {each for each in range(number + 1, number + near) if each < len(due)}
    return due
