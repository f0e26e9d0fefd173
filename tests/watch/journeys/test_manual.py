"""What the manual teaches is what the checker takes, and it teaches all of it."""

import re
from pathlib import Path

import pytest
import yaml

from rasd.watch.journeys import Journey, parse
from rasd.watch.journeys.steps import VERBS
from rasd.watch.players.persona import NETWORKS

MANUAL = (Path(__file__).parents[3] / "docs" / "journeys.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL)
REST = {
    "journey": "example",
    "title": "An example",
    "target": "example",
    "who": {"patience": "3m"},
    "steps": [{"open": "/"}],
    "done": [{"see": "Thanks"}],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_of_the_manual_is_a_journey_or_a_part_of_one(example: str) -> None:
    missing = {key: value for key, value in REST.items() if not re.search(rf"^{key}:", example, re.MULTILINE)}
    assert isinstance(parse(example + (yaml.safe_dump(missing) if missing else "")), Journey)


def test_the_manual_shows_every_verb() -> None:
    shown = {found for example in EXAMPLES for found in re.findall(r"- (\w+):", example)}
    assert set(VERBS) - shown == {"ring"}
    assert "`ring` (the telephone) is declared" in MANUAL


def test_the_manual_has_the_rates_that_are_used() -> None:
    for name, network in NETWORKS.items():
        row = next(line for line in MANUAL.split("\n") if line.startswith(f"| `{name}` |"))
        if network:
            assert (
                f"{network.down / 1e6:g} Mbit/s | {network.up / 1e6:g} Mbit/s | {network.delay:g} ms" in row
            )
