"""From what he did to a journey's file. Pure; what comes out is read again as any journey is."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from rasd.watch.journeys import Journey, parse
from rasd.watch.journeys.steps import Thing
from rasd.watch.journeys.values import VALUE
from rasd.watch.journeys.written import is_pattern
from rasd.watch.players.normal import normal
from rasd.watch.recorder import privacy
from rasd.watch.recorder.deeds import Deed, Kind, Recording

CHANGES = re.compile(r"[\w/-]*\d[\w/-]*|\b[A-Z]{4,}\b")
"""A number, a date, a code in capital letters: on the next visit it is another one."""
LEAST_PATIENCE = 3
"""Minutes. He knew the way and was alone: who comes gets twice his time, and these at least."""
REPLACED = 4
"""Letters from which on a value is known again within other words."""


class NothingProves(Exception):
    """No words say that he came to what he came for: there is no journey without them."""


class Flow(dict[str, Any]):
    """A mapping that is written in one line."""


class Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _in_one_line(dumper: yaml.SafeDumper, data: Flow) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)


Dumper.add_representer(Flow, _in_one_line)


@dataclass
class Script:
    """Deeds on their way to steps, and the values that are known by then."""

    known: dict[str, str] = field(default_factory=dict)
    """A value as it stands on a page, and the template that stands for it."""
    numbers: int = 0

    def words(self, text: str) -> str:
        """With the templates of what is known in it; what only looks like a template is none."""
        text = VALUE.sub(lambda match: f"({match[1]})", text)
        for value, instead in sorted(self.known.items(), key=lambda each: -len(each[0])):
            if len(value) >= REPLACED or text == value:
                text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", instead, text)
        return text

    def typed(self, deed: Deed) -> str:
        """Kept numbers are known however their digits are written."""
        instead = privacy.of(deed)
        if instead != deed.value:
            self.known.setdefault(deed.value, instead)
            return instead
        for value, kept in self.known.items():
            if normal(value) == normal(deed.value):
                return kept
        return self.words(deed.value)

    def proof(self, words: str) -> dict[str, Any]:
        """``see`` the words; where a number of this one visit stands in them, ``keep`` it: the next has another."""
        words = self.words(" ".join(words.split()))
        bare = VALUE.sub("", words)
        changing = CHANGES.search(bare)
        if changing is None:
            return {"see": words if not is_pattern(words) else words.strip("/")}
        self.numbers += 1
        name = "number" if self.numbers == 1 else f"number_{self.numbers}"
        self.known[changing[0]] = f"{{{name}}}"
        return {"keep": Flow({name: _pattern(words)})}


def _pattern(words: str) -> str:
    """The first thing that changes is the group that is kept; spaces may be any; templates stay."""
    parts: list[str] = []
    for part in re.split(rf"({VALUE.pattern.replace('(', '(?:', 1)}|{CHANGES.pattern})", words):
        if VALUE.fullmatch(part):
            parts.append(part)
        elif CHANGES.fullmatch(part):
            parts.append(r"[\w/-]+" if r"([\w/-]+)" in parts else r"([\w/-]+)")
        else:
            parts.append(r"\s+".join(_literal(each) for each in part.split(" ")))
    return "".join(parts)


def _literal(text: str) -> str:
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def steps_of(deeds: list[Deed]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """``steps`` and ``done``: from the first words that prove it, all that he does is the second look."""
    script, steps, done = Script(), [], []  # type: ignore[var-annotated]
    for deed in deeds:
        part = done if done or deed.kind is Kind.SAW else steps
        for step in _steps(deed, script):
            before = part[-1] if part else {}
            if "fill" in step and set(before) == {"fill"} and not set(step) - {"fill"}:
                before["fill"] |= step["fill"]
            elif "choose" in step and set(before) == {"choose"} and not set(step) - {"choose"}:
                before["choose"] |= step["choose"]
            else:
                part.append(step)
    return steps, done


def _steps(deed: Deed, script: Script) -> list[dict[str, Any]]:
    note = {"note": deed.doubt} if deed.doubt else {}
    label = script.words(deed.thing.name) if deed.thing else script.words(deed.field.label)
    match deed.kind:
        case Kind.OPENED:
            return [{"open": deed.value}]
        case Kind.PRESSED if deed.thing and not (deed.nothing and not deed.pressable):
            return [{"press": _thing(deed.thing, script), **note}]
        case Kind.TYPED if label and deed.value:
            return [{"fill": {label: script.typed(deed)}, **note}]
        case Kind.ENTERED:
            return [{"press": "Enter"}]
        case Kind.CHOSE if label:
            return [{"choose": {label: script.words(deed.value)}, **note}]
        case Kind.TICKED if deed.thing:
            return [{"tick": _thing(deed.thing, script), **({} if deed.on else {"on": False}), **note}]
        case Kind.ATTACHED if label:
            return [{"attach": {label: deed.value}, **note}]
        case Kind.WENT_BACK:
            return [{"back": True}]
        case Kind.SAID:
            return [{"say": script.words(deed.value), **note}, *([{"hear": Flow()}] if deed.heard else [])]
        case Kind.SAW:
            return [script.proof(deed.value)]
    return []


def _thing(thing: Thing, script: Script) -> str | Flow:
    if not thing.near and not thing.nth:
        return script.words(thing.name)
    told = {
        "name": script.words(thing.name),
        "near": thing.near and script.words(thing.near),
        "nth": thing.nth,
    }
    return Flow({key: value for key, value in told.items() if value})


def written(recording: Recording, name: str, target: str) -> str:
    """The journey's file. Raises NothingProves; NotAJourney only where this module is wrong."""
    steps, done = steps_of(recording.deeds)
    if not done:
        raise NothingProves("nothing was pointed at as proof that it is done")
    who, minutes = recording.who, max(LEAST_PATIENCE, -(-int(2 * recording.ended) // 60))
    data: dict[str, Any] = {
        "journey": name,
        "title": Flow({who.language: recording.title}) if recording.title else name,
        "target": target,
        "who": Flow(
            language=who.language,
            device=who.device,
            network=who.network,
            patience=f"{minutes}m",
            place=who.place,
        ),
    }
    if said := next((each for each in recording.deeds if each.kind is Kind.SAID), None):
        chat = {"box": said.thing.name if said.thing else said.field.label}
        data["chat"] = Flow(chat | ({"send": _thing(said.send, Script())} if said.send else {}))
    data |= {"steps": steps, "done": done}
    text = _head(recording) + yaml.dump(data, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=110)
    parse(text)
    return text


def _head(recording: Recording) -> str:
    wanted = secrets_of(recording)
    lines = [f"Recorded on {recording.began:%Y-%m-%d} at {recording.url.partition('?')[0]}"]
    lines += [f"Wants {variable(each)} in the environment." for each in wanted]
    if any(privacy.of(each) == privacy.ONE_TIME for each in recording.typed):
        lines.append("He typed a one-time code: let a 'mail' or 'code' step before it keep {code}.")
    return "".join(f"# {line}\n" for line in lines)


def secrets_of(recording: Recording) -> list[str]:
    """Names, as journeys write them: ``pin`` of ``{secret.pin}``."""
    told = [privacy.of(each) for each in recording.deeds if each.kind is Kind.TYPED]
    return list(dict.fromkeys(each[8:-1] for each in told if privacy.is_secret(each)))


def variable(secret: str) -> str:
    return f"RASD_WATCH_SECRET_{secret.upper()}"


def journey_of(text: str) -> Journey:
    return parse(text)
