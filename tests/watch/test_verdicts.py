"""G15: a fault of the watch itself is never reported as the target's; and 200 never means well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.players.finding import Finding, Moment, Outcome, Trouble
from rasd.watch.players.report import SelfCheck
from rasd.watch.verdicts import (
    CLOCK_OFF,
    DISK_LOW,
    LATE,
    MEMORY_LOW,
    OVERLOADED,
    SLOW,
    Judgement,
    Reason,
    Verdict,
    done_after,
    judge,
)
from tests.watch.visits import all_done, errand, failed, gave_up, in_turn, not_reached, well, went

JOURNEY = errand()
UNWELL = [
    pytest.param({"network": False}, "own network", id="own network down"),
    pytest.param({"clock_off": CLOCK_OFF + 1}, "own clock", id="clock fast"),
    pytest.param({"clock_off": -CLOCK_OFF - 1}, "own clock", id="clock slow"),
    pytest.param({"disk_free": DISK_LOW - 1}, "own disk", id="disk full"),
    pytest.param({"memory_free": MEMORY_LOW / 2}, "own memory", id="memory full"),
    pytest.param({"browser": False}, "own browser", id="browser broken"),
]


def judged(
    *findings: Finding, before: SelfCheck | None = None, after: SelfCheck | None = None, **more
) -> Judgement:
    return judge(in_turn(*findings), before or well(), after or well(), JOURNEY, **more)


def unsuccessful(finding: Finding) -> tuple[Finding, ...]:
    return (went(), finding, not_reached(), not_reached())


def test_what_went_well_to_the_second_look_is_completed():
    assert judge(all_done(), well(), well(), JOURNEY) == Judgement(Verdict.COMPLETED)


@pytest.mark.parametrize(("unwell", "reason"), UNWELL)
@pytest.mark.parametrize("when", ["before", "after"])
def test_g15_a_watch_that_was_not_well_itself_blames_nobody(unwell, reason, when):
    judgement = judged(*unsuccessful(failed(Trouble.UNREACHABLE)), **{when: well(**unwell)})

    assert (judgement.verdict, judgement.because) == (Verdict.OURS, (reason,))


def test_g15_nor_does_a_visit_count_as_completed_that_it_would_not_have_counted_as_failed():
    assert judge(all_done(), well(network=False), well(), JOURNEY).verdict is Verdict.OURS


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Trouble.BROWSER, "own browser"),
        (Trouble.JOURNEY, "journey"),
        (Trouble.TWO_OF_THEM, "two of them"),
        (Trouble.NOT_BUILT, "not built"),
        (Trouble.NOT_PERMITTED, "not permitted"),
    ],
)
def test_g15_a_step_that_fails_by_the_watch_or_its_journey_is_ours(trouble, reason):
    judgement = judged(*unsuccessful(failed(trouble)))

    assert (judgement.verdict, judgement.because) == (Verdict.OURS, (reason,))


def test_g15_trouble_with_the_watchs_own_mailbox_is_ours():
    judgement = judged(*unsuccessful(failed(Trouble.UNREACHABLE, own=True)))

    assert (judgement.verdict, judgement.because) == (Verdict.OURS, ("own mail",))


@pytest.mark.parametrize(
    "busy", [{"load": OVERLOADED + 0.05}, {"load": 0.6, "idle": 0.0}, {"late": LATE + 0.1}]
)
@pytest.mark.parametrize("trouble", [Trouble.NO_ANSWER, Trouble.NOT_THERE, Trouble.OUT_OF_REACH])
def test_g15_waiting_in_vain_on_an_overloaded_host_is_ours(busy, trouble):
    assert judged(*unsuccessful(gave_up(trouble, **busy))).because == ("overload",)
    assert judged(*unsuccessful(gave_up(trouble))).verdict is Verdict.THEIRS


def test_g15_patience_that_an_overloaded_host_used_up_earlier_is_ours():
    late = (went(load=0.99, seconds=95), gave_up(Trouble.NO_ANSWER, seconds=0), not_reached())

    assert judged(*late).because == ("overload",)


@pytest.mark.parametrize("load", [0.1, 0.6, 0.99])
def test_an_error_page_of_the_service_is_theirs_however_busy_our_host_is(load):
    judgement = judged(*unsuccessful(failed(Trouble.ERROR_PAGE, load=load)))

    assert (judgement.verdict, judgement.because) == (Verdict.THEIRS, ("error page",))


def test_g15_but_not_where_our_own_network_was_down_at_that_step():
    assert judged(*unsuccessful(failed(Trouble.ERROR_PAGE, network=False))).because == ("own network",)


def test_g15_where_nothing_tells_our_line_from_theirs_nobody_is_blamed():
    nowhere = well(network=None)
    for finding in (failed(Trouble.UNREACHABLE, network=None), gave_up(Trouble.NO_ANSWER, network=None)):
        visit = unsuccessful(finding)
        assert judged(*visit, before=nowhere, after=nowhere).because == ("not told apart",)
        assert judged(*visit, before=nowhere, after=nowhere, loopback=True).verdict is Verdict.THEIRS


@pytest.mark.parametrize("broke_off", [Reason.DIED, Reason.HUNG])
def test_g15_a_visit_whose_playing_process_is_gone_is_ours(broke_off):
    assert judged(*unsuccessful(failed(Trouble.ERROR_PAGE)), broke_off=broke_off).because == (broke_off,)


def test_robots_kept_out_are_a_wall_and_not_a_fault():
    assert judged(*unsuccessful(failed(Trouble.WALL, load=0.99))).verdict is Verdict.WALL


def test_a_wall_that_another_channel_goes_round_is_still_no_fault_of_the_service():
    otherwise = (went("otherwise:1"), went("otherwise:1:done"))

    assert judged(*unsuccessful(failed(Trouble.WALL)), *otherwise).verdict is Verdict.WALL


def test_200_never_means_well_what_is_not_found_again_was_not_done():
    nothing = judged(went(), went(), failed(Trouble.OTHER_WORDS, "done"), not_reached())
    partly = judged(went(), went(), went("done"), failed(Trouble.NOT_THERE, "done"))

    assert (nothing.verdict, nothing.because) == (Verdict.THEIRS, ("not found again", "other words"))
    assert (partly.verdict, partly.because) == (Verdict.THEIRS, ("found partly", "not there"))


def test_done_by_another_channel_is_completed_but():
    otherwise = (went("otherwise:1"), went("otherwise:1:done"))
    judgement = judged(*unsuccessful(failed(Trouble.ERROR_PAGE)), *otherwise)

    assert (judgement.verdict, judgement.because) == (Verdict.COMPLETED_BUT, ("changed channel",))
    assert judgement.facts["changed channel"]["step"] == 2


def test_g15_but_where_the_first_channel_failed_by_us_nothing_is_said_of_the_service():
    otherwise = (went("otherwise:1"), went("otherwise:1:done"))

    assert judged(*unsuccessful(failed(Trouble.JOURNEY)), *otherwise).verdict is Verdict.OURS


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (went(seconds=SLOW * 100), "slow"),
        (went(asked_again=1), "asked again"),
        (went(broken=2), "broken"),
        (went(errors=3), "errors"),
    ],
)
def test_done_with_something_not_as_it_should_be_is_completed_but(odd, reason):
    judgement = judged(odd, went("done"))

    assert (judgement.verdict, judgement.because) == (Verdict.COMPLETED_BUT, (reason,))


def test_g15_what_is_odd_on_an_overloaded_host_or_a_broken_line_is_not_held_against_them():
    for beside in ({"load": 0.99}, {"network": False}):
        assert (
            judged(went(seconds=90, broken=1, errors=1, **beside), went("done")).verdict is Verdict.COMPLETED
        )


def test_scripts_that_the_service_itself_refuses_are_told_however_busy_our_host_was():
    refused = {"broken": 12, "refused": 10}
    judgement = judged(went(**refused, load=0.99), went("done"))
    assert (judgement.because, judgement.facts["broken"]["count"]) == (("broken",), 10)
    assert judged(went(**refused, network=False), went("done")).verdict is Verdict.COMPLETED, (
        "a portal's answer"
    )


def test_his_own_pauses_are_not_slowness():
    assert judged(went(verb="wait", seconds=90), went("done")).verdict is Verdict.COMPLETED


def test_a_person_who_comes_after_half_of_the_time_given_came_late():
    assert judged(went(verb="hear", person=51.0), went("done")).because == ("person late",)
    assert judged(went(verb="hear", person=49.0), went("done")).verdict is Verdict.COMPLETED
    assert judged(went(verb="hear", person=None), went("done")).verdict is Verdict.COMPLETED


def test_a_failed_tidying_up_neither_undoes_nor_does_the_errand():
    done = judged(went(), went("done"), failed(Trouble.NOT_THERE, "clean_up"))
    undone = judged(*unsuccessful(failed(Trouble.NOT_THERE)), went("clean_up"))

    assert (done.verdict, done.because) == (Verdict.COMPLETED_BUT, ("clean up",))
    assert undone.verdict is Verdict.THEIRS


def test_done_after_is_the_time_to_the_end_of_the_second_look():
    assert done_after(all_done()) == 20.0
    assert done_after(in_turn(*unsuccessful(failed(Trouble.LOST)))) is None


# Any visit at all -----------------------------------------------------------------------------------------------------

hosts = st.none() | st.builds(
    Moment, load=st.floats(0, 1), late=st.floats(0, 2), network=st.sampled_from([None, True, False])
)
PARTS = ["steps", "done", "otherwise:1", "otherwise:1:done", "clean_up"]


@st.composite
def visits(draw: st.DrawFn) -> list[Finding]:
    found = []
    for part in PARTS:
        for _ in range(draw(st.integers(1, 2))):
            outcome = draw(st.sampled_from(list(Outcome)))
            bad = outcome in {Outcome.FAILED, Outcome.GAVE_UP}
            finding = went(part, outcome, draw(st.sampled_from(list(Trouble))) if bad else None)
            seconds = draw(st.floats(0, 200))
            found.append(finding.model_copy(update={"host": draw(hosts), "seconds": seconds}))
    return in_turn(*found)


checks = st.builds(
    well,
    network=st.sampled_from([None, True, False]),
    clock_off=st.none() | st.floats(-10, 10),
    disk_free=st.integers(0, 2 * DISK_LOW),
    memory_free=st.floats(0, 1),
    browser=st.sampled_from([None, True, False]),
)


def _unwell(check: SelfCheck) -> bool:
    return (
        check.network is False
        or check.browser is False
        or abs(check.clock_off or 0) > CLOCK_OFF
        or check.disk_free < DISK_LOW
        or check.memory_free < MEMORY_LOW
    )


@given(visits(), checks, checks, st.booleans())
def test_g15_whatever_happened_the_verdict_keeps_to_the_rules(findings, before, after, loopback):
    judgement = judge(findings, before, after, JOURNEY, loopback=loopback)
    looks = {"done": "steps", "otherwise:1:done": "otherwise:1"}
    really_done = any(
        all(each.went_well for each in findings if each.part in {look, steps})
        for look, steps in looks.items()
    )

    if _unwell(before) or _unwell(after):
        assert judgement.verdict is Verdict.OURS
    if judgement.verdict in {Verdict.COMPLETED, Verdict.COMPLETED_BUT}:
        assert really_done
    if judgement.verdict is Verdict.COMPLETED:
        assert all(each.went_well for each in findings)
    if judgement.verdict is Verdict.WALL:
        assert any(each.trouble is Trouble.WALL and each.part != "clean_up" for each in findings)
    assert bool(judgement.because) == (judgement.verdict is not Verdict.COMPLETED)
    assert set(judgement.facts) == set(judgement.because)
    assert all(Reason(each) for each in judgement.because)


@given(visits(), checks, st.permutations(["status", "title", "clicks", "typed", "waited"]))
def test_the_verdict_does_not_depend_on_facts_that_are_none_of_its_business(findings, check, names):
    told = [each.model_copy(update={"facts": dict.fromkeys(names, 500)}) for each in findings]

    assert judge(told, check, check, JOURNEY) == judge(findings, check, check, JOURNEY)


@given(visits())
def test_g15_theirs_needs_a_working_line_and_a_step_that_only_they_can_have_failed(findings):
    judgement = judge(findings, well(), well(), JOURNEY)
    if judgement.verdict is Verdict.THEIRS:
        failing = [each for each in findings if each.trouble and each.part != "clean_up"]
        assert not any(each.host and each.host.network is False for each in failing)
        assert not any(each.trouble in {Trouble.BROWSER, Trouble.JOURNEY, Trouble.WALL} for each in failing)
