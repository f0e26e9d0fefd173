"""Codes in words for staff. Every code that metering and vision can give has its sentence here (a test holds that)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WHY: dict[str, str | Promise] = {
    # what is the matter with the picture (rasd.vision.FINDINGS)
    "too_dark": _("The photograph is too dark."),
    "too_bright": _("The photograph is too bright."),
    "blurred": _("The photograph is blurred."),
    "glare": _("Light is reflected on the counter."),
    "no_meter": _("No meter counter can be seen in the photograph."),
    "cut_off": _("The counter is cut off at the edge of the photograph."),
    "too_small": _("The counter is too small in the photograph."),
    "unreadable": _("The digits of the counter cannot be made out."),
    "screen": _("This looks like a photograph of a screen or of a print."),
    "incomplete": _("The photograph did not arrive whole."),
    # what the reader makes of it (rasd.vision.REASONS)
    "sure": _("The counter was read with certainty."),
    "likely": _("The counter was read, but not with certainty."),
    "unlikely_for_history": _("The counter was read clearly, but the value is unusual for this meter."),
    "below_last": _("The counter reads less than the last reading of this meter."),
    "part_unread": _("The whole units were read, but not the places after the point."),
    "wrong_length": _("The number of digits is not what this register shows."),
    "picture": _("The photograph does not let the counter be read."),
    "unsure": _("A person should look at this photograph."),
    # why a file is no photograph (rasd.vision.NotAPhotograph)
    "empty": _("The file is empty."),
    "document": _("The document holds no photograph."),
    "locked": _("The document is protected by a password."),
    "not_a_picture": _("The file is not a photograph."),
    "damaged": _("The picture is damaged or did not arrive whole."),
    "too_many_pixels": _("The picture has too many pixels to be opened safely."),
    "too_large": _("The file is too large."),
    "animated": _("This is a moving picture."),
    "too_few_pixels": _("The picture is too small to be read."),
    # why it was decided so (rasd.metering.rules.REASONS)
    "unknown_sender": _("It is not known whose meter this is."),
    "outside_window": _("It was sent outside the days in which readings are taken."),
    "no_meter_there": _("No meter is recorded at this service point."),
    "other_meter": _("The serial number in the photograph is another meter's."),
    "same_value": _("This value is adopted for this month already."),
    "replaces": _("Another value is adopted for this month already."),
    "field_read": _("A meter reader's reading is adopted for this month already."),
    "unread": _("A reading is adopted for this month already, and this one could not be read."),
    "adopted": _("This submission is adopted already."),
    "photographs_agree": _("Several photographs show the same value."),
    "photographs_disagree": _("The photographs show different values."),
    "two_meters": _("The photographs show the serial numbers of two meters."),
    "sent_for_another": _("The same photograph was sent for another meter before."),
    "sent_earlier": _("The same photograph was sent for another month before."),
    "retaken_often": _("Several photographs could not be read."),
    "nothing_to_read": _("Neither a photograph nor a number could be read."),
    "not_kept": _("The photograph is not in storage."),
    "typed_plausible": _("The number typed fits this meter's history."),
    "typed_unusual": _("The number typed is unusual for this meter."),
    "typed_below_last": _("The number typed is less than the last reading of this meter."),
    "typed_wrong_length": _("The number typed has more digits than this meter shows."),
    "typed_not_a_number": _("What was typed is not a number."),
    "typed_no_history": _("Nothing is known of this meter by which a typed number could be checked."),
    "confirmed": _("The customer confirmed the value."),
    "corrected_by_customer": _("The customer gave another value."),
    "replaced_by_customer": _("The customer replaced the value."),
    "implausible": _("The value that the customer gave is unusual for this meter."),
    "review_accepted": _("A person read the same value."),
    "review_corrected": _("A person read another value."),
    "asked_again": _("A person asked for another photograph."),
    "not_a_meter": _("A person said that this is not a meter."),
    "undone": _("A person took a decision back."),
}

VERDICTS: dict[str, tuple[str, str | Promise]] = {
    "accept": ("good", _("adopted")),
    "confirm": ("warn", _("the customer is asked: is it this?")),
    "retake": ("warn", _("the customer is asked for another photograph")),
    "review": ("warn", _("a person must look")),
    "outside_window": ("", _("outside the window: kept, and the dates told")),
    "already_adopted": ("", _("adopted already: the customer is asked whether it replaces it")),
    "other_meter": ("warn", _("another meter's serial number")),
    "unknown_sender": ("warn", _("the customer is asked whose meter it is")),
    "withdrawn": ("", _("withdrawn")),
}
"""A verdict's tone (a class of the style sheet) and its words."""

ASK_AGAIN: dict[str, str | Promise] = {
    "asked_again": _("No reason given"),
    "blurred": _("Blurred"),
    "too_dark": _("Too dark"),
    "glare": _("Glare on the counter"),
    "cut_off": _("Counter cut off"),
    "too_small": _("Too far away"),
    "no_meter": _("Counter not in the picture"),
}
"""What a reviewer may say is wrong with a photograph; the customer is told it in the flows' own words."""


def why(code: str) -> str | Promise:
    """The sentence for a code; the code itself where it is unknown, as something is better than nothing."""
    return WHY.get(code, code)
