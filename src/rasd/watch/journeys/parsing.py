"""From a journey's file to a :class:`Journey`, or to its mistakes with line, column and the mend."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rasd.watch.journeys.language import Journey
from rasd.watch.journeys.steps import VERBS
from rasd.watch.journeys.values import unkept
from rasd.watch.journeys.wanting import wanting


class Loader(yaml.SafeLoader):
    """YAML, but that ``on``, ``off``, ``yes`` and ``no`` are words, as in YAML 1.2: only ``true`` and ``false`` are not."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[int, int]  # line and column, from 1
Path_ = tuple[str | int, ...]  # of keys and indices, from the top of the file


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong in a file, where, and how it is mended. Lines and columns are counted from 1."""

    line: int
    column: int
    says: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.says}" + (f" ({self.mend})" if self.mend else "")


class NotAJourney(Exception):
    """A file that cannot be used. ``mistakes``: all of them, in the order of the file."""

    def __init__(self, mistakes: list[Mistake], name: str = "") -> None:
        self.mistakes = sorted(mistakes)
        self.name = name
        super().__init__(
            "\n".join(f"{name}:{mistake}" if name else str(mistake) for mistake in self.mistakes)
        )


def read(path: Path) -> Journey:
    """Raises NotAJourney, with the file's name; OSError where it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise NotAJourney(
            [Mistake(line, 1, "it is not UTF-8", "save the file as UTF-8")], str(path)
        ) from error
    journey = parse(text, str(path))
    says = "{{{}}} is not known: no step before this one keeps it"
    wrong = [(where, says.format(name), "keep it, or mend the name") for where, name in unkept(journey)]
    if wrong := [*wrong, *wanting(journey, path.parent)]:
        _, places = load(text)
        raise NotAJourney([Mistake(*_nearest(where, places), *said) for where, *said in wrong], str(path))
    return journey


def parse(text: str, name: str = "") -> Journey:
    """Raises NotAJourney."""
    return parse_as(Journey, text, name)


def parse_as(kind: type[Model], text: str, name: str = "") -> Model:
    """A YAML text as a model. Raises NotAJourney with the place of each mistake."""
    data, places = load(text, name)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        known = sorted(set(_fields(kind.model_json_schema())))
        raise NotAJourney(list(mistakes_of(error, data, places, known)), name) from error


def load(text: str, name: str = "") -> tuple[Any, dict[Path_, Place]]:
    """The data of a YAML text, and where each part of it stands. Raises NotAJourney."""
    try:
        node = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        opened = (
            error.context and "quoted scalar" in error.context
        )  # its end is missing: its beginning is the place
        mark = (error.context_mark if opened else error.problem_mark) or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        says = " ".join(filter(None, [error.context, error.problem]))
        raise NotAJourney([Mistake(line, column, f"not YAML: {says}", _yaml_mend(says))], name) from error
    except yaml.YAMLError as error:
        raise NotAJourney([Mistake(1, 1, f"not YAML: {error}")], name) from error
    if node is None:
        raise NotAJourney([Mistake(1, 1, "the file is empty", "begin with 'journey: a-name'")], name)
    places: dict[Path_, Place] = {}
    mistakes: list[Mistake] = []
    _walk(node, (), places, mistakes)
    if mistakes:
        raise NotAJourney(mistakes, name)
    return Loader(text).get_single_data(), places


def _yaml_mend(says: str) -> str:
    if "\\t" in says:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in says:
        return "put a text that has a colon in quotes"
    if "quoted scalar" in says:
        return "close the quote"
    if "alias" in says or "cannot start any token" in says or "directive" in says:
        return "put a text that begins with a sign in quotes"
    return "indentation and quotes are the usual cause"


def _walk(node: yaml.Node, path: Path_, places: dict[Path_, Place], mistakes: list[Mistake]) -> None:
    """Notes where each value stands (a mapping's entry: where its key stands), and finds keys written twice, of which YAML
    would silently take the last."""
    places.setdefault(path, _place(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            if here in places:
                mistakes.append(
                    Mistake(
                        *_place(key),
                        f"{key.value!r} stands twice",
                        f"also in line {places[here][0]}: keep one",
                    )
                )
                continue
            places[here] = _place(key)
            _walk(value, here, places, mistakes)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*path, index), places, mistakes)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def mistakes_of(
    error: ValidationError, data: Any, places: dict[Path_, Place], known: list[str]
) -> list[Mistake]:
    """Pydantic's errors as a person wants them: the place in the file, and the mend. ``known``: keys of such files."""
    faults = [
        (_in_the_file(each["loc"], places, missing=each["type"] == "missing"), each)
        for each in error.errors()
    ]
    found: dict[Path_, Mistake] = {}
    for path, fault in faults:
        if fault["type"] == "missing" and _is_a_value(fault["input"]):
            path, fault = path[:-1], {**fault, "type": "string_type"}
        elif any(_is_a_value(_at(data, path[:n])) for n in range(1, len(path))):
            continue  # said once, of the value
        elif isinstance(fault["input"], list) and any(
            len(other) > len(path) for other, _ in faults if other[: len(path)] == path
        ):
            continue  # a text or a list of texts was wanted: what is wrong in the list is said there
        says, mend = _said(fault, path, known)
        found.setdefault(path, Mistake(*_nearest(path, places), says, mend))
    return list(found.values())


def _is_within(path: Path_, other: Path_) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _at(data: Any, path: Path_) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _in_the_file(where: Path_, places: dict[Path_, Place], *, missing: bool) -> Path_:
    """Pydantic names the branches of a union in its paths, and the file does not have them: the longest way through the file,
    to the last part where that is there. A key that is ``missing`` is named at the end."""
    ways: list[Path_] = [()]
    for part in where[:-1]:
        ways += [(*way, part) for way in ways if (*way, part) in places]
    ends = [(*way, where[-1]) for way in ways if (*way, where[-1]) in places] if where else []
    if ends:
        return max(ends, key=len)
    return (*max(ways, key=len), *(where[-1:] if missing else ()))


def _nearest(path: Path_, places: dict[Path_, Place]) -> Place:
    while path not in places:
        path = path[:-1]
    return places[path]


def _said(fault: Any, path: Path_, known: list[str]) -> tuple[str, str]:
    kind, given, last = fault["type"], fault["input"], str(path[-1]) if path else ""
    if not path and not isinstance(given, dict):
        return (
            "the file is a list, or a single text",
            "begin with 'journey: a-name', each entry on a line of its own",
        )
    if kind == "missing":
        return f"{last!r} is missing", f"add {last}: …"
    if kind == "extra_forbidden":
        return f"{last!r} is not known here", _did_you_mean(last, known)
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        return _no_verb(given)
    if kind == "value_error":
        return str(fault["ctx"]["error"]), ""
    if kind in {"enum", "literal_error"}:
        return f"{_as_written(given)} is none of {fault['ctx']['expected'].replace('True', 'true')}", ""
    if given is None or kind in {"too_short", "string_too_short"}:
        return f"{last!r} is empty", "write what it is about"
    if kind == "bool_parsing":
        return f"{given!r} is neither true nor false", ""
    if kind == "string_type" or _is_a_value(given):
        return f"{_as_written(given)} is not a text", "put it in quotes"
    if kind == "string_pattern_mismatch":
        return f"{given!r} is {WRONG.get(fault['ctx']['pattern'], 'not what is wanted here')}", ""
    if kind in {"dict_type", "model_type", "model_attributes_type"}:
        return f"{last!r} wants entries", f"write {{name: what}} after {last}:"
    if kind == "list_type":
        return f"{last!r} wants a list", "begin each entry with '- '"
    return f"{last}: {fault['msg'][0].lower()}{fault['msg'][1:]}", ""


def _is_a_value(given: Any) -> bool:
    """``{name}`` without quotes is a mapping to YAML, and was meant as a value."""
    return isinstance(given, dict) and len(given) == 1 and None in given.values()


def _as_written(given: Any) -> str:
    if _is_a_value(given):
        return f"{{{next(iter(given))}}}"
    return str(given).lower() if isinstance(given, bool) else repr(given)


WRONG = {
    r"^[a-z][a-z0-9_-]{0,63}$": "no name: small Latin letters, digits, '-' and '_', a letter first",
    r"^[\w.]+:\w+$": "not 'module:function'",
    r"^https?://[^\s]+$": "no address that begins with http:// or https://",
}


def _fields(schema: Any) -> Iterator[str]:
    """Of a kind of file, and of all that is in it."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "properties":
            yield from value
        if isinstance(value, dict | list):
            yield from _fields(value)


def _no_verb(step: Any) -> tuple[str, str]:
    if not isinstance(step, dict):
        return f"{step!r} is no step", "a step is a verb and what it is about, such as 'press: Send'"
    known = [key for key in step if key in VERBS]
    if len(known) > 1:
        return (
            f"a step has one verb, and here are {' and '.join(known)}",
            "make them steps of their own, each after a '-'",
        )
    odd = next((key for key in step if key not in {"within", "note"}), None)
    if odd is None:
        return "the step has no verb", f"one of {', '.join(VERBS)}"
    return f"{odd!r} is no verb", _did_you_mean(str(odd), list(VERBS)) or f"one of {', '.join(VERBS)}"


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 3)
    best = min(close, key=lambda each: abs(len(each) - len(word)), default="")
    return f"did you mean {best!r}?" if best else ""
