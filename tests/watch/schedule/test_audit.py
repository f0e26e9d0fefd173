"""G14: what was planned but not run is shown, and whoever has the published plan can see for himself."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from rasd.watch.schedule import commitment_of, draw, sealed
from rasd.watch.schedule.audit import NotAPublication, audit, parse
from rasd.watch.schedule.hours import as_time
from tests.watch.schedule.test_drawing import SEED, inputs_of, seed_of


def published(seed: str = SEED, **changes: object) -> dict:
    """A plan that was kept, but for one visit that was skipped, as the watch publishes it."""
    inputs = inputs_of(**changes)
    drawing, text = draw(seed, inputs), sealed(inputs.model_dump(mode="json"))
    visits = [
        {
            "due": as_time(due).isoformat(),
            "hour": hour,
            "journey": inputs.journeys[which],
            "paid": {"began": as_time(due + 2).isoformat(), "probe": "p", "digest": "d", "verdict": "completed"},
        }
        for due, hour, which in zip(drawing.due.tolist(), drawing.hour.tolist(), drawing.journey.tolist(), strict=True)
    ]  # fmt: skip
    visits[3] |= {"paid": None, "skipped": {"reason": "stopped", "noticed": as_time(inputs.ends).isoformat()}}
    return {
        "begins": as_time(inputs.begins).isoformat(),
        "ends": as_time(inputs.ends).isoformat(),
        "weeks": inputs.weeks,
        "commitment": commitment_of(seed, text),
        "committed_at": as_time(inputs.begins - 60).isoformat(),
        "revealed_at": as_time(inputs.ends + 600).isoformat(),
        "seed": seed,
        "inputs": text,
        "visits": visits,
    }


def publication(*plans: dict) -> str:
    made = datetime(2027, 2, 1, tzinfo=UTC).isoformat()
    return json.dumps(
        {
            "format": "rasd-watch-plans-1",
            "target": "helpdesk",
            "zone": "Asia/Muscat",
            "made_at": made,
            "plans": plans,
        }
    )


def findings(plan: dict) -> list[str]:
    (audited,), between = audit(parse(publication(plan)))
    return audited.findings + between


def test_g14_a_plan_that_was_kept_is_found_kept_and_its_skips_are_counted():
    (audited,), between = audit(parse(publication(published(visits_a_day=6))))
    assert audited.findings + between == []
    assert (audited.drawn, audited.paid, dict(audited.skipped)) == (168, 167, {"stopped": 1})
    assert (audited.hours_visited, len(audited.hours_skipped)) == (167, 1)


def another_seed(plan):
    plan["seed"] = seed_of(1)


def another_input(plan):
    plan["inputs"] = plan["inputs"].replace('"gap":120', '"gap":121')


def hide_a_visit(plan):
    del plan["visits"][20]


def hide_an_hour(plan):
    hour = plan["visits"][20]["hour"]
    plan["visits"] = [each for each in plan["visits"] if each["hour"] != hour]


def move_a_visit(plan):
    due = datetime.fromisoformat(plan["visits"][20]["due"]) + timedelta(seconds=1)
    plan["visits"][20]["due"] = due.isoformat()


def swap_a_journey(plan):
    mine = plan["visits"][20]["journey"]
    plan["visits"][20]["journey"] = next(j for j in ("j00", "j01") if j != mine)


def say_nothing(plan):
    plan["visits"][20]["paid"] = None


def pay_it_later(plan):
    due = datetime.fromisoformat(plan["visits"][20]["due"])
    plan["visits"][20]["paid"]["began"] = (due + timedelta(hours=1, minutes=6)).isoformat()


def call_it_replanned(plan):
    plan["visits"][3]["skipped"]["reason"] = "replanned"


def commit_afterwards(plan):
    plan["committed_at"] = plan["visits"][5]["due"]


def end_early(plan):
    plan["ends"] = plan["visits"][100]["due"]
    plan["visits"] = plan["visits"][:100]


def show_one_twice(plan):
    plan["visits"].append(plan["visits"][20])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (another_seed, "not those that were committed to"),
        (another_input, "not those that were committed to"),
        (hide_a_visit, "a hidden visit"),
        (hide_an_hour, "neither visited nor shown as skipped"),
        (move_a_visit, "an invented visit"),
        (swap_a_journey, "another journey or hour"),
        (say_nothing, "neither paid nor skipped"),
        (pay_it_later, "not paid in its hour"),
        (call_it_replanned, "replanned without a new plan"),
        (commit_afterwards, "when it had begun"),
        (end_early, "it ended early, and nothing says why"),
        (show_one_twice, "shown twice"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_g14_an_audit_finds_what_was_changed_or_hidden(spoil, says):
    plan = published()
    spoil(plan)
    assert says in "; ".join(findings(plan))


def test_an_audit_finds_hours_for_which_there_was_no_plan_and_one_that_is_never_revealed():
    kept = published()
    begins = datetime.fromisoformat(kept["ends"]) + timedelta(hours=50)
    later = published(seed_of(5), now=begins) | {"seed": None, "inputs": None, "revealed_at": None}
    _, between = audit(parse(publication(kept, later)), noted=["ab" * 32])
    assert "51 hours in which nothing was promised" in between[0]
    assert "over and was not revealed" in between[1]
    assert "was noted" in between[2]


def test_what_is_no_published_plan_is_named_with_the_place():
    with pytest.raises(NotAPublication, match=r"plans\.0\.visits"):
        parse(publication({**published(), "visits": 7}))
    with pytest.raises(NotAPublication, match="this is no published plan"):
        parse("<html>")


def test_g14_inputs_that_cannot_be_drawn_are_a_finding_and_no_crash():
    plan = published()
    plan["inputs"] = plan["inputs"].replace('"weeks":4', '"weeks":-4')
    assert "cannot be drawn again" in "; ".join(findings(plan))
