"""The reading month in words: the steps of its closing, what each rule doubts, and what is usually done about it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.metering.models import Rule

STEPS: dict[str, Promise] = {
    "adopt": _("What the meter readers brought is adopted"),
    "compare": _("Customers' and meter readers' readings are compared"),
    "estimate": _("What nobody read is estimated"),
    "reckon": _("What each register used is reckoned"),
    "validate": _("The rules look at each reading"),
    "set_aside": _("What is held back and not decided is set aside"),
    "bill": _("The bills' numbers are written down and sealed"),
}


@dataclass(frozen=True)
class About:
    """What a rule's finding means to whoever must settle it."""

    means: Promise
    mends: Promise


RULES: dict[str, About] = {
    Rule.NEGATIVE: About(
        _(
            "The counter shows less than at the last real reading, and it cannot have gone past its highest value."
        ),
        _(
            "Look at both photographs: usually one digit was misread, in this reading or in the last. Was the meter changed?"
        ),
    ),
    Rule.ZERO: About(
        _("Nothing was used for weeks at a place that usually uses something."),
        _(
            "An empty house is right as it is. Otherwise the meter stands still, or last month's number was sent again."
        ),
    ),
    Rule.HIGH: About(
        _("Far more was used than the year before and the season make likely."),
        _(
            "Look for a misread first digit. A leak, a new cooler or guests are real: keep it, and tell the customer."
        ),
    ),
    Rule.IMPLAUSIBLE: About(
        _(
            "So much more was used than is usual that a misread digit is likelier: nobody is billed on it unseen."
        ),
        _(
            "Look at the photograph: usually the first digit, or the point. If it is right keep it, and tell the customer before "
            "the bill does."
        ),
    ),
    Rule.LOW: About(
        _("Far less was used than the year before and the season make likely."),
        _(
            "Look for a misread first digit. A journey is real; a meter that is bypassed or slow is a case for the field."
        ),
    ),
    Rule.DIGITS: About(
        _("The value has more digits than this counter, or more after the point."),
        _(
            "A point was left out or put in: adopt the right value by hand. Or the records say the wrong number of digits."
        ),
    ),
    Rule.DUPLICATE: About(
        _("Two readings of the same day and source say different things."),
        _("Look at both photographs, and adopt the right one by hand."),
    ),
    Rule.UNIT: About(
        _("The unit is not the register's; or with its point moved the reading would be a usual one."),
        _(
            "Usually the red digits were read as whole ones. Adopt the value with its point in the right place."
        ),
    ),
    Rule.INACTIVE: About(
        _("It was read on a day on which this meter did not hang there, by our records."),
        _(
            "Correct the day on which the meter was hung up or taken down, or adopt a reading of the right meter."
        ),
    ),
    Rule.REPLACED: About(
        _("The meter was changed in this month: two counters share its use."),
        _("See that the old meter's last reading and the new one's first are there. If they are, keep it."),
    ),
    Rule.ROLLOVER: About(
        _("The counter went past its highest value and began again at zero."),
        _("If what was used is usual, keep it: it was reckoned across the zero."),
    ),
    Rule.PROLONGED: About(
        _(
            "It is estimated for the third month in a row, or longer. A case to get a real reading was opened."
        ),
        _("Agree on a visit with the customer, or ask him for a photograph by message."),
    ),
    Rule.MISSING: About(
        _("There is nothing to bill on: nobody read, and nothing is known from which to estimate."),
        _("Send a meter reader, or adopt a value by hand."),
    ),
}
