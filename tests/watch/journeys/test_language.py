"""What the language accepts is written and read again as the same; what editors are told is what the checker holds."""

import json
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rasd.watch.cli import watch
from rasd.watch.journeys import Journey, NotAJourney, parse
from rasd.watch.journeys.steps import VERBS

EDITOR = jsonschema.Draft202012Validator(json.loads(CliRunner().invoke(watch, ["schema"]).output))

LETTERS = st.characters(
    codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"
)
texts = st.text(LETTERS, min_size=1, max_size=12) | st.sampled_from(
    [
        "أرسل",
        "yes",
        "on",
        "off",
        "null",
        "~",
        "1.5",
        "0x1F",
        "22:30",
        "2026-01-01",
        "a: b",
        "- a",
        "{name}",
        "#1",
        "/\\d{4}/",
    ]
)
names = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
patterns = st.sampled_from([r"\d+", r"رقم (\d{4})", "a|b", "[^:]+"])
durations = st.integers(1, 5000).map(lambda n: f"{n}s") | st.sampled_from(["1.5h", "90s", "3m", "0.25s"])
things = texts | st.fixed_dictionaries({"name": texts}, optional={"near": texts, "nth": st.integers(1, 9)})
addresses = st.sampled_from(["/", "/new?a=1", "https://example.org/x"])
channels = st.sampled_from(["web", "chat", "mail", "http", "voice"])
read = texts.filter(lambda each: not each.startswith("/")) | patterns.map(lambda each: f"/{each}/")


def entries(keys: Any, values: Any) -> Any:
    return st.dictionaries(keys, values, min_size=1, max_size=2)


ABOUT = {
    "open": addresses,
    "press": things,
    "fill": entries(texts, texts),
    "choose": entries(texts, texts),
    "tick": things,
    "attach": entries(texts, texts),
    "see": read | st.lists(read, min_size=1, max_size=2),
    "miss": read | st.lists(read, min_size=1, max_size=2),
    "keep": entries(names, patterns),
    "back": st.just(True),
    "say": texts,
    "hear": patterns
    | st.fixed_dictionaries(
        {}, optional={"words": patterns, "person": st.booleans(), "keep": entries(names, patterns)}
    ),
    "write": st.fixed_dictionaries(
        {"to": texts, "subject": texts, "words": texts}, optional={"attach": st.lists(texts)}
    ),
    "mail": st.fixed_dictionaries({}, optional={"subject": patterns, "sender": patterns, "words": patterns}),
    "code": st.fixed_dictionaries({"secret": texts, "keep": names}),
    "get": addresses | st.fixed_dictionaries({"url": addresses}, optional={"status": st.integers(100, 599)}),
    "ring": texts,
    "wait": durations,
    "go": channels,
    "python": st.just("signing.own:sign"),
}
BESIDES = {
    "tick": {"on": st.booleans()},
    "go": {"at": addresses},
    "python": {"with": entries(names, st.integers() | texts)},
}
steps = st.sampled_from(sorted(ABOUT)).flatmap(
    lambda verb: st.fixed_dictionaries(
        {verb: ABOUT[verb]}, optional={"within": durations, "note": texts} | BESIDES.get(verb, {})
    )
)
some_steps = st.lists(steps, min_size=1, max_size=4)
journeys = st.fixed_dictionaries(
    {
        "journey": names,
        "title": texts | st.fixed_dictionaries({"ar": texts}, optional={"en": texts}),
        "target": names,
        "who": st.fixed_dictionaries(
            {"patience": durations},
            optional={
                "language": st.sampled_from(["ar", "en"]),
                "device": st.sampled_from(["phone", "desktop"]),
                "network": st.sampled_from(["wifi", "4g", "3g", "slow"]),
                "place": st.sampled_from(["Asia/Muscat", "Europe/London"]),
            },
        ),
        "chat": st.fixed_dictionaries(
            {"box": texts}, optional={"opener": things, "send": things, "person": patterns}
        ),
        "steps": some_steps,
        "done": some_steps,
    },
    optional={
        "channel": channels,
        "clean_up": st.lists(steps, max_size=2),
        "otherwise": st.lists(
            st.fixed_dictionaries(
                {
                    "because": texts,
                    "channel": channels,
                    "patience": durations,
                    "steps": some_steps,
                    "done": some_steps,
                }
            ),
            max_size=1,
        ),
    },
)


def test_the_examples_have_every_verb() -> None:
    assert set(ABOUT) == set(VERBS)


@settings(max_examples=25)
@given(journeys)
def test_a_journey_that_is_written_as_yaml_is_read_again_as_the_same(data: dict[str, Any]) -> None:
    """Editors that hold the schema take it too: the checker and they say the same."""
    journey = Journey.model_validate(data)
    written = journey.model_dump(mode="json", by_alias=True, exclude_unset=True)
    text = yaml.safe_dump(written, allow_unicode=True, sort_keys=False)
    again = parse(text)
    assert again == journey
    EDITOR.validate(yaml.safe_load(text))


def test_on_and_yes_are_words_and_only_true_and_false_are_not() -> None:
    journey = parse(
        "{journey: j, title: T, target: t, who: {patience: 1m}, done: [{see: yes}],"
        " steps: [{tick: I agree, on: false}, {fill: {Agreed: no}}]}"
    )
    tick, fill = journey.steps
    assert tick.on is False  # type: ignore[union-attr]
    assert fill.fill == {"Agreed": "no"}  # type: ignore[union-attr]


SHORT = "{journey: j, title: T, target: t, who: {patience: 1m}, steps: [{open: /}], done: [{see: x}]}"


@pytest.mark.parametrize(("written", "seconds"), [("90s", 90), ("3m", 180), ("1.5h", 5400)])
def test_a_duration_is_a_number_and_its_unit(written: str, seconds: float) -> None:
    journey = parse(SHORT.replace("1m", written))
    assert journey.who.patience == timedelta(seconds=seconds)


def test_a_title_in_one_language_is_shown_in_the_other_too() -> None:
    journey = parse(
        "{journey: j, title: {ar: بلاغ}, target: t, who: {patience: 1m}, steps: [{open: /}], done: [{see: x}]}"
    )
    assert (journey.titled("ar"), journey.titled("en")) == ("بلاغ", "بلاغ")
    with pytest.raises(NotAJourney):
        parse("{journey: j, title: {}, target: t, who: {patience: 1m}, steps: [{open: /}], done: [{see: x}]}")
