"""G12: what every employee owed, when, and when it was answered, is on record: drawn from the ledger and from nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.desk import account
from rasd.desk.account import Figure, Figures, Scope, bin_edges, bin_of, fold, quantile
from rasd.desk.models import AccountDay, AccountMark, AccountStretch, Calendar, Obligation, OpenSpan, Queue
from rasd.ledger.models import Entry, record

NOON = datetime(2026, 11, 22, 8, tzinfo=UTC)  # in Muscat
HALF_HOUR = 30.0


@dataclass
class Owed:
    """The entries of one obligation, as ``Obligation`` writes them, with a clock that counts day and night."""

    pk: int = 1
    allowance: float = HALF_HOUR  # minutes
    queue: str = "First line"
    line: str | None = "Readings"
    case: int | None = None
    kind: str = "answer"
    owner: str | None = None
    spent: float = 0.0
    since: float = 0.0
    runs_since: float | None = 0.0
    due: float = HALF_HOUR
    write: Callable[..., Any] | None = None
    zero: datetime = NOON
    entries: list[Any] = field(default_factory=list)

    def at(self, minute: float, action: str, actor: str = "machine:desk", **changes: Any) -> "Owed":
        spent = self.spent + (minute - self.runs_since if self.runs_since is not None else 0)
        for name, value in changes.items():
            setattr(self, name, value)
        entry = Entry(
            number=len(self.entries) + 1,
            at=self.zero + timedelta(minutes=minute),
            actor=actor,
            action=f"obligation.{action}",
            subject=f"obligation:{self.pk}",
            facts={
                "kind": self.kind,
                "matter": "",
                "queue": self.queue,
                "owner": self.owner,
                "line": self.line,
                "conversation": 7,
                "case": self.case,
                "message": 9,
                "since": (self.zero + timedelta(minutes=self.since)).isoformat(),
                "due_at": (self.zero + timedelta(minutes=self.due)).isoformat(),
                "spent": spent * 60,
                "allowance": self.allowance * 60,
            },
        )
        if self.write:
            with transaction.atomic():
                self.write(entry.actor, entry.action, entry.subject, at=entry.at, facts=entry.facts)
        self.entries.append(entry)
        return self

    def owed(self, minute: float = 0) -> "Owed":
        self.since, self.runs_since, self.due = minute, minute, minute + self.allowance
        return self.at(minute, "owed", actor="customer:tel:+96890000001")

    def given(self, minute: float, owner: str | None, by: str = "machine:desk") -> "Owed":
        return self.at(minute, "given", actor=by, owner=owner)

    def moved(self, minute: float, queue: str, by: str = "user:salma") -> "Owed":
        return self.at(minute, "moved", actor=by, owner=None, queue=queue)

    def paused(self, minute: float) -> "Owed":
        self.spent, self.runs_since = self.spent + minute - (self.runs_since or 0), None
        return self.at(minute, "paused")

    def resumed(self, minute: float) -> "Owed":
        self.runs_since, self.due = minute, minute + max(0, self.allowance - self.spent)
        return self.at(minute, "resumed")

    def answered(self, minute: float, by: str | None = None, action: str = "answered") -> "Owed":
        return self.at(minute, action, actor=f"user:{by or self.owner}")

    def owed_again(self, minute: float) -> "Owed":
        self.spent, self.runs_since = 0.0, self.since
        return self.at(minute, "owed_again", actor="machine:whatsapp")

    @property
    def figures(self) -> dict[str, str]:
        """Of persons, queues and lines: what became of their stretches, in order."""
        told: dict[str, str] = {}
        for stretch in fold(self.entries):
            told[stretch.name] = " ".join(filter(None, [told.get(stretch.name), str(stretch.figure)]))
        return told

    def late(self, name: str) -> int:
        """Minutes."""
        return max(stretch.late for stretch in fold(self.entries) if stretch.name == name) // 60


def test_g12_answered_within_the_time_is_in_time_for_the_person_the_queue_and_the_line():
    owed = Owed().owed().given(5, "salma").answered(29)
    assert owed.figures == {"salma": "in_time", "First line": "in_time", "Readings": "in_time"}


def test_g12_who_had_it_when_its_time_passed_is_late_and_how_late_is_told():
    owed = Owed().owed().given(5, "salma").answered(47)
    assert owed.figures == {"salma": "late", "First line": "late", "Readings": "late"}
    assert owed.late("salma") == 17


def test_g12_what_lay_in_the_queue_until_its_time_had_passed_is_the_queues_and_inherited_by_who_gets_it():
    owed = Owed().owed().given(40, "salma").answered(45)
    assert owed.figures == {"salma": "inherited", "First line": "late", "Readings": "late"}
    assert owed.late("salma") == 0
    assert owed.late("First line") == 15


def test_g12_handed_on_before_the_time_is_neither_in_time_nor_late_and_who_gets_it_answers_for_it():
    owed = Owed().owed().given(5, "salma").given(20, "nasser", by="user:salma").answered(35)
    assert owed.figures["salma"] == "handed"
    assert owed.figures["nasser"] == "late"


def test_g12_handed_on_after_the_time_is_told_apart_and_does_not_make_the_next_one_late():
    owed = Owed().owed().given(5, "salma").given(50, "nasser", by="user:salma").answered(55)
    assert owed.figures["salma"] == "handed_late"
    assert owed.late("salma") == 20
    assert owed.figures["nasser"] == "inherited"


def test_g12_what_the_machine_or_a_manager_takes_at_the_end_of_a_shift_is_not_handed_on_by_him():
    owed = Owed().owed().given(5, "salma").given(20, None).given(25, "nasser", by="user:huda").answered(28)
    assert owed.figures["salma"] == "taken"
    assert owed.figures["nasser"] == "in_time"
    assert owed.figures["First line"] == "in_time"


def test_g12_moving_to_another_queue_ends_the_stretch_of_the_person_and_the_queue_but_not_of_the_line():
    owed = Owed().owed().given(5, "salma").moved(10, "Billing").given(12, "nasser").answered(20)
    assert owed.figures == {
        "salma": "handed",
        "First line": "handed",
        "Billing": "in_time",
        "nasser": "in_time",
        "Readings": "in_time",
    }


def test_g12_while_it_is_the_customers_turn_no_time_passes():
    owed = Owed().owed().given(0, "salma").paused(10).resumed(100).answered(119)
    assert owed.figures["salma"] == "in_time"
    owed = Owed().owed().given(0, "salma").paused(10).given(50, "nasser").resumed(100).answered(125)
    assert owed.figures["salma"] == "taken"
    assert owed.figures["nasser"] == "late"
    assert owed.late("nasser") == 5


def test_g12_needs_no_answer_is_waived_in_time_and_late_after_it():
    assert Owed().owed().given(0, "salma").answered(20, action="waived").figures["salma"] == "waived"
    assert Owed().owed().given(0, "salma").answered(40, action="waived").figures["salma"] == "late"


def test_g12_an_answer_that_could_not_be_delivered_came_back_and_the_time_between_is_nobodys():
    owed = Owed().owed().given(0, "salma").answered(10).owed_again(90).answered(95)
    assert owed.figures["salma"] == "in_time inherited"
    assert [one.came_back for one in fold(owed.entries) if one.name == "salma"] == [True, False]


def test_g12_who_answers_without_having_it_helped_and_it_stays_whose_it_was():
    owed = Owed().owed().given(0, "salma").answered(20, by="huda")
    assert owed.figures == {
        "salma": "in_time",
        "huda": "helped",
        "First line": "in_time",
        "Readings": "in_time",
    }


def test_g12_an_answer_taken_by_the_channel_in_time_makes_nobody_late_although_we_heard_of_it_after():
    owed = Owed().owed().given(0, "salma").given(31, "nasser").answered(29)
    assert owed.figures["salma"] == "taken"
    assert owed.figures["nasser"] == "in_time"
    assert owed.figures["First line"] == "in_time"


def test_g12_hours_that_are_changed_make_nobody_late_at_once():
    put_off = Owed().owed().given(0, "salma").at(40, "recounted", due=80).answered(70)
    assert put_off.figures["salma"] == "in_time"
    brought_forward = Owed().owed().given(0, "salma").at(20, "recounted", due=10).answered(70)
    assert brought_forward.figures["salma"] == "inherited"


def test_an_obligation_older_than_its_entries_begins_with_the_first_that_the_ledger_has():
    owed = Owed()
    owed.since, owed.due = -100, -70
    owed.given(5, "salma").answered(10)
    assert owed.figures == {"salma": "inherited", "First line": "late", "Readings": "late"}


def test_g12_every_stretch_counts_in_just_one_figure_and_nothing_owed_is_left_out():
    owed = Owed().owed().given(5, "salma").given(50, "nasser", by="user:salma").moved(55, "Billing")
    stretches = fold(owed.entries)
    persons = [one for one in stretches if one.scope == Scope.PERSON]
    assert [one.figure for one in persons] == [Figure.HANDED_LATE, Figure.TAKEN]
    queues = [one for one in stretches if one.scope == Scope.QUEUE]
    assert [(one.name, one.figure) for one in queues] == [
        ("First line", Figure.HANDED_LATE),
        ("Billing", Figure.WAITING),
    ]
    figures = Figures(
        in_time=3, late=2, inherited=1, handed=4, taken=5, handed_late=6, waived=7, waiting=8, helped=9
    )
    assert figures.owed == 36
    assert figures.his_own == 11


@given(st.floats(0, 90 * 86_400))
def test_how_late_falls_into_the_bin_whose_edges_hold_it(seconds: float):
    low, high = bin_edges(bin_of(seconds))
    assert low - 1e-6 <= seconds
    assert seconds < high + 1e-6 or bin_of(seconds) == account.BINS - 1


@given(st.lists(st.floats(1, 30 * 86_400), min_size=1, max_size=200), st.sampled_from([0.25, 0.5, 0.75]))
def test_quartiles_are_right_to_within_their_bin(seconds: list[float], share: float):
    bins = [0] * account.BINS
    for each in seconds:
        bins[bin_of(each)] += 1
    exact = sorted(seconds)[max(0, -(-int(share * 100) * len(seconds) // 100) - 1)]
    told = quantile(bins, share)
    assert told is not None
    low, high = bin_edges(bin_of(exact))
    assert low - 1e-6 <= told <= high + 1e-6


def test_of_nothing_late_there_are_no_quartiles():
    assert Figures().quartiles is None


# Stored: what is added day by day is what the ledger gives at once.

TODAY = date(2026, 11, 22)


def of(scope: Scope, name: str, at: datetime = NOON + timedelta(days=1)) -> Figures:
    return AccountDay.figures(scope, TODAY, TODAY, at).get(name, Figures())


@pytest.mark.django_db
def test_g12_the_account_is_drawn_from_the_ledger_and_needs_no_row_of_an_obligation():
    Owed(pk=1, write=record).owed().given(5, "salma").answered(29)
    Owed(pk=2, write=record).owed().given(5, "salma").answered(47)
    Owed(pk=3, write=record).owed().given(5, "salma")
    AccountMark.catch_up(NOON)
    found = of(Scope.PERSON, "salma")
    assert (found.owed, found.in_time, found.late, found.waiting) == (3, 1, 1, 1)
    assert found.worst == 17 * 60
    assert (found.waiting_now, found.waiting_late) == (1, 1)
    assert of(Scope.PERSON, "salma", NOON + timedelta(minutes=20)).waiting_late == 0
    assert AccountMark.here().number == Entry.objects.count()


@pytest.mark.django_db
def test_g12_obligations_as_they_are_lived_come_into_the_account_counted_in_the_queues_working_time():
    """Open 12:00 to 13:00 and 18:00 to 19:00 in Muscat: from 12:40 until 18:25 forty-five minutes pass, fifteen too many."""
    calendar = Calendar.objects.create(name="Split", zone="Asia/Muscat")
    for opens, closes in (("12:00", "13:00"), ("18:00", "19:00")):
        OpenSpan.objects.create(calendar=calendar, weekday=6, opens=opens, closes=closes)
    queue = Queue.objects.create(name="First line", answer_within=timedelta(minutes=30), calendar=calendar)
    salma, nasser = (User.objects.create_user(name) for name in ("salma", "nasser"))
    begun = NOON + timedelta(minutes=40)
    late = Obligation.begin(kind="work", queue=queue, since=begun, actor="machine:test")
    late.give(salma, at=begun, actor="machine:desk")
    late.done(at=NOON + timedelta(hours=6, minutes=25), actor="user:salma")
    taken = Obligation.begin(kind="work", queue=queue, since=begun, actor="machine:test")
    taken.give(salma, at=begun, actor="machine:desk")
    taken.give(nasser, at=NOON + timedelta(minutes=50), actor="user:salma")
    taken.done(at=NOON + timedelta(hours=6, minutes=5), actor="user:nasser")
    AccountMark.catch_up(NOON)
    found = of(Scope.PERSON, "salma")
    assert (found.late, found.worst, found.handed) == (1, 15 * 60, 1)
    assert of(Scope.PERSON, "nasser").in_time == 1
    stretch = AccountStretch.objects.get(name="nasser")
    assert stretch.worked == 15 * 60
    assert (of(Scope.QUEUE, "First line").late, of(Scope.QUEUE, "First line").in_time) == (1, 1)


@pytest.mark.django_db
def test_g12_what_is_added_bit_by_bit_changes_the_day_on_which_it_came():
    owed = Owed(write=record).owed().given(5, "salma")
    AccountMark.catch_up(NOON)
    assert of(Scope.PERSON, "salma").waiting == 1
    owed.answered(20)
    AccountMark.catch_up(NOON)
    assert (of(Scope.PERSON, "salma").waiting, of(Scope.PERSON, "salma").in_time) == (0, 1)
    owed.owed_again(22)
    AccountMark.catch_up(NOON)
    found = of(Scope.PERSON, "salma")
    assert (found.in_time, found.waiting, found.came_back) == (1, 1, 1)


@pytest.mark.django_db
def test_g12_work_on_a_case_that_is_opened_again_counts_as_come_back_with_who_had_settled_it():
    Owed(pk=1, kind="work", case=5, write=record).owed().given(5, "salma").answered(20)
    AccountMark.catch_up(NOON)
    assert of(Scope.PERSON, "salma").came_back == 0
    Owed(pk=2, kind="work", case=5, write=record).owed(60).given(65, "nasser")
    AccountMark.catch_up(NOON)
    assert of(Scope.PERSON, "salma").came_back == 1
    assert AccountMark.differs() == ""


def change(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE desk_accountstretch SET figure = 'in_time' WHERE figure = 'late'",
        "UPDATE desk_accountstretch SET came_back = true WHERE name = 'salma'",
        "DELETE FROM desk_accountstretch WHERE name = 'salma'",
        "UPDATE desk_accountday SET late = 0 WHERE name = 'salma'",
        "UPDATE desk_accountday SET worst = 1 WHERE name = 'salma'",
        "DELETE FROM desk_accountday WHERE name = 'salma'",
        "INSERT INTO desk_accountday SELECT 999, scope, 'nobody', day, waiting, in_time, late, inherited, handed, taken,"
        " handed_late, waived, helped, came_back, worst, bins FROM desk_accountday LIMIT 1",
    ],
)
def test_g12_an_account_that_was_changed_by_hand_is_found_out_and_made_anew(spoil: str):
    Owed(write=record).owed().given(5, "salma").answered(47)
    AccountMark.catch_up(NOON)
    assert AccountMark.differs() == ""
    change(spoil)
    assert AccountMark.differs()
    AccountMark.rebuild(NOON)
    assert AccountMark.differs() == ""
    assert of(Scope.PERSON, "salma").late == 1


PEOPLE = st.sampled_from(["salma", "nasser", "huda"])
STEPS = st.lists(
    st.tuples(
        st.integers(1, 3),  # which obligation
        st.floats(-5, 40, allow_nan=False),  # minutes later; earlier, where the channel told us late
        st.sampled_from(
            [
                "given",
                "given",
                "back",
                "moved",
                "paused",
                "resumed",
                "recounted",
                "retargeted",
                "answered",
                "waived",
                "again",
                "draw",
            ]
        ),
        PEOPLE,
    ),
    max_size=25,
)


def play(steps: list[tuple[int, float, str, str]]) -> None:
    clock = dict.fromkeys((1, 2, 3), 0.0)
    owed = {
        pk: Owed(pk=pk, kind="work" if pk > 1 else "answer", case=4 if pk > 1 else None, write=record).owed()
        for pk in clock
    }
    over: set[int] = set()
    for pk, later, what, who in steps:
        clock[pk] = max(0.0, clock[pk] + later)
        one, minute = owed[pk], clock[pk]
        if what == "draw":
            AccountMark.catch_up(NOON)
        elif what == "again" and pk in over:
            over.discard(pk)
            one.owed_again(minute)
        elif pk in over or what == "again":
            continue
        elif what == "given":
            one.given(minute, who)
        elif what == "back":
            one.given(minute, None, by=f"user:{who}")
        elif what == "moved":
            one.moved(minute, "Billing" if one.queue == "First line" else "First line")
        elif what == "paused" and one.runs_since is not None:
            one.paused(minute)
        elif what == "resumed" and one.runs_since is None:
            one.resumed(minute)
        elif what in {"recounted", "retargeted"}:
            one.at(minute, what, due=one.due + (20 if who == "huda" else -20))
        elif what in {"answered", "waived"}:
            over.add(pk)
            one.answered(minute, by=who, action=what)


def stored() -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    stretches = AccountStretch.objects.all().values_list()
    days = AccountDay.objects.all().values_list()
    return {row[1:] for row in stretches}, {(*row[1:-1], tuple(row[-1])) for row in days}


@pytest.mark.django_db(transaction=True)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_g12_whatever_happens_the_account_kept_up_is_the_account_made_anew(
    steps: list[tuple[int, float, str, str]],
):
    with transaction.atomic():
        play(steps)
        AccountMark.catch_up(NOON)
        assert AccountMark.differs() == ""
        kept_up = stored()
        AccountMark.rebuild(NOON)
        assert stored() == kept_up
        for scope in Scope:
            sums = AccountDay.figures(scope, TODAY, TODAY, NOON)
            in_hands = AccountStretch.objects.filter(scope=scope).exclude(figure=Figure.HELPED)
            assert sum(figures.owed for figures in sums.values()) == in_hands.count()
        transaction.set_rollback(True)
