"""The journey language, as types. Editors get it as JSON Schema (``rasd watch schema``); docs/journeys.md teaches it.

A step is a mapping with one verb: ``press: Submit a ticket``. Things on a page are named by what is written on them, as
people find them. ``{name}`` in a text is a value of the visit: ``{someone.email}`` of the made-up person, ``{secret.pin}`` of
the watch's secrets (never in evidence), or what an earlier step kept.
"""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from rasd.watch.journeys.steps import Hear, Named, Say, Step
from rasd.watch.journeys.written import Channel, Duration, Name, Pattern, Strict, Text, Zone


class Persona(Strict):
    """Who comes. Nothing of it announces a machine (G13)."""

    language: Literal["ar", "en"] = "ar"
    dialect: str | None = Field(None, description="for who writes the steps' words: omani, khaliji, msa …")
    device: Literal["phone", "desktop"] = "phone"
    network: Literal["wifi", "4g", "3g", "slow"] = Field(
        "4g", description="wifi is not slowed down; the others have the rates and delays of docs/journeys.md"
    )
    patience: Duration = Field(description="for the whole errand; after that he gives up")
    place: Zone = Field("Asia/Muscat", description="his time zone, of the IANA list")


class ChatPlace(Strict):
    """Where a chat is on a page, in the words written there. ``messages`` is for what words cannot tell: a CSS selector of the
    service's own messages."""

    opener: Named | None = Field(None, description="the button that opens it; without it, it is open")
    box: Text = Field(description="the field's label or the words in it")
    send: Named | None = Field(None, description="the button; without it, Enter sends")
    messages: Text | None = Field(
        None, description="CSS of one message of the service; without it, whatever words are new"
    )
    person: Pattern | None = Field(None, description="words that only stand there once a person has joined")


class Otherwise(Strict):
    """What he tries where the above failed or took too long: another channel, usually."""

    because: Text = Field(description="in his words: the site failed, so I wrote")
    channel: Channel
    at: Text | None = None
    patience: Duration
    steps: list[Step] = Field(min_length=1)
    done: list[Step] = Field(min_length=1)


class Journey(Strict):
    """One errand of an ordinary person."""

    journey: Name
    title: str | dict[Literal["ar", "en"], str]
    target: Name = Field(description="its name in watch.yaml; --target overrides where it is")
    channel: Channel = Channel.WEB
    who: Persona
    chat: ChatPlace | None = None
    steps: list[Step] = Field(min_length=1)
    done: list[Step] = Field(
        min_length=1,
        description="the second look: what he came for is there, found again as a person would. Never 'the page said 200'",
    )
    otherwise: list[Otherwise] = Field(default_factory=list)
    clean_up: list[Step] = Field(
        default_factory=list, description="done at the end, however it went: what was made up is taken away"
    )

    @field_validator("title")
    @classmethod
    def _in_some_language(cls, title: Any) -> Any:
        if not title:
            raise ValueError("write what he came for, in Arabic, in English or in both")
        return title

    @model_validator(mode="after")
    def _knows_its_chat(self) -> Self:
        chats = any(isinstance(step, Say | Hear) for step in self.every_step())
        if chats and self.chat is None:
            raise ValueError(
                "it says or hears something: 'chat' tells where on the page (box: the words in the field)"
            )
        return self

    def every_step(self) -> "list[Step]":
        """In the order of the file."""
        return [
            *self.steps,
            *self.done,
            *(step for other in self.otherwise for step in [*other.steps, *other.done]),
            *self.clean_up,
        ]

    def titled(self, language: str) -> str:
        if isinstance(self.title, str):
            return self.title
        return self.title.get(language) or next(iter(self.title.values()))  # type: ignore[call-overload]
