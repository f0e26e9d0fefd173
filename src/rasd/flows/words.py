"""What the machine says to customers: every sentence whole, in the customer's language, with the buttons that go with it.

Numbers and names inside Arabic sentences are isolated (U+2068 … U+2069), so that a value keeps its own direction.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from rasd.channels.models import Media, Outgoing
from rasd.desk.models import Case, Rating
from rasd.desk.waits import Wait
from rasd.ledger import evidence
from rasd.metering.consumption import Consumption
from rasd.metering.days import local_day
from rasd.metering.models import Adoption, Cycle, ServicePoint, Submission, VisitQuestion
from rasd.vision.rendered import render_example


@dataclass(frozen=True)
class Say:
    """A message to be: its words and, where it asks, its buttons or its list."""

    text: str
    kind: str = Outgoing.Kind.TEXT
    content: dict[str, Any] = field(default_factory=dict)


def isolated(text: object) -> str:
    return f"\u2068{text}\u2069"


def amount(value: Decimal, unit: str) -> str:
    return isolated(f"{plain(value)} {unit}")


def plain(value: Decimal) -> str:
    """As people write it: no exponent, no zeros that say nothing."""
    return f"{value.normalize():f}" if value else "0"


def day(value: date) -> str:
    return isolated(date_format(value, "j F"))


def buttons(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"buttons": [{"id": button_id, "title": title[:20]} for button_id, title in pairs]}


def person_button() -> tuple[str, str]:
    return ("person", _("Talk to a person"))


def reading_now() -> Say:
    return Say(_("I am reading your photograph… a moment please."))


def adopted(adoption: Adoption, used: Consumption | None) -> Say:
    """The value, the consumption since the last reading, what that means against last year, and the receipt."""
    value = amount(adoption.reading.value, adoption.register.unit)
    lines = [_("Thank you. Your reading %(value)s is adopted for this month's bill.") % {"value": value}]
    if used is not None:
        lines.append(
            ngettext(
                "Consumption since the last reading, %(days)s day ago: %(used)s.",
                "Consumption since the last reading, %(days)s days ago: %(used)s.",
                used.days,
            )
            % {"days": used.days, "used": amount(used.value, used.unit)}
        )
        if used.change is not None:
            lines.append(against_last_year(used.change))
    lines.append(_("Receipt number: %(receipt)s") % {"receipt": isolated(adoption.receipt)})
    return Say("\n".join(lines))


ABOUT_THE_SAME = 0.05  # a share; smaller differences are weather and the hour of reading


MANY_TIMES = 3  # from here on a percentage says less than words


def against_last_year(change: float) -> str:
    if abs(change) <= ABOUT_THE_SAME:
        return _("That is about the same a day as in this month last year.")
    if change > MANY_TIMES - 1:
        return _("That is more than three times as much a day as in this month last year.")
    percent = {"percent": isolated(f"{abs(change):.0%}")}
    if change > 0:
        return _("That is %(percent)s more a day than in this month last year.") % percent
    return _("That is %(percent)s less a day than in this month last year.") % percent


def is_it(submission: Submission, value: Decimal, shown: str) -> Say:
    """ "Is it 04521?" with buttons, and a way to type it."""
    if submission.typed:
        question = _(
            "You typed %(value)s, which is unusual for this meter. Is it right? If not, press No or type it again."
        )
    else:
        question = _(
            "I read %(value)s on your meter. Is that right? If not, press No or type the number you see."
        )
    return Say(
        question % {"value": isolated(shown)},
        Outgoing.Kind.BUTTONS,
        buttons(
            (f"yes:{submission.pk}:{plain(value)}", _("Yes, that is it")),
            (f"no:{submission.pk}", _("No")),
            person_button(),
        ),
    )


def what_is_it(submission: Submission) -> Say:
    return Say(_("Please type the number that your meter shows, or send another photograph."))


RETAKE_WHYS = {
    "too_dark": lambda: _("The photograph is too dark."),
    "too_bright": lambda: _("The photograph is too bright."),
    "blurred": lambda: _("The photograph is blurred."),
    "glare": lambda: _("A reflection hides the digits."),
    "no_meter": lambda: _("I see no meter in the photograph."),
    "cut_off": lambda: _("Part of the number is cut off."),
    "too_small": lambda: _("The number is too small in the photograph."),
    "incomplete": lambda: _("The photograph did not arrive whole."),
    "damaged": lambda: _("The picture is damaged or did not arrive whole."),
    "empty": lambda: _("The file is empty."),
    "not_a_picture": lambda: _("I could not open that file as a photograph."),
    "document": lambda: _("There is no photograph in that document."),
    "locked": lambda: _("That document is protected by a password, so I cannot open it."),
    "too_large": lambda: _("That picture is too large for me to open."),
    "too_many_pixels": lambda: _("That picture is too large for me to open."),
    "animated": lambda: _("That is a moving picture."),
    "too_few_pixels": lambda: _("The picture is too small: no digits can be seen in it."),
    "typed_wrong_length": lambda: _("Your meter does not show that many digits."),
    "typed_no_history": lambda: _("I know no earlier reading of this meter to check a typed number against."),
}
RETAKE_HOWS = {
    "too_dark": lambda: _("Please send it again with the light on or with the flash."),
    "too_bright": lambda: _("Please send it again without the flash, a little from the side."),
    "glare": lambda: _("Please send it again without the flash, a little from the side."),
    "no_meter": lambda: _("Please photograph the meter's number from close by, from straight in front."),
    "cut_off": lambda: _("Please send it again with the whole number in the picture."),
    "too_small": lambda: _("Please send it again from closer."),
    "incomplete": lambda: _("Please send it again."),
    "damaged": lambda: _("Please send it again."),
    "empty": lambda: _("Please send a photograph of the meter."),
    "not_a_picture": lambda: _("Please send a photograph of the meter."),
    "document": lambda: _("Please send a photograph of the meter."),
    "locked": lambda: _("Please send a photograph of the meter."),
    "too_large": lambda: _("Please send it as an ordinary photo, not as a file."),
    "too_many_pixels": lambda: _("Please send it as an ordinary photo, not as a file."),
    "animated": lambda: _("Please send a photograph of the meter."),
    "too_few_pixels": lambda: _("Please send it in full size, or take it again."),
    "typed_wrong_length": lambda: _("Please type the number as the meter shows it, or send a photograph."),
    "typed_no_history": lambda: _("Please send a photograph of the meter."),
}


EXAMPLE_LARGEST = 1024 * 1024  # bytes


def again_in_words(why: str) -> str:
    """ "The photograph is blurred. Please hold the phone still …"."""
    reason = RETAKE_WHYS.get(why, lambda: _("I could not read the number in the photograph."))()
    how = RETAKE_HOWS.get(
        why,
        lambda: _("Please hold the phone still, closer, straight in front of the number, and send it again."),
    )()
    return f"{reason} {how}"


def again(why: str) -> Say:
    """ "Please again, closer / without the flash, like this"."""
    told = again_in_words(why)
    if why.startswith("typed_"):
        return Say(told, Outgoing.Kind.BUTTONS, buttons(person_button()))
    picture, _size = evidence.keep([render_example()], limit=EXAMPLE_LARGEST)
    like_this = _("In the picture above you see how.")
    content = {**buttons(person_button()), "picture": picture}
    return Say(f"{told} {like_this}", Outgoing.Kind.BUTTONS, content)


def please_photograph() -> Say:
    return Say(_("The number that you typed could not be settled. Please send a photograph of your meter."))


def please_resend(media: Media) -> Say:
    if not media.is_quarantined:
        return Say(_("Your file did not reach us whole. Please send it again."))
    if not media.size:
        return Say(_("The file that you sent is empty. Please send it again."))
    return Say(_("I cannot open files of that kind. Please send it as a picture or as a PDF."))


def outside_window(cycle: Cycle | None, point: ServicePoint | None, at: datetime) -> Say:
    """With the dates that hold for ``point``, of whose district they may be, as :meth:`Cycle.latest` says them ``at``."""
    if cycle is None:
        return Say(
            _(
                "Thank you. Your reading is kept. No reading month is open now; we will tell you when the next one opens."
            )
        )
    if cycle.days_of(point)[1] < local_day(at):
        return Say(
            _(
                "Thank you. Your reading is kept, but the days in which readings count for the bill are over: they were "
                "%(first)s to %(last)s. We will tell you when the next ones begin."
            )
            % first_and_last(cycle, point)
        )
    return Say(
        _(
            "Thank you. Your reading is kept, but it came outside the days in which readings count for the bill: "
            "from %(first)s to %(last)s. Please send it again in those days."
        )
        % first_and_last(cycle, point)
    )


def first_and_last(cycle: Cycle, point: ServicePoint | None) -> dict[str, str]:
    first, last = cycle.days_of(point)
    return {"first": day(first), "last": day(last)}


def already_adopted(adoption: Adoption) -> Say:
    return Say(
        _("Your reading %(value)s is already adopted for this month. Receipt number: %(receipt)s")
        % {
            "value": amount(adoption.reading.value, adoption.register.unit),
            "receipt": isolated(adoption.receipt),
        }
    )


def replace(submission: Submission, adoption: Adoption, value: Decimal) -> Say:
    return Say(
        _("This month's reading is already adopted: %(old)s. Shall %(new)s replace it?")
        % {
            "old": amount(adoption.reading.value, adoption.register.unit),
            "new": amount(value, adoption.register.unit),
        },
        Outgoing.Kind.BUTTONS,
        buttons(
            (f"replace:{submission.pk}:{plain(value)}", _("Yes, replace it")),
            (f"keep:{submission.pk}", _("No, keep it")),
            person_button(),
        ),
    )


def kept() -> Say:
    return Say(_("Good. The reading that was adopted stays as it is."))


def about_meter(service_point: ServicePoint, message: Say) -> Say:
    """``message`` under a line that says which of the customer's meters it is about."""
    meter = service_point.current_meter
    named = {
        "serial": isolated(meter.serial if meter else service_point.number),
        "place": isolated(service_point.place),
    }
    heading = _("Meter %(serial)s, %(place)s:") % named
    return Say(f"{heading}\n{message.text}", message.kind, message.content)


def other_meter(service_point: ServicePoint) -> Say:
    meter = service_point.current_meter
    return Say(
        _("The number on this meter is not that of your meter, %(serial)s. Please photograph your own meter.")
        % {"serial": isolated(meter.serial if meter else "")},
        Outgoing.Kind.BUTTONS,
        buttons(person_button()),
    )


def with_reviewer(submission: Submission) -> Say:
    if submission.photographs.exists():
        return Say(
            _(
                "Thank you. I am not sure of the number, so a colleague will look at your photograph and answer you here."
            )
        )
    return Say(
        _("Thank you. I am not sure of the number, so a colleague will look at it and answer you here.")
    )


def with_reviewer_on_page() -> Say:
    return Say(
        _(
            "Thank you. I am not sure of the number, so a colleague will look at your photograph. The answer will stand here."
        )
    )


LIST_ROWS = 10  # Meta's limit


def which_point(submission: Submission, points: list[ServicePoint]) -> Say:
    text = _("Which meter is this?")
    if len(points) > LIST_ROWS:
        text = _("Which meter is this? If it is not in the list, type its account number.")
    rows = [
        {
            "id": f"point:{submission.pk}:{point.pk}",
            "title": point.place[:24],
            "description": f"{point.number} · {point.account.number}"[:72],
        }
        for point in points[:LIST_ROWS]
    ]
    return Say(text, Outgoing.Kind.CHOICES, {"button": _("Choose")[:20], "rows": rows})


def which_account() -> Say:
    return Say(
        _("I do not know your number yet. Please type your account number; it is at the top of your bill.")
    )


def whose_name() -> Say:
    return Say(_("And the account holder's full name, as it is written on the bill?"))


def no_match(tries_left: int) -> Say:
    return Say(
        ngettext(
            "That does not match what we have. You can try %(tries)s more time: please type your account number.",
            "That does not match what we have. You can try %(tries)s more times: please type your account number.",
            tries_left,
        )
        % {"tries": tries_left}
    )


def with_person(place: int, wait: Wait, at: datetime) -> Say:
    """G8: the place in the queue and an honest time: measured where enough was measured, else the target, named as such."""
    said = [
        _("You are with our staff now, number %(place)s in line; I will not answer any more.")
        % {"place": place}
    ]
    if wait.opens_at is not None:
        said.append(
            _("We are closed now and open %(when)s; the time counts from then.")
            % {"when": at_a_time(wait.opens_at, at)}
        )
    said.append(how_long(wait))
    if wait.slow is not None:
        said.append(
            _("Today it takes longer: the first in line has waited %(time)s already.")
            % {"time": in_words(wait.slow)}
        )
    if wait.closes_at is not None and wait.goes_on_at is not None:
        said.append(
            _("We close %(closes)s; whom we do not reach by then, we answer from our opening %(opens)s on.")
            % {"closes": at_a_time(wait.closes_at, at), "opens": at_a_time(wait.goes_on_at, at)}
        )
    return Say(" ".join(said), Outgoing.Kind.BUTTONS, buttons(("robot", _("Automatic service"))))


def how_long(wait: Wait) -> str:
    usual = in_words(wait.usual)
    mostly = in_words(wait.mostly) if wait.mostly is not None else ""
    told = {"usual": usual, "mostly": mostly}
    if not wait.is_measured:
        return _(
            "Our goal is an answer within %(time)s; too few wrote at such a time lately to tell how long it takes."
        ) % {"time": usual}
    if mostly == usual:
        return _("Lately, most who wrote at this time of day had our answer within %(usual)s.") % told
    if mostly:
        return (
            _(
                "Lately, half of those who wrote at this time of day had our answer within %(usual)s,"
                " and eight in ten within %(mostly)s."
            )
            % told
        )
    return _("Lately, half of those who wrote at this time of day had our answer within %(usual)s.") % told


def at_a_time(moment: datetime, at: datetime) -> str:
    """Said at ``at``, where the utility is: "today at 07:30", "tomorrow at 07:30", "on Sunday 6 December at 07:30"."""
    here, today = timezone.localtime(moment), timezone.localdate(at)
    told = {"time": isolated(f"{here:%H:%M}"), "day": date_format(here, "l j F")}
    if here.date() == today:
        return _("today at %(time)s") % told
    if here.date() == today + timedelta(days=1):
        return _("tomorrow at %(time)s") % told
    return _("on %(day)s at %(time)s") % told


def in_words(time: timedelta) -> str:
    """Rounded up: nobody is told less than it was."""
    minutes = max(1, math.ceil(time.total_seconds() / 60))
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = math.ceil(minutes / 60)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def robot_again(standing: list[Adoption]) -> Say:
    """The machine speaks again: and says first what was settled while it was silent."""
    hello = _("This is the automatic service again. Send a photograph of your meter, or type its number.")
    return Say("\n".join([hello, *(already_adopted(adoption).text for adoption in standing)]))


def welcome(points: Sequence[ServicePoint], at: datetime) -> Say:
    """With the dates of the sender's ``points``: of each where they differ, as districts may have days of their own."""
    lines = [_("Welcome. Send a photograph of your meter here, or type the number that it shows.")]
    theirs: Sequence[ServicePoint | None] = points or [None]
    found = ((point, Cycle.latest(at, point)) for point in theirs)
    told = [(point, first_and_last(cycle, point)) for point, cycle in found if cycle]
    if len({tuple(dates.values()) for _point, dates in told}) == 1:
        lines.append(_("Readings count for the bill from %(first)s to %(last)s.") % told[0][1])
    else:
        for point, dates in told[:LIST_ROWS]:
            where = {"place": isolated(point.place) if point else "", **dates}
            lines.append(_("%(place)s: readings count for the bill from %(first)s to %(last)s.") % where)
    return Say("\n".join(lines), Outgoing.Kind.BUTTONS, buttons(person_button()))


def not_understood() -> Say:
    return Say(
        _("I understand meter photographs and numbers. Send one of them, or talk to a person."),
        Outgoing.Kind.BUTTONS,
        buttons(person_button()),
    )


def only_people_understand() -> Say:
    return Say(_("I cannot read this kind of message myself: a colleague will look at it."))


# What is said to many, and what they say to it.


def did_the_reader_come(question: VisitQuestion) -> Say:
    """ "Did the reader come?" with two buttons. It says nothing of what he read, or whether."""
    visit = question.field_read
    about = {
        "day": day(localtime(visit.visited_at).date()),
        "place": isolated(visit.service_point.place),
    }
    text = _(
        "A short question, asked of a few customers drawn at random: did our meter reader come to %(place)s on %(day)s?"
    )
    answers = buttons(
        (f"visit:{question.pk}:came", _("Yes, he came")),
        (f"visit:{question.pk}:not_seen", _("No, or not seen")),
    )
    return Say(text % about, Outgoing.Kind.BUTTONS, answers)


def thanks_for_visit() -> Say:
    return Say(_("Thank you. Your answer is kept with the visit; you need not do anything."))


def no_more_reminders() -> Say:
    return Say(
        _(
            "You get no more reminders or questions from us. What you send is read and answered as before. "
            "If you want them again, write START."
        )
    )


def reminders_again() -> Say:
    return Say(_("Good: you are reminded again when it is time to read your meter. To end that, write STOP."))


def month_page(url: str) -> str:
    """A line of its own; nothing where there is no page."""
    return (
        "\n" + _("How it came about, with the photographs, and how to dispute it:") + "\n" + url
        if url
        else ""
    )


# Estimates.


def estimated(adoption: Adoption, why: str, window: tuple[date, date]) -> Say:
    """G2: that it is an estimate, why, how it came about, and how a photograph replaces it.

    Args:
        why: ``unread``, ``no_access`` or ``not_accepted``.
        window: the days in which a photograph counts for the next bill.
    """
    made, unit = adoption.reading.estimate, adoption.register.unit
    place, month, used, first, last = of_estimate(adoption, window)
    about = {"place": place, "month": month, "used": used, "first": first, "last": last}
    lines = [
        _("Your bill of %(month)s for %(place)s is an estimate, not a reading: %(used)s.") % about,
        {
            "no_access": _(
                "Our meter reader came, but could not read the meter, and no photograph came from you."
            ),
            "not_accepted": _("What came in this month could not be used as a reading."),
        }.get(why, _("Nobody read the meter: no photograph came from you, and no meter reader's reading.")),
        _(
            "We estimate from your use of the last twelve months and the season. Eight times of ten the true use lies between "
            "%(least)s and %(most)s."
        )
        % {"least": amount(round(made.least, 0), unit), "most": amount(round(made.most, 0), unit)},
        _(
            "To replace it, send us a photograph of the meter from %(first)s to %(last)s: what we estimated too much or too "
            "little is then put right on that bill."
        )
        % about,
    ]
    if made.case:
        lines.append(
            _(
                "It is estimate number %(count)s in a row. That must not go on: we have opened case %(case)s, to get a real "
                "reading."
            )
            % {"count": isolated(made.in_a_row), "case": isolated(made.case)}
        )
    return Say("\n".join(lines))


def of_estimate(adoption: Adoption, window: tuple[date, date]) -> list[str]:
    """What stands in the approved template: the place, the month, the estimated use, the first and the last day."""
    year, month = (int(part) for part in adoption.cycle.name.split("-"))
    return [
        isolated(adoption.service_point.place),
        isolated(date_format(date(year, month, 1), "F Y")),
        amount(adoption.reading.estimate.use, adoption.register.unit),
        day(window[0]),
        day(window[1]),
    ]


def real_reading_needed() -> str:
    """The title of the case; the customer sees it."""
    return _("A real reading is needed: the last two bills were estimates")


# Cases, and the pages on which customers follow them.


def moment(at: datetime, *, year: bool = False) -> str:
    """A weekday, a day and a time, in the utility's time zone, which is its customers'; isolated from the sentence around it."""
    comma = "،" if get_language() == "ar" else ","
    return isolated(date_format(localtime(at), f"l j F{' Y' if year else ''}{comma} H:i"))


def page_of(case: Case) -> str:
    """Where the customer sees it, on a line of its own; nothing where no address of this site is set."""
    if not case.public_url:
        return ""
    return "\n" + _("Here you see how far it is, and can write to us:") + "\n" + case.public_url


def case_opened(case: Case) -> Say:
    said = _("We have opened a request for you, number %(reference)s: “%(title)s”.")
    return Say(said % _named(case) + _by_when(case) + page_of(case))


def case_reopened(case: Case) -> Say:
    return Say(_("Your request %(reference)s is open again.") % _named(case) + _by_when(case) + page_of(case))


def passed_on(case: Case) -> Say:
    said = _("Your message is with the people who work on your request %(reference)s. They will answer you.")
    return Say(said % _named(case) + page_of(case))


def rated(score: int) -> Say:
    if score == Rating.Score.SOLVED:
        return Say(_("Thank you. If you would like to add a word about it, write it now."))
    return Say(_("Thank you for telling us. Write what is missing, and your request is opened again."))


def thanks() -> Say:
    return Say(_("Thank you, we have kept what you wrote."))


def meter_to_be_seen(service_point: ServicePoint) -> str:
    """A case's title."""
    meter = service_point.current_meter
    serial = isolated(meter.serial if meter else service_point.number)
    return _("Meter %(serial)s must be looked at on site") % {"serial": serial}


def _named(case: Case) -> dict[str, str]:
    return {"reference": isolated(case.reference), "title": isolated(case.title)}


def _by_when(case: Case) -> str:
    work = case.work
    if work is None:
        return ""
    return "\n" + _("We aim to settle it by %(when)s.") % {"when": moment(work.due_at)}
