"""From a journey's file to a :class:`Journey`, or to its mistakes with line, column and the mend."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rasd.watch.journeys.language import VERBS, Journey

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
    return parse(text, str(path))


def parse(text: str, name: str = "") -> Journey:
    """Raises NotAJourney."""
    return parse_as(Journey, text, name)


def parse_as(kind: type[Model], text: str, name: str = "") -> Model:
    """A YAML text as a model. Raises NotAJourney with the place of each mistake."""
    data, places = load(text, name)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise NotAJourney(list(mistakes_of(error, data, places)), name) from error


def load(text: str, name: str = "") -> tuple[Any, dict[Path_, Place]]:
    """The data of a YAML text, and where each part of it stands. Raises NotAJourney."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
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
    return yaml.SafeLoader(text).get_single_data(), places


def _yaml_mend(says: str) -> str:
    if "\\t" in says:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in says:
        return "put a text that has a colon in quotes"
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
            places[here] = _place(key)
            _walk(value, here, places, mistakes)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*path, index), places, mistakes)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def mistakes_of(error: ValidationError, data: Any, places: dict[Path_, Place]) -> list[Mistake]:
    """Pydantic's errors as a person wants them: the place in the file, and the mend."""
    found: dict[Path_, Mistake] = {}
    for fault in error.errors():
        path = _in_the_file(fault["loc"], places)
        says, mend = _said(fault, path, data)
        found.setdefault(path, Mistake(*_nearest(path, places), says, mend))
    return list(found.values())


def _in_the_file(where: Path_, places: dict[Path_, Place]) -> Path_:
    """Pydantic names the branches of a union in its paths, and the file does not have them: the longest way through the file,
    to the last part where that is there. A key that is missing is named at the end."""
    ways: list[Path_] = [()]
    for part in where[:-1]:
        ways += [(*way, part) for way in ways if (*way, part) in places]
    ends = [(*way, where[-1]) for way in ways if (*way, where[-1]) in places] if where else []
    return max(ends, key=len) if ends else (*max(ways, key=len), *where[-1:])


def _nearest(path: Path_, places: dict[Path_, Place]) -> Place:
    while path not in places:
        path = path[:-1]
    return places[path]


def _said(fault: Any, path: Path_, data: Any) -> tuple[str, str]:
    kind, last = fault["type"], str(path[-1]) if path else ""
    if kind == "missing":
        return f"{last!r} is missing", f"add {last}: …"
    if kind == "extra_forbidden":
        return f"{last!r} is not known here", _did_you_mean(last, list(VERBS) + KEYS)
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        return _no_verb(fault["input"])
    if kind == "value_error":
        return str(fault["ctx"]["error"]), ""
    if kind == "enum" or kind == "literal_error":
        return f"{fault['input']!r} is none of {fault['ctx']['expected']}", ""
    if kind == "string_type":
        return f"{fault['input']!r} is not a text", "put it in quotes"
    return f"{last}: {fault['msg'][0].lower()}{fault['msg'][1:]}" if last else fault["msg"], ""


KEYS = sorted(
    {
        *Journey.model_fields,
        "name",
        "near",
        "nth",
        "within",
        "note",
        "words",
        "person",
        "keep",
        "because",
        "at",
    }
)


def _no_verb(step: Any) -> tuple[str, str]:
    if not isinstance(step, dict):
        return f"{step!r} is no step", "a step is a verb and what it is about, such as 'press: Send'"
    known = [key for key in step if key in VERBS]
    if len(known) > 1:
        return (
            f"a step has one verb, and here are {' and '.join(known)}",
            "make them steps of their own, each after a '-'",
        )
    odd = next((key for key in step if key not in {"within", "note"}), "")
    return f"{odd!r} is no verb", _did_you_mean(str(odd), list(VERBS)) or f"one of {', '.join(VERBS)}"


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]!r}?" if close else ""
