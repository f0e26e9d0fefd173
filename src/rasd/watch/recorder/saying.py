"""What the recorder's page says to who does his errand."""

from django.utils.translation import gettext as _


def messages() -> dict[str, str]:
    """By the names under which the page knows them."""
    return {
        "begin": _("Do what you came for, as you would on your own telephone. Nobody helps."),
        "pick": _(
            "Press the words on the page that prove it is done: a number, a thank-you. Or write them below."
        ),
        "proved": _(
            "Kept. Look it up again now, as you would tomorrow: that becomes the second look. Or finish."
        ),
        "second_look": _("What you do from here on is the second look. Finish when you are sure."),
        "not_there": _("These words do not stand on the page."),
        "no_proof": _("First show which words prove that it is done: “This is what I came for”."),
        "no_way_back": _("There is no page to go back to."),
        "not_permitted": _("The recorder may not go there: no permission covers it."),
        "chat": _(
            "What you write into the chat and send is kept as said; what comes as an answer is waited for."
        ),
        "field": _("What you type"),
        "gone": _("The recorder does not answer any more."),
        "finished": _("Finished. The page of it follows."),
    }
