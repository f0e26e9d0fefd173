"""The steps of a journey: one verb each, and the things on a page that they name."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from rasd.watch.journeys.written import Channel, Duration, Name, Pattern, Strict, Text, Words


class Thing(Strict):
    """Something on a page. A bare text is its ``name``; the rest tells two of the same name apart."""

    name: Text = Field(description="what is written on it, or what a screen reader calls it")
    near: Text | None = Field(None, description="words that stand in the same row, card or box")
    nth: int | None = Field(
        None, ge=1, description="which one, counted from the top, where nothing else tells"
    )


def _or_a_text(kind: type[BaseModel]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, kind.model_json_schema()]})


def _thing(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Named = Annotated[Thing, BeforeValidator(_thing), _or_a_text(Thing)]


class _Step(Strict):
    """What every step may say besides its verb."""

    verb: ClassVar[str]
    within: Duration | None = Field(
        None, description="how long he puts up with this step; without it, with what is left of his patience"
    )
    note: str | None = Field(None, description="why the step is there, for who reads the report")


class Open(_Step):
    """Goes to an address: a path of the target, or a whole address."""

    verb = "open"
    open: Text


class Press(_Step):
    """Presses a button or a link, or taps a quick reply."""

    verb = "press"
    press: Named


class Fill(_Step):
    """Types into fields, each found by its label or by what is written in it."""

    verb = "fill"
    fill: dict[Text, str] = Field(min_length=1)


class Choose(_Step):
    """Chooses from a list, by the words of the choice."""

    verb = "choose"
    choose: dict[Text, Text] = Field(min_length=1)


class Tick(_Step):
    verb = "tick"
    tick: Named
    on: bool = Field(True, description="false takes the tick away")


class Attach(_Step):
    """Gives files to fields: a path beside the journey's file, or ``photograph`` for one that the watch draws."""

    verb = "attach"
    attach: dict[Text, Text] = Field(min_length=1)


class See(_Step):
    """These words stand on the page, where a person can read them. ``/…/`` is a regular expression."""

    verb = "see"
    see: Words | list[Words]


class Miss(_Step):
    """These words do not stand on the page."""

    verb = "miss"
    miss: Words | list[Words]


class Keep(_Step):
    """Remembers what the page says: a name, and a regular expression of which the first group (or all) is kept."""

    verb = "keep"
    keep: dict[Name, Pattern] = Field(min_length=1)


class Back(_Step):
    verb = "back"
    back: Literal[True]


class Say(_Step):
    """Writes a message in the chat."""

    verb = "say"
    say: Text


class Heard(Strict):
    words: Pattern | None = Field(None, description="what the answer says; without it, any answer will do")
    person: bool = Field(False, description="a person answers, not a machine")
    keep: dict[Name, Pattern] = Field(default_factory=dict)


def _heard(value: object) -> object:
    return {"words": value} if isinstance(value, str) else value


class Hear(_Step):
    """Waits for an answer in the chat. The same answer again is not one: he is in a loop, and says so."""

    verb = "hear"
    hear: Annotated[
        Heard,
        BeforeValidator(_heard),
        _or_a_text(Heard),
    ]


class Letter(Strict):
    to: Text
    subject: Text
    words: Text
    attach: list[Text] = Field(default_factory=list)


class Write(_Step):
    """Sends an e-mail from the made-up person's address."""

    verb = "write"
    write: Letter


class Awaited(Strict):
    subject: Pattern | None = None
    sender: Pattern | None = None
    words: Pattern | None = None
    keep: dict[Name, Pattern] = Field(default_factory=dict, description="a one-time code, a number, a link")


class Mail(_Step):
    """Waits for an e-mail to the made-up person."""

    verb = "mail"
    mail: Awaited


class OneTime(Strict):
    secret: Text = Field(description="the base-32 secret of the authenticator, as {secret.NAME}")
    keep: Name = Field(description="the name under which the six digits are kept")


class Code(_Step):
    """Takes the one-time code of the moment from an authenticator (TOTP, RFC 6238)."""

    verb = "code"
    code: OneTime


class Request(Strict):
    url: Text
    status: int = Field(200, ge=100, le=599)
    words: Pattern | None = None


def _request(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class Get(_Step):
    """The cheap first look: asks for an address without a browser."""

    verb = "get"
    get: Annotated[
        Request,
        BeforeValidator(_request),
        _or_a_text(Request),
    ]


class Ring(_Step):
    """Telephones. Declared; its player says that it is not there yet."""

    verb = "ring"
    ring: Text


class Wait(_Step):
    """Does nothing for a while, as people do who read or fetch their glasses."""

    verb = "wait"
    wait: Duration


class Go(_Step):
    """Changes the channel midway, as people do."""

    verb = "go"
    go: Channel
    at: Text | None = Field(None, description="where; without it, where the journey says")


class Python(_Step):
    """The way out for the odd step: ``module:function``, called with the errand and ``with_``; see docs/journeys.md."""

    verb = "python"
    python: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")


STEPS: tuple[type[_Step], ...] = (
    Open, Press, Fill, Choose, Tick, Attach, See, Miss, Keep, Back, Say, Hear, Write, Mail, Code, Get, Ring, Wait, Go, Python,
)  # fmt: skip
VERBS = {kind.verb: kind for kind in STEPS}


def verb_of(step: Any) -> str | None:
    """The one verb of a step as written; None where there is none or more than one."""
    if isinstance(step, _Step):
        return step.verb
    found = [key for key in step if key in VERBS] if isinstance(step, dict) else []
    return found[0] if len(found) == 1 else None


Step = Annotated[
    Annotated[Open, Tag("open")]
    | Annotated[Press, Tag("press")]
    | Annotated[Fill, Tag("fill")]
    | Annotated[Choose, Tag("choose")]
    | Annotated[Tick, Tag("tick")]
    | Annotated[Attach, Tag("attach")]
    | Annotated[See, Tag("see")]
    | Annotated[Miss, Tag("miss")]
    | Annotated[Keep, Tag("keep")]
    | Annotated[Back, Tag("back")]
    | Annotated[Say, Tag("say")]
    | Annotated[Hear, Tag("hear")]
    | Annotated[Write, Tag("write")]
    | Annotated[Mail, Tag("mail")]
    | Annotated[Code, Tag("code")]
    | Annotated[Get, Tag("get")]
    | Annotated[Ring, Tag("ring")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[Go, Tag("go")]
    | Annotated[Python, Tag("python")],
    Discriminator(verb_of),
]
