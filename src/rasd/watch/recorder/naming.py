"""By which words a thing will be found again. Pure: a node of a page's tree in, words out, tried as a player tries."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from rasd.watch.journeys.steps import Thing
from rasd.watch.journeys.values import VALUE
from rasd.watch.players import pointing
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.normal import normal
from rasd.watch.players.pointing import Node, Sought

LONGEST = 80
"""Letters of a name: who reads the journey wants no whole card in it."""
NEAR = 60
BOXES = 8
"""How far up words are looked for that tell two of one name apart."""
ENTER = "enter"  # a name that is a key to the player

Kind = Callable[[Thing], Sought]


def found_again(root: Node, node: Node, thing: Thing, *kinds: Kind) -> bool:
    """Whether a player who is told ``thing`` comes to ``node``: while the page still moves, and once it is calm."""
    soughts = [kind(thing) for kind in kinds]
    try:
        early = pointing.find(root, soughts[0], loosely=False)
        if early is not None and not _same(early, node):
            return False
        for sought in soughts:
            found = pointing.find(root, sought, loosely=True)
            if found is not None and not found.disabled:
                return _same(found, node)
    except CannotPlay:
        pass
    return False


def _same(found: Node, node: Node) -> bool:
    """The same thing, what is in it, or another link to the same place."""
    url = node.properties.get("url")
    return found is node or node in found.up() or bool(url and url == found.properties.get("url"))


def to_press(root: Node, node: Node) -> Thing | None:
    """None: no words tell it from others."""
    kinds = (pointing.to_press, pointing.to_touch)
    names = [name for name in _names_of(node) if normal(name) != ENTER]
    for name in names:
        if found_again(root, node, thing := Thing(name=name), *kinds):
            return thing
    for name in names:
        for near in _words_around(node):
            if found_again(root, node, thing := Thing(name=name, near=near), *kinds):
                return thing
    for name in names:
        for nth in range(1, 30):
            if found_again(root, node, thing := Thing(name=name, nth=nth), *kinds):
                return thing
    return None


def to_fill(root: Node, node: Node, kind: Kind) -> Thing | None:
    """A field, a list or a box to tick by its label alone. None: its label does not tell it from others."""
    names = [node.written, *kind(Thing(name="x")).called(node), node.properties.get("placeholder", "")]
    if kind is pointing.to_choose:
        names = [
            name for name in names if not any(name == each.words for each in node.all() if each is not node)
        ]
    for name in _fit(names):
        if found_again(root, node, thing := Thing(name=name), kind):
            return thing
    return None


def to_tick(root: Node, node: Node) -> Thing | None:
    names = list(_fit(pointing.to_tick(Thing(name="x")).called(node)))
    kinds = (pointing.to_tick, pointing.to_touch)
    for name in names:
        for thing in (Thing(name=name), *(Thing(name=name, near=near) for near in _words_around(node))):
            if found_again(root, node, thing, *kinds):
                return thing
    return None


def pressable(node: Node) -> Node:
    """What he meant to press: the button or link around the words at which he pointed; itself where there is none."""
    for each in (node, *node.up()):
        if each.role in pointing.PRESSED and each.ref:
            return each
    return next((each for each in (node, *node.up()) if "cursor" in each.marks and each.ref), node)


def _names_of(node: Node) -> Iterator[str]:
    """All that is written on it, then its parts: a card is called by its heading."""
    parts = [each.name or each.text for each in node.all() if each is not node]
    headings = [each.words for each in node.all() if each.role == "heading"]
    yield from _fit([node.words, node.name, *headings, *parts])


def _fit(names: Iterable[str]) -> Iterator[str]:
    seen = set()
    for name in names:
        words = " ".join(name.split())
        if _readable(words) and len(words) <= LONGEST and not VALUE.search(words) and words not in seen:
            seen.add(words)
            yield words


def _readable(words: str) -> bool:
    """Not only an icon of a font, which is a letter of nobody's."""
    return any(unicodedata.category(letter)[0] in "LNPS" for letter in words)


def _words_around(node: Node) -> list[str]:
    """What else stands in its row, its card, its box: the nearest first, words before numbers, which change."""
    inside = set(map(id, node.all()))
    found: list[str] = []
    for box in list(node.up())[:BOXES]:
        for each in box.all():
            if (
                id(each) not in inside
                and (words := " ".join((each.name or each.text).split()))
                and len(words) <= NEAR
            ):
                found.append(words)
    plain = [each for each in dict.fromkeys(found) if re.search(r"\w", each) and not VALUE.search(each)]
    return sorted(plain, key=lambda words: bool(re.search(r"\d", words)))[:40]
