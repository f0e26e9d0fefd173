"""What the machine says to customers: every sentence whole, in the customer's language, with the buttons that go with it.

Numbers and names inside Arabic sentences are isolated (U+2068 … U+2069), so that a value keeps its own direction.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rasd.channels.models import Media, Outgoing
from rasd.ledger import evidence
from rasd.metering.consumption import Consumption
from rasd.metering.models import Adoption, Cycle, ServicePoint, Submission
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


def again(why: str) -> Say:
    """ "Please again, closer / without the flash, like this"."""
    reason = RETAKE_WHYS.get(why, lambda: _("I could not read the number in the photograph."))()
    how = RETAKE_HOWS.get(
        why,
        lambda: _("Please hold the phone still, closer, straight in front of the number, and send it again."),
    )()
    if why.startswith("typed_"):
        return Say(f"{reason} {how}", Outgoing.Kind.BUTTONS, buttons(person_button()))
    picture, _size = evidence.keep([render_example()], limit=EXAMPLE_LARGEST)
    like_this = _("In the picture above you see how.")
    content = {**buttons(person_button()), "picture": picture}
    return Say(f"{reason} {how} {like_this}", Outgoing.Kind.BUTTONS, content)


def please_photograph() -> Say:
    return Say(_("The number that you typed could not be settled. Please send a photograph of your meter."))


def please_resend(media: Media) -> Say:
    if not media.is_quarantined:
        return Say(_("Your file did not reach us whole. Please send it again."))
    if not media.size:
        return Say(_("The file that you sent is empty. Please send it again."))
    return Say(_("I cannot open files of that kind. Please send it as a picture or as a PDF."))


def outside_window(cycle: Cycle | None) -> Say:
    if cycle is None:
        return Say(
            _(
                "Thank you. Your reading is kept. No reading month is open now; we will tell you when the next one opens."
            )
        )
    return Say(
        _(
            "Thank you. Your reading is kept, but it came outside the days in which readings count for the bill: "
            "from %(first)s to %(last)s. Please send it again in those days."
        )
        % {"first": day(cycle.window_opens), "last": day(cycle.window_closes)}
    )


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


def with_person(place: int, wait: timedelta | None, target: timedelta) -> Say:
    """G8: the place in the queue and an honest time: measured where enough was measured, else the target, named as such."""
    where = _("You are with our staff now, number %(place)s in line; I will not answer any more.") % {
        "place": place
    }
    if wait is not None:
        when = _("Over the last days the wait was usually %(time)s.") % {"time": in_words(wait)}
    else:
        when = _("We aim to answer within %(time)s.") % {"time": in_words(target)}
    return Say(f"{where} {when}", Outgoing.Kind.BUTTONS, buttons(("robot", _("Automatic service"))))


def in_words(time: timedelta) -> str:
    minutes = max(1, round(time.total_seconds() / 60))
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def robot_again(standing: list[Adoption]) -> Say:
    """The machine speaks again: and says first what was settled while it was silent."""
    hello = _("This is the automatic service again. Send a photograph of your meter, or type its number.")
    return Say("\n".join([hello, *(already_adopted(adoption).text for adoption in standing)]))


def welcome(cycle: Cycle | None) -> Say:
    hello = _("Welcome. Send a photograph of your meter here, or type the number that it shows.")
    if cycle:
        hello += "\n" + _("Readings count for the bill from %(first)s to %(last)s.") % {
            "first": day(cycle.window_opens),
            "last": day(cycle.window_closes),
        }
    return Say(hello, Outgoing.Kind.BUTTONS, buttons(person_button()))


def not_understood() -> Say:
    return Say(
        _("I understand meter photographs and numbers. Send one of them, or talk to a person."),
        Outgoing.Kind.BUTTONS,
        buttons(person_button()),
    )


def only_people_understand() -> Say:
    return Say(_("I cannot read this kind of message myself: a colleague will look at it."))
