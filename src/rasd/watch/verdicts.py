"""Whose fault it was (G15), by one table. Pure: the same findings and self-checks always give the same verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rasd.watch.journeys.language import Journey
from rasd.watch.journeys.steps import Hear, Wait
from rasd.watch.players.finding import Finding, Outcome, Trouble

if TYPE_CHECKING:
    from rasd.watch.players.report import SelfCheck

CLOCK_OFF = 5.0
"""Seconds that our clock may be off. A Date header tells whole seconds and travels; beyond this the times in a report, and the
hour of the week that it counts in, are not evidence."""
DISK_LOW = 200 * 1024**2
"""Bytes that must be free: the evidence of a visit is a few megabytes, a browser's temporary files some tens of them."""
MEMORY_LOW = 0.05
"""Share of the memory that must be available: below it the kernel swaps, or kills browsers first."""
OVERLOADED = 0.9
"""Share of all cores that others than the visit used during a step: what is left, a tenth, is less than a phone has."""
NOTHING_LEFT, MOSTLY_OTHERS = 0.05, 0.5
"""Shares of all cores: where less than the first was idle and others had more than the second, the visit waited for a core and
got less than half of what it would have used."""
LATE = 0.5
"""Seconds by which a timer of our own was late: the host stood still, and half a second of it is seen in any measured time."""
SLOW = 0.75
"""Share of his patience (or of a step's ``within``) that was used up before it was done: one bad moment more, and he would
have gone. A choice, not a law."""
PERSON_LATE = 0.5
"""Share of the time that he gives for it (the step's ``within``, or his patience) after which a person in a chat came late."""


class Verdict(StrEnum):
    COMPLETED = "completed"
    COMPLETED_BUT = "completed, but"
    """What he came for was done, and something on the way was not as it should be: ``Judgement.because`` says what."""
    THEIRS = "theirs"
    OURS = "ours"
    """The watch's own fault, or not to be told apart from one. Counted apart, never against the target."""
    WALL = "wall"
    """Robots are kept out. Reported, never evaded (G13); neither for nor against the service."""

    @property
    def counts(self) -> bool:
        """Whether it is a visit in the share of completed ones."""
        return self in {Verdict.COMPLETED, Verdict.COMPLETED_BUT, Verdict.THEIRS}


class Reason(StrEnum):
    """Why, by code, the weightiest first. ``reasons.py`` has each as a sentence."""

    # ours
    DIED = "died"
    HUNG = "hung"
    OWN_NETWORK = "own network"
    OWN_CLOCK = "own clock"
    OWN_DISK = "own disk"
    OWN_MEMORY = "own memory"
    OWN_BROWSER = "own browser"
    OWN_MAIL = "own mail"
    JOURNEY = "journey"
    TWO_OF_THEM = "two of them"
    NOT_BUILT = "not built"
    NOT_PERMITTED = "not permitted"
    OVERLOAD = "overload"
    NOT_TOLD_APART = "not told apart"
    # neither
    WALL = "wall"
    # theirs
    NOT_FOUND_AGAIN = "not found again"
    FOUND_PARTLY = "found partly"
    ERROR_PAGE = "error page"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    LOOP = "loop"
    NO_ANSWER = "no answer"
    OUT_OF_REACH = "out of reach"
    NOT_THERE = "not there"
    OTHER_WORDS = "other words"
    # completed, but
    CHANGED_CHANNEL = "changed channel"
    PERSON_LATE = "person late"
    SLOW = "slow"
    ASKED_AGAIN = "asked again"
    BROKEN = "broken"
    ERRORS = "errors"
    CLEAN_UP = "clean up"


@dataclass(frozen=True)
class Judgement:
    """``because``: reasons by code, the weightiest first; words for them in both languages are in ``reasons.py``."""

    verdict: Verdict
    because: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """By reason: what its sentence is told with."""


OURS_BY_TROUBLE = {
    Trouble.BROWSER: Reason.OWN_BROWSER,
    Trouble.JOURNEY: Reason.JOURNEY,
    Trouble.TWO_OF_THEM: Reason.TWO_OF_THEM,
    Trouble.NOT_BUILT: Reason.NOT_BUILT,
    Trouble.NOT_PERMITTED: Reason.NOT_PERMITTED,
}
THEIRS_BY_TROUBLE = {
    Trouble.ERROR_PAGE: Reason.ERROR_PAGE,
    Trouble.UNREACHABLE: Reason.UNREACHABLE,
    Trouble.LOST: Reason.LOST,
    Trouble.LOOP: Reason.LOOP,
    Trouble.NO_ANSWER: Reason.NO_ANSWER,
    Trouble.OUT_OF_REACH: Reason.OUT_OF_REACH,
    Trouble.NOT_THERE: Reason.NOT_THERE,
    Trouble.OTHER_WORDS: Reason.OTHER_WORDS,
}
ANSWERED = {Trouble.ERROR_PAGE, Trouble.LOOP}
"""The service itself said it: how busy our host was has no part in that."""

FIRST = "steps"

Facts = dict[str, Any]
Reasons = dict[Reason, Facts]


def judge(
    findings: Sequence[Finding],
    before: "SelfCheck",
    after: "SelfCheck",
    journey: Journey,
    *,
    broke_off: Reason | None = None,
    loopback: bool = False,
) -> Judgement:
    """The first line that holds gives the verdict, and every line of the same verdict that holds is a reason.

    ==================  ================  =======================================================================
    verdict             reason            holds where
    ==================  ================  =======================================================================
    ours                died              the playing process was gone in mid-visit (``broke_off``), or no step tells
                                          why it ended
    ours                hung              it outlasted his patience and was ended (``broke_off``)
    ours                own network       our own way out did not work before, during a failing step, or after
    ours                own clock         our clock is off by more than CLOCK_OFF seconds
    ours                own disk          less than DISK_LOW bytes are free for the evidence
    ours                own memory        less than MEMORY_LOW of the memory is available
    ours                own browser       the browser failed at a page of ours, or crashed at a step
    ours                own mail          the watch's own mailbox or mail server did not work (the fact ``own``)
    ours                journey           the journey itself is wrong
    ours                two of them       the journey does not tell which of several things it means
    ours                not built         a player that is only declared
    ours                not permitted     the permission does not cover the step
    ours                overload          the step failed otherwise than by the service's own answer, and our host
                                          was overloaded (``overloaded``) then or, where he had waited, before
    ours                not told apart    nobody was reached, or he waited in vain, and no place is named in watch.yaml
                                          (own_network) that would tell whose line it was
    wall                wall              robots are kept out of a step
    theirs              not found again   all was said to be done, and the second look found nothing of it
    theirs              found partly      all was said to be done, and the second look found only some of it
    theirs              error page …      a step did not go well, by its trouble (THEIRS_BY_TROUBLE)
    completed, but      not found again   (as above, and another channel did it)
    completed, but      found partly      (as above, and another channel did it)
    completed, but      changed channel   the first channel failed; another one did it
    completed, but      person late       a person came after more than PERSON_LATE of the time given
    completed, but      slow              more than SLOW of his patience was used up, and our host was not overloaded
    completed, but      asked again       he was asked for what he had already given
    completed, but      broken            scripts or styles of the page did not come
    completed, but      errors            the page's own scripts failed
    completed, but      clean up          what was made up could not be taken away again
    completed                             every step and all of the second look went well
    ==================  ================  =======================================================================

    A visit with a failing self-check is ours whichever way it went: were only its failures left out, the share of those
    completed would flatter. ``loopback``: the target is on this host, so that no line lies between.
    """
    if ours := _ours(findings, before, after, broke_off, loopback):
        return _judgement(Verdict.OURS, ours)
    failing = [each for each in _errand(findings) if _failed(each)]
    if walls := [each for each in failing if each.trouble is Trouble.WALL]:
        return _judgement(Verdict.WALL, {Reason.WALL: _step(walls[0])})
    if not _done(findings):
        return _judgement(Verdict.THEIRS, _theirs(findings, failing))
    if but := _but(findings, failing, journey):
        return _judgement(Verdict.COMPLETED_BUT, but)
    return Judgement(Verdict.COMPLETED)


def faults(check: "SelfCheck") -> Reasons:
    """What was wrong with ourselves, by the thresholds above."""
    found: Reasons = {}
    if check.network is False:
        found[Reason.OWN_NETWORK] = {}
    if check.clock_off is not None and abs(check.clock_off) > CLOCK_OFF:
        found[Reason.OWN_CLOCK] = {"seconds": round(check.clock_off, 1)}
    if check.disk_free < DISK_LOW:
        found[Reason.OWN_DISK] = {"megabytes": check.disk_free // 1024**2}
    if check.memory_free < MEMORY_LOW:
        found[Reason.OWN_MEMORY] = {"percent": round(100 * check.memory_free)}
    if check.browser is False:
        found[Reason.OWN_BROWSER] = {}
    return found


def overloaded(finding: Finding) -> bool:
    """Whether our host was, while the step was played."""
    host = finding.host
    if host is None:
        return False
    starved = host.idle is not None and host.idle < NOTHING_LEFT and host.load > MOSTLY_OTHERS
    return host.load > OVERLOADED or starved or host.late > LATE


def done_after(findings: Sequence[Finding]) -> float | None:
    """Seconds from the first step to the end of the last step of ``done``; None where it was not done."""
    last = [each for each in findings if _second_look(each) and each.went_well]
    if not _done(findings) or not last:
        return None
    return round((last[-1].began - findings[0].began).total_seconds() + last[-1].seconds, 3)


def _ours(
    findings: Sequence[Finding],
    before: "SelfCheck",
    after: "SelfCheck",
    broke_off: Reason | None,
    loopback: bool,
) -> Reasons:
    ours: Reasons = {broke_off: {}} if broke_off else {}
    ours |= faults(after) | faults(before)
    failing = [each for each in _errand(findings) if _failed(each)]
    for finding in failing:
        reason = _our_part(finding, findings, loopback or after.network is not None)
        if reason and reason not in ours:
            ours[reason] = _step(finding)
    if not ours and not failing and not _done(findings):
        ours[Reason.DIED] = {}  # it ended, and no step tells why
    return ours


def _our_part(finding: Finding, findings: Sequence[Finding], line_known: bool) -> Reason | None:
    """What of ourselves may have made this step fail."""
    if finding.host and finding.host.network is False:
        return Reason.OWN_NETWORK
    if finding.facts.get("own"):
        return Reason.OWN_MAIL
    if finding.trouble is None:
        return Reason.OWN_BROWSER  # a player that does not say what it saw: nobody can be blamed for that
    if finding.trouble in OURS_BY_TROUBLE:
        return OURS_BY_TROUBLE[finding.trouble]
    if finding.trouble is Trouble.WALL or finding.trouble in ANSWERED:
        return None
    if any(map(overloaded, _waited(finding, findings))):
        return Reason.OVERLOAD
    in_vain = finding.trouble is Trouble.UNREACHABLE or finding.outcome is Outcome.GAVE_UP
    return Reason.NOT_TOLD_APART if in_vain and not line_known else None


def _waited(finding: Finding, findings: Sequence[Finding]) -> Iterator[Finding]:
    """The steps whose time told on this one: itself and, where patience ran out, all that used it up."""
    yield finding
    if finding.outcome is Outcome.GAVE_UP:
        yield from (
            each for each in findings if each.number < finding.number and _part(each) == _part(finding)
        )


def _theirs(findings: Sequence[Finding], failing: Sequence[Finding]) -> Reasons:
    reasons = _looked_again(findings, failing[0])
    for finding in failing:
        if finding.trouble:
            reasons.setdefault(THEIRS_BY_TROUBLE[finding.trouble], _step(finding))
    return reasons


def _looked_again(findings: Sequence[Finding], first: Finding) -> Reasons:
    """What it means that ``first``, the first that did not go well, is of the second look."""
    if not _second_look(first):
        return {}
    partly = any(each.went_well for each in findings if each.part == first.part)
    return {Reason.FOUND_PARTLY if partly else Reason.NOT_FOUND_AGAIN: _step(first)}


def _but(findings: Sequence[Finding], failing: Sequence[Finding], journey: Journey) -> Reasons:
    reasons: Reasons = {}
    did = _part(next(each for each in reversed(findings) if _second_look(each) and each.went_well))
    if failing:
        came_by, went_by = failing[0].channel, next(each.channel for each in findings if _part(each) == did)
        reasons[Reason.CHANGED_CHANNEL] = {"from": came_by.value, "to": went_by.value} | _step(failing[0])
        reasons |= _looked_again(findings, failing[0])
    fair = [each for each in _errand(findings) if not _hampered(each)]
    if late := [each for each in fair if _person_late(each, journey)]:
        reasons[Reason.PERSON_LATE] = {"seconds": round(late[0].facts["person"])} | _step(late[0])
    reasons |= _slow([each for each in findings if _part(each) == did], _patience(did, journey))
    for reason, count in [
        (Reason.ASKED_AGAIN, sum(_count(each, "asked_again") for each in fair)),
        (Reason.BROKEN, sum(map(_did_not_come, _errand(findings)))),
        (Reason.ERRORS, sum(_count(each, "errors") for each in fair)),
    ]:
        if count:
            reasons[reason] = {"count": count}
    if left := [each for each in findings if each.part == "clean_up" and not each.went_well]:
        reasons[Reason.CLEAN_UP] = _step(left[0])
    return reasons


def _slow(played: Sequence[Finding], patience: float) -> Reasons:
    """His own pauses are not counted."""
    theirs = [each for each in played if each.verb != Wait.verb]
    seconds = sum(each.seconds for each in theirs)
    if seconds <= SLOW * patience or any(map(_hampered, played)):
        return {}
    slowest = max(theirs, key=lambda each: (each.seconds, -each.number))
    return {Reason.SLOW: {"seconds": round(seconds), "patience": round(patience)} | _step(slowest)}


def _patience(part: str, journey: Journey) -> float:
    """Seconds that he gives to the first channel, or to the other one."""
    who = journey.who if part == FIRST else journey.otherwise[int(part.split(":")[1]) - 1]
    return who.patience.total_seconds()


def _person_late(finding: Finding, journey: Journey) -> bool:
    waited = finding.facts.get("person")
    if not finding.went_well or not isinstance(waited, int | float):
        return False
    heard = [step for step in journey.every_step() if isinstance(step, Hear) and step.hear.person]
    given = [step.within or journey.who.patience for step in heard] or [journey.who.patience]
    return waited > PERSON_LATE * max(given).total_seconds()


def _hampered(finding: Finding) -> bool:
    """What is not as it should be in such a step may be our own doing."""
    return overloaded(finding) or (finding.host is not None and finding.host.network is False)


def _count(finding: Finding, fact: str) -> int:
    value = finding.facts.get(fact, 0)
    return value if isinstance(value, int) else 0


def _did_not_come(finding: Finding) -> int:
    """Scripts and styles; while our host was overloaded, only those that the service itself refused: what merely did not come in
    time may be our own doing."""
    if finding.host is not None and finding.host.network is False:
        return 0
    return _count(finding, "refused" if overloaded(finding) else "broken")


def _errand(findings: Sequence[Finding]) -> list[Finding]:
    """All but the tidying up, which is neither for nor against what he came for."""
    return [each for each in findings if each.part != "clean_up"]


def _failed(finding: Finding) -> bool:
    return finding.outcome in {Outcome.FAILED, Outcome.GAVE_UP}


def _second_look(finding: Finding) -> bool:
    return finding.part == "done" or finding.part.endswith(":done")


def _part(finding: Finding) -> str:
    """The steps and their second look are one: FIRST, otherwise:1 …"""
    return FIRST if finding.part == "done" else finding.part.removesuffix(":done")


def _done(findings: Sequence[Finding]) -> bool:
    """In one channel: every step, and every step of its second look."""
    errand = _errand(findings)
    return any(
        all(each.went_well for each in errand if _part(each) == part)
        for part in {_part(each) for each in errand if _second_look(each)}
    )


def _step(finding: Finding) -> Facts:
    return {"step": finding.number, "says": finding.says, "words": finding.words}


def _judgement(verdict: Verdict, reasons: Mapping[Reason, Facts]) -> Judgement:
    ranked = sorted(reasons, key=list(Reason).index)
    return Judgement(
        verdict, tuple(each.value for each in ranked), {each.value: dict(reasons[each]) for each in ranked}
    )
