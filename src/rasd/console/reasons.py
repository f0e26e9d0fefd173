"""Why the machine did something, told in the reader's language. The ledger keeps its plain English sentence, for ever the same;
what a person gave as his reason stands as he wrote it."""

import re

from django.utils.translation import gettext_lazy as _

KNOWN = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        # rasd.desk
        (r"waited in (?P<queue>.+)", _("waited in %(queue)s")),
        (r"nobody serves (?P<queue>.+)", _("nobody serves %(queue)s now")),
        (r"somebody serves it again", _("somebody serves it again")),
        (r"is absent", _("is absent")),
        (r"the shift is over", _("the shift is over")),
        (r"works here no more", _("works here no more")),
        (r"may not see the line", _("may not see the line that it came on")),
        (r"it has other working hours", _("the queue has other working hours")),
        (r"claimed", _("answers the customer")),
        (r"promised", _("promised it")),
        (r"had it before", _("had it before")),
        (r"works on the case", _("works on the case")),
        (r"working hours were changed", _("working hours were changed")),
        (r"taken back", _("taken back")),
        (r"the case is closed", _("the case is closed")),
        (r"answered on the page", _("answered on the customer's page")),
        (r"known to the customer", _("the customer knows it")),
        (r"the customer replied", _("the customer replied")),
        (
            r"the customer wrote before the answer was out",
            _("the customer wrote before the answer was out"),
        ),
        (r"the channel could not deliver the (closing )?answer", _("the answer could not be delivered")),
        # rasd.flows
        (r"has the case", _("has the case")),
        (r"about the case (?P<case>.+)", _("about request %(case)s")),
        (r"the answer could not be delivered", _("the answer could not be delivered")),
    )
)


def told(why: str) -> str:
    for pattern, words in KNOWN:
        if found := pattern.fullmatch(why):
            return str(words) % found.groupdict()
    return why
