"""What a visit knows of itself while it is played."""

from pathlib import Path

from rasd.watch.evidence.box import Box
from rasd.watch.journeys import parse
from rasd.watch.players.base import Clock, Errand

WAITS = """
journey: waits
title: He waits
target: desk
who: {patience: 2m}
steps: [{see: Thanks, within: 30s}, {see: A number, within: 30s}, {see: Goodbye}]
done: [{see: Thanks}]
"""


def test_what_is_left_for_a_step_runs_out_by_its_own_within_and_by_his_patience(tmp_path: Path) -> None:
    now = [1000.0]
    journey = parse(WAITS)
    clock = Clock(monotonic=lambda: now[0])
    errand = Errand(journey, "http://127.0.0.1", Box(tmp_path), {}, clock=clock, patient_until=1050.0)
    first, second, third = journey.steps
    left = []
    for step in (first, first, first, second, second, third, third):
        left.append(errand.left(step))
        now[0] += 12
    assert left == [30, 18, 6, 14, 2, 0, 0]


def test_a_value_in_a_regular_expression_stands_for_itself(tmp_path: Path) -> None:
    errand = Errand(parse(WAITS), "", Box(tmp_path), {}, kept={"ticket": "[T+7]"})
    assert errand.pattern(r"^\d{2} {ticket}$") == r"^\d{2} \[T\+7\]$"
