"""Finding things as people do: by what is written on them, on them alone or beside them.

What is looked at is Playwright's accessibility snapshot: what a person can see and reach, frames included, with the names that a
screen reader would say. Everything here is pure: a snapshot in, a node out.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import yaml

from rasd.watch.journeys.steps import Thing
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.finding import Trouble
from rasd.watch.players.normal import normal, within

LINE = re.compile(r'^(?P<role>[\w-]+)(?: (?P<name>"(?:[^"\\]|\\.)*"))?(?P<marks>(?: \[[^\]]*\])*)$')
MARK = re.compile(r"\[([\w-]+)(?:=([^\]]*))?\]")
PRESSED = frozenset({
    "button", "link", "menuitem", "menuitemcheckbox", "menuitemradio", "tab", "option", "checkbox", "radio", "switch",
    "treeitem", "combobox",
})  # fmt: skip
TYPED = frozenset({"textbox", "searchbox", "combobox", "spinbutton", "slider"})
TICKED = frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"})
CHOSEN = frozenset({"combobox", "listbox", "radiogroup", "group"})
SMALLEST = 2
"""CSS pixels: what is smaller is there for screen readers only, and nobody sees it."""
REACH = 3
"""How many boxes up the words beside a field may stand: the field's own cell, its row, the table or card around it."""


@dataclass(eq=False)
class Node:
    role: str
    name: str = ""
    text: str = ""
    marks: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    parent: "Node | None" = None

    @property
    def ref(self) -> str | None:
        """For ``page.locator("aria-ref=…")``; None where nothing can be done with it."""
        return self.marks.get("ref")

    @property
    def disabled(self) -> bool:
        return any("disabled" in node.marks for node in [self, *self.up()])

    @property
    def tiny(self) -> bool:
        """Too small to be seen, or beside the page."""
        if "box" not in self.marks:
            return False
        x, _, width, height = (float(each) for each in self.marks["box"].split(","))
        return width < SMALLEST or height < SMALLEST or x + width <= 0

    @property
    def words(self) -> str:
        """What is written on it."""
        return self.name or " ".join(filter(None, [self.text, *(child.words for child in self.children)]))

    @property
    def written(self) -> str:
        """What a person reads on it, where a screen reader calls it otherwise (``read_what_is_written``)."""
        return self.properties.get("written", "")

    @property
    def value(self) -> str:
        """What stands in a field."""
        return self.text or " ".join(each.text for each in self.children if each.role == "text")

    def up(self) -> Iterator["Node"]:
        node = self.parent
        while node:
            yield node
            node = node.parent

    def all(self) -> Iterator["Node"]:
        """Itself and what is in it, in reading order."""
        yield self
        for child in self.children:
            yield from child.all()


def tree(snapshot: str) -> Node:
    """Of ``page.aria_snapshot(mode="ai", boxes=True)``: two spaces a level, ``- role "name" [marks]: text``."""
    root = Node("page")
    open_: list[tuple[int, Node]] = [(-1, root)]
    for line in snapshot.splitlines():
        said = line.lstrip(" ")
        if not said.startswith("- "):
            continue
        depth = len(line) - len(said)
        while open_[-1][0] >= depth:
            open_.pop()
        parent = open_[-1][1]
        key, value = _split(said[2:])
        if key.startswith("/"):
            parent.properties[key[1:]] = value
        elif node := _node(key, value):
            node.parent = parent
            parent.children.append(node)
            open_.append((depth, node))
    return root


def read_what_is_written(root: Node, otherwise: dict[str, str]) -> None:
    """``otherwise``: by the name that a screen reader says, the words that stand there. The snapshot has the names only."""
    for node in root.all():
        if written := otherwise.get(node.name) if node.name else None:
            node.properties["written"] = " ".join(written.split())


def _split(entry: str) -> tuple[str, str]:
    """Key and value of a line; either may be quoted as YAML does."""
    if entry[0] in "'\"":
        quote = entry[0]
        end = re.match(r"'(?:[^']|'')*'" if quote == "'" else r'"(?:[^"\\]|\\.)*"', entry)
        if end:
            return yaml.safe_load(end[0]), _scalar(entry[end.end() :].removeprefix(":").strip())
    inside = False
    for place, letter in enumerate(entry):
        if letter == '"' and entry[place - 1] != "\\":
            inside = not inside
        elif letter == ":" and not inside and entry[place + 1 : place + 2] in {"", " "}:
            return entry[:place], _scalar(entry[place + 1 :].strip())
    return entry, ""


def _scalar(text: str) -> str:
    return str(yaml.safe_load(text)) if text[:1] in {'"', "'"} else text


def _node(key: str, value: str) -> Node | None:
    if not (found := LINE.match(key)):
        return None
    name = str(json.loads(found["name"])) if found["name"] else ""
    return Node(found["role"], name, value, dict(MARK.findall(found["marks"])))


@dataclass(frozen=True)
class Sought:
    """What is looked for: ``among`` says which nodes come into question at all, ``called`` how each may be called."""

    thing: Thing
    among: Callable[[Node], bool]
    called: Callable[[Node], Iterable[str]]
    kind: str


def to_press(thing: Thing) -> Sought:
    return Sought(thing, _is_pressed, lambda node: [node.words, node.name, node.written], "nothing to press")


def to_touch(thing: Thing) -> Sought:
    """Any words that stand there: for a page of which the buttons do not say that they are."""
    return Sought(thing, lambda node: node.ref is not None, lambda node: [node.name, node.text], "nothing")


def to_type(thing: Thing) -> Sought:
    return Sought(thing, lambda node: node.role in TYPED, _as_a_field, "no field")


def to_tick(thing: Thing) -> Sought:
    return Sought(
        thing, lambda n: n.role in TICKED, lambda n: [n.name, n.written, *_beside(n, True)], "no box to tick"
    )


def to_choose(thing: Thing) -> Sought:
    return Sought(thing, lambda node: node.role in CHOSEN, _as_a_field, "no list")


def _is_pressed(node: Node) -> bool:
    return (node.role in PRESSED or "cursor" in node.marks) and node.ref is not None


def _as_a_field(node: Node) -> list[str]:
    """Its label, what is written in it while it is empty, or the words beside it where it has no label of its own."""
    names = [node.name, node.properties.get("placeholder", ""), node.written]
    return names if node.name and node.name != names[1] else [*names, *_beside(node, False)]


def _beside(node: Node, after: bool) -> list[str]:
    """The words just before it (or ``after`` it, as at a box to tick), within the boxes around it, no other field between."""
    inner: Node = node
    for box in list(node.up())[:REACH]:
        place = box.children.index(inner)
        others = box.children[place + 1 :] if after else box.children[:place][::-1]
        for other in others:
            if any(each.role in TYPED | TICKED | {"button"} for each in other.all()):
                return []
            if other.words.strip():
                return [other.words]
        inner = box
    return []


def find(root: Node, sought: Sought, loosely: bool) -> Node | None:
    """The one node that is meant. Exact words go before words that are part of what is written, which count only ``loosely``.

    Raises CannotPlay: TWO_OF_THEM. None: not there (``not_there`` says what is there instead).
    """
    for found in _grades(root, sought, loosely):
        if found:
            return _one(found, sought)
    return None


def _grades(root: Node, sought: Sought, loosely: bool) -> Iterator[list[Node]]:
    words = normal(sought.thing.name)
    nodes = [(node, _called(node, sought)) for node in root.all() if sought.among(node) and not node.tiny]
    yield [node for node, names in nodes if words in names]
    if loosely:
        yield [node for node, names in nodes if any(within(words, name) for name in names)]


def _called(node: Node, sought: Sought) -> list[str]:
    return [normal(name) for name in sought.called(node) if name]


def _one(found: list[Node], sought: Sought) -> Node:
    thing = sought.thing
    found = _outermost(found)
    if thing.near:
        found = _nearest(found, normal(thing.near))
    if thing.nth:
        if thing.nth > len(found):
            raise CannotPlay(
                Trouble.NOT_THERE,
                f"there are {len(found)} of {thing.name!r}, and the journey wants number {thing.nth}",
            )
        return found[thing.nth - 1]
    places = {node.properties.get("url") or id(node) for node in found}
    if len(places) > 1:
        which = "; ".join(f"{node.role} {node.words[:60]!r} in {_where(node)!r}" for node in found[:4])
        raise CannotPlay(
            Trouble.TWO_OF_THEM,
            f"{len(found)} are called {thing.name!r}: {which}. Say near: … or nth: … in the journey",
        )
    return found[0]


def _outermost(found: list[Node]) -> list[Node]:
    """A link and the words in it are one thing to press: what has a role of its own stands for what is in it."""
    inside = {
        id(node)
        for node in found
        for other in found
        if other in set(node.up()) and other.role not in {"generic", "listitem"}
    }
    around = {
        id(other)
        for node in found
        for other in found
        if other in set(node.up()) and other.role in {"generic", "listitem"}
    }
    return [node for node in found if id(node) not in inside | around]


def _nearest(found: list[Node], near: str) -> list[Node]:
    """Those whose smallest box with the words ``near`` in it is the deepest on the page."""
    depths = {id(node): _depth_of_words(node, near) for node in found}
    best = max(depths.values(), default=-1)
    return [node for node in found if depths[id(node)] == best and best >= 0]


def _depth_of_words(node: Node, near: str) -> int:
    boxes = list(node.up())
    for height, box in enumerate(boxes):
        if within(near, normal(" ".join(_spoken(box, node)))):
            return len(boxes) - height
    return -1


def _spoken(box: Node, besides: Node) -> Iterator[str]:
    if box is not besides:
        yield from filter(None, [box.name, box.text])
        for child in box.children:
            yield from _spoken(child, besides)


def _where(node: Node) -> str:
    """The words around it, so that a person sees which of two is meant."""
    for box in node.up():
        if words := " ".join(" ".join(_spoken(box, node)).split()):
            return words[:60]
    return "the page"


def not_there(root: Node, sought: Sought) -> str:
    """In a sentence: that it is not there, and the nearest words that are."""
    names: dict[str, str] = {}
    for node in root.all():
        if sought.among(node) and not node.tiny:
            for name in sought.called(node):
                if name.strip():
                    names.setdefault(normal(name), " ".join(name.split())[:60])
    return f"{sought.kind} is called {sought.thing.name!r}{closest(sought.thing.name, names)}"


def closest(words: str, names: dict[str, str]) -> str:
    """`; did you mean "Submit"?` of normalised names and how they are written; empty where nothing is like it."""
    close = [name for name in names if within(normal(words), name)]
    close += [
        name for name in difflib.get_close_matches(normal(words), list(names), 3, 0.6) if name not in close
    ]
    return "; did you mean " + " or ".join(repr(names[name]) for name in close[:3]) + "?" if close else ""
