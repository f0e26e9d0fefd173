"""A chat on a page: a widget, in a frame or not, or a messenger's page. He writes, he listens, he taps quick replies.

It is a web player of the same window: what is not said, heard or tapped in the chat is done as that does it.
"""

import contextlib
from functools import partial

from playwright.sync_api import Error, Locator
from playwright.sync_api import TimeoutError as TookTooLong

from rasd.watch.journeys.language import ChatPlace
from rasd.watch.journeys.steps import Hear, Heard, Press, Say, Step, Thing
from rasd.watch.journeys.written import Channel
from rasd.watch.players import pointing
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.conversation import Conversation
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.listening import Listener
from rasd.watch.players.normal import normal
from rasd.watch.players.pointing import Node
from rasd.watch.players.web import Facts, WebPlayer
from rasd.watch.players.window import REACTS

A_KEY = (30, 90)
"""Milliseconds from one key to the next, at random: services see people type."""
LONGEST_TYPING = 6.0
"""Seconds for one message: longer texts come faster, as from who has them at hand."""
LEAVES = 10.0
"""Seconds within which the box is empty once a message was sent."""
LOOKS_UP = 5.0
"""Seconds, at most, between two readings of a page that has no news."""


class ChatPlayer(WebPlayer):
    channel = Channel.CHAT

    def __init__(self, web: WebPlayer) -> None:
        super().__init__(web.window.browser, web.folder)
        self.window, self._given = (
            web.window,
            web._given,
        )  # the same page, and the same that he has given already
        self._conversation: Conversation | None = None
        self._listener: Listener | None = None

    def _do(self, step: Step, errand: Errand) -> Facts:
        match step:
            case Say():
                return self._say(errand.text(step.say), step, errand)
            case Hear():
                return self._hear(step, errand)
            case Press() if reply := self._quick_reply(step.press, errand):
                return self._reply(reply, step, errand)
            case _:
                return super()._do(step, errand)

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        """Gives the transcript, and what the window gives at its end."""
        if self._conversation is None or not self._conversation.lines:
            return super().close(errand, went_well)
        data = self._conversation.transcript(errand.masked)
        transcript = errand.box.put(ExhibitKind.TRANSCRIPT, data, "application/json")
        if self._listener:
            self._listener.close()
        return (transcript, *super().close(errand, went_well))

    # He says

    def _say(self, words: str, step: Step, errand: Errand) -> Facts:
        errand.ask_leave(self.window.page.url, sends=True)
        place = _place(errand)
        listener, conversation = self._listening(step, errand)
        node = self._written(words, place, step, errand)
        button = self._find(step, errand, pointing.to_press(place.send)) if place.send else None
        listener.he_sends(words)
        if button:
            self.tap(button, step, errand)
        else:
            self._deed(partial(self._at(node).press, "Enter"), node, step, errand)
        conversation.he_says(words, listener.sent_at())
        self._see_it_leave(self._at(node), place, step, errand)
        return {"typed": 1, "clicks": 1 if button else 0}

    def _written(self, words: str, place: ChatPlace, step: Step, errand: Errand) -> Node:
        """The box with his words in it. A page that is just being built may lose them, or the box: then he writes them again, as
        people do, once. Raises CannotPlay: NOT_THERE, OUT_OF_REACH, LOST."""
        sought = pointing.to_type(Thing(name=place.box))
        for _ in range(2):
            node = self._find(step, errand, sought)
            self.tap(node, step, errand)
            if self._in_the_box(self._at(node)):
                self._deed(partial(self._at(node).fill, ""), node, step, errand)
            self._type(self._at(node), words, errand)
            node = self._box_again(node, sought)
            if _bare(words) in _bare(self._in_the_box(self._at(node))):
                return node
        raise CannotPlay(Trouble.LOST, f"what he wrote is gone from {place.box!r}, twice")

    def _box_again(self, node: Node, sought: pointing.Sought) -> Node:
        """It may have been drawn anew meanwhile; and in it stand his words now, and not what it is called by."""
        if self._at(node).count():
            return node
        return pointing.find(pointing.tree(self.window.snapshot()), sought, loosely=True) or node

    def _type(self, box: Locator, words: str, errand: Errand) -> None:
        key = min(errand.random.uniform(*A_KEY), 1000 * LONGEST_TYPING / max(1, len(words)))
        with contextlib.suppress(TookTooLong):  # the box went away: what stands in it is looked at after
            for n, line in enumerate(words.split("\n")):
                if n:
                    box.press("Shift+Enter", timeout=REACTS * 1000)
                box.press_sequentially(line, delay=key, timeout=(LONGEST_TYPING + REACTS) * 1000)

    def _see_it_leave(self, box: Locator, place: ChatPlace, step: Step, errand: Errand) -> None:
        """Raises CannotPlay (OUT_OF_REACH) where what he wrote stays in the box."""
        clock, how = errand.clock, f"pressing {place.send.name!r}" if place.send else "Enter"
        until = clock.monotonic() + min(LEAVES, errand.left(step))
        while (words := self._in_the_box(box)) and clock.monotonic() < until:
            self.window.pause(0.1)
        if words:
            raise CannotPlay(Trouble.OUT_OF_REACH, f"{how} does not send: his words stay in {place.box!r}")

    def _in_the_box(self, box: Locator) -> str:
        try:
            return str(box.evaluate("box => (box.value ?? box.innerText).trim()", timeout=1000))
        except TookTooLong:  # the box is gone, or was drawn anew: with nothing in it
            return ""

    # He taps

    def _quick_reply(self, thing: Thing, errand: Errand) -> Node | None:
        """The newest that is called so; None where the chat is not open yet, or the journey tells more of it than its name."""
        if self._listener is None or thing.near or thing.nth:
            return None
        sought = pointing.to_press(Thing(name=errand.text(thing.name)))
        words = normal(sought.thing.name)
        nodes = pointing.tree(self.window.snapshot()).all()
        found = [
            node
            for node in nodes
            if sought.among(node) and not node.tiny and words in map(normal, sought.called(node))
        ]
        return found[-1] if found else None

    def _reply(self, reply: Node, step: Press, errand: Errand) -> Facts:
        errand.ask_leave(self.window.page.url, sends=True)
        listener, conversation = self._listening(step, errand)
        words = " ".join(reply.words.split())
        listener.he_sends(words)
        self.tap(reply, step, errand)
        conversation.he_says(words, listener.sent_at())
        return {"clicks": 1}

    # He hears

    def _hear(self, step: Hear, errand: Errand) -> Facts:
        wanted = _filled(step.hear, errand)
        if wanted.person and not _place(errand).person:
            raise CannotPlay(
                Trouble.JOURNEY,
                "he waits for a person, and chat.person does not tell by what words one is known",
            )
        while True:
            listener, conversation = self._listening(step, errand)
            now, left = errand.clock.monotonic(), errand.left(step)
            if line := conversation.answer(wanted, left <= 0):
                errand.kept.update(conversation.kept(line, wanted) or {})
                return conversation.facts(wanted)
            if trouble := conversation.in_vain(wanted, now, left <= 0):
                trouble.facts |= conversation.facts(wanted)
                trouble.facts["waited"] = round(now - conversation.spoke_at, 1)
                raise trouble
            listener.wait(min(left, LOOKS_UP))

    def _listening(self, step: Step, errand: Errand) -> tuple[Listener, Conversation]:
        """All that the page has now is in the conversation. The chat is opened where it is not, and listened to anew where its
        frame was loaded anew. Raises CannotPlay: NOT_THERE, OUT_OF_REACH."""
        place = _place(errand)
        if self._listener is None or self._conversation is None:
            self._listener = Listener(errand.clock, place.messages, place.person)
            self._conversation = Conversation(errand.clock.now(), errand.clock.monotonic())
        while not self._listener.read():
            self._open(place, step, errand)
            node = self._find(step, errand, pointing.to_type(Thing(name=place.box)))
            self._begin(self._listener, self._at(node))
        self._conversation.learn(self._listener.heard, self._listener.person_at)
        return self._listener, self._conversation

    def _open(self, place: ChatPlace, step: Step, errand: Errand) -> None:
        if place.opener is None:
            return
        root = pointing.tree(self.window.snapshot())
        if pointing.find(root, pointing.to_type(Thing(name=place.box)), loosely=True) is None:
            self.tap(self._find(step, errand, pointing.to_press(place.opener)), step, errand)

    def _begin(self, listener: Listener, box: Locator) -> None:
        try:
            handle = box.element_handle(timeout=1000)
            if frame := handle.owner_frame():
                listener.begin(frame, handle)
        except Error:  # drawn anew just now: he looks again, and finds it or not
            pass


def _place(errand: Errand) -> ChatPlace:
    if errand.journey.chat is None:  # a journey is not read without; a step that Python makes may be
        raise CannotPlay(Trouble.JOURNEY, "the journey does not tell where the chat is: add chat: {box: …}")
    return errand.journey.chat


def _bare(words: str) -> str:
    return "".join(words.split())


def _filled(wanted: Heard, errand: Errand) -> Heard:
    return Heard(
        words=errand.pattern(wanted.words) if wanted.words else None,
        person=wanted.person,
        keep={name: errand.pattern(pattern) for name, pattern in wanted.keep.items()},
    )
