"""Whoever writes STOP gets no message that he did not ask for, and is told so; whoever writes START gets them again.

The whole message must be the word: "stop the leak at my meter" is none.
"""

import re
from datetime import datetime

from rasd.channels.models import Incoming, OptOut, Outgoing
from rasd.desk.models import Message
from rasd.flows import words
from rasd.flows.speaking import say
from rasd.language import normalise_arabic

STOP = re.compile(
    r"(?:stop|unsubscribe|opt ?out|stop (?:all|messages|reminders)|"
    r"(?:ال)?ايقاف|وقف|اوقف(?:وا)?|(?:الغا|الغوا|ايقاف|وقف|اوقف|اوقفوا) (?:ال)?(?:اشتراك|رسا[ئي]ل|تذكير(?:ات)?|تنبيهات?))",
    re.IGNORECASE,
)
START = re.compile(
    r"(?:start|unstop|subscribe|opt ?in|اشترك|اشتراك|ابدا|تفعيل(?: (?:ال)?(?:رسائل|تذكير(?:ات)?))?)",
    re.IGNORECASE,
)

STOPPED_WITH_META = 131050
"""The customer told WhatsApp itself that he wants no more of them [Meta, "Error codes"]."""


def wish_of(text: str) -> bool | None:
    """True: no more messages that he did not ask for; False: them again; None: it says nothing of that. Pure."""
    plain = " ".join(normalise_arabic(text).lower().strip(" .!?؟،,*«»\"'").split())
    if STOP.fullmatch(plain):
        return True
    return False if START.fullmatch(plain) else None


def hear(message: Message, *, at: datetime) -> bool:
    """Whether ``message`` was such a word: kept, and he is told, also where people have the conversation.

    START is one only of who said STOP before: of others it is a greeting to the machine.
    """
    incoming = message.incoming
    if incoming is None or incoming.kind not in {Incoming.Kind.TEXT, Incoming.Kind.BUTTON}:
        return False
    wish = wish_of(incoming.text)
    if wish is None:
        return False
    if wish:
        OptOut.begin(incoming.address, incoming.text, at=incoming.sent_at, incoming=incoming)
        told = words.no_more_reminders()
    elif OptOut.end(incoming.address, incoming.text, at=incoming.sent_at):
        told = words.reminders_again()
    else:
        return False
    say(message.conversation, told, key=f"optout:{message.pk}", at=at, answers=incoming, of_hand_over=True)
    return True


def learn(outgoing: Outgoing) -> None:
    """Meta refused it as he stopped them there."""
    if outgoing.error_code == STOPPED_WITH_META and outgoing.failed_at:
        OptOut.begin(outgoing.address, outgoing.error_words, at=outgoing.failed_at)
