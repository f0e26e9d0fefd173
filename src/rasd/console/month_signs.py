"""What each sign in a meter reader's record rests on, and what else may be behind it: never one without the other (G5)."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.metering.models import ReaderSign

Kind = ReaderSign.Kind


class Words(NamedTuple):
    """``basis``: what makes a visit show it. ``innocent``: why it may be so without any fault of the reader's."""

    basis: Promise
    innocent: Promise


WORDS: dict[str, Words] = {
    Kind.NO_ACCESS: Words(
        _("He came and could not read."),
        _(
            "Streets differ: where people work away from home, more doors are locked. Nobody is tested by this."
        ),
    ),
    Kind.DISAGREES: Words(
        _("His reading and the customer's lie further apart than may have been used between them."),
        _(
            "The customer mistook a digit or photographed another meter; guests came; meters were swapped in the books."
        ),
    ),
    Kind.REPEATS: Words(
        _("To the unit, as much was used as the month before, or as the usual use a day gives."),
        _("What always runs, such as a pump or a mast, uses the same every month."),
    ),
    Kind.SPEED: Words(
        _("From the place before he would have come faster than 130 km/h."),
        _(
            "The handheld's clock was wrong, visits were entered later in one go, or a place on the map is wrong."
        ),
    ),
    Kind.PHOTO_REUSED: Words(
        _("The photograph had been brought before."),
        _("The handheld sent one picture twice, or two meters side by side look alike."),
    ),
    Kind.PHOTO_DIFFERS: Words(
        _("The machine is sure to see another number in his photograph."),
        _("The machine errs as well; or the picture shows the neighbour's meter beside his."),
    ),
    Kind.ROUND: Words(
        _("The last digit is 0 or 5. By chance two in ten are."),
        _("On some counters the last wheel is hard to read, and is read to the nearest five."),
    ),
    Kind.FAR: Words(
        _("The handheld was more than 250 m from the meter, beyond its own accuracy."),
        _(
            "The meter's place in the books is wrong, positions jump between tall houses, or it was entered in the car."
        ),
    ),
    Kind.NOT_SEEN: Words(
        _("The customer, asked at random, says that nobody came or was seen."),
        _("Most meters hang outside: he can come without being seen."),
    ),
}
