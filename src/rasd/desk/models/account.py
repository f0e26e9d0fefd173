from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date, datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Self, TypeVar

from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from rasd.desk import account
from rasd.desk.account import ANSWERED, BINS, Figure, Figures, Scope, Stretch
from rasd.ledger.models import Entry, actor_of, record

OURS = "obligation."
"""What the actions begin with from which the account is drawn."""

AT_A_TIME = 20_000  # entries of the ledger that one transaction takes in
COUNTED = [*(str(figure) for figure in Figure), "came_back"]
SUMS = [*COUNTED, "worst", "bins"]
COMMENT_LONGEST = 1_000  # characters
KEY = ("scope", "name", "day")

Key = tuple[str, str, date]


class AccountStretch(models.Model):
    """An obligation in one's hands: :class:`rasd.desk.account.Stretch`, stored. Made from the ledger alone, and made anew from it
    at any time (``rasd ledger rebuild``); nothing else writes here."""

    scope = models.CharField(max_length=6, choices=[(scope, scope) for scope in Scope])
    name = models.CharField(max_length=200)
    day = models.DateField(help_text="on which it began, where the utility is")
    figure = models.CharField(max_length=11, choices=[(figure, figure) for figure in Figure])
    obligation = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    matter = models.CharField(max_length=20)
    queue = models.CharField(max_length=100)
    line = models.CharField(max_length=200)
    conversation = models.BigIntegerField(null=True)
    case = models.BigIntegerField(null=True)
    message = models.BigIntegerField(null=True)
    answer = models.BigIntegerField(null=True)
    began = models.BigIntegerField(help_text="the number of the ledger's entry")
    begin = models.DateTimeField()
    ended = models.BigIntegerField(null=True)
    until = models.DateTimeField(null=True)
    how = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    running = models.BooleanField()
    inherited = models.BooleanField()
    passed = models.BooleanField()
    came_back = models.BooleanField()
    worked = models.PositiveIntegerField(help_text="seconds of the queue's working time")
    late = models.PositiveIntegerField(help_text="seconds, where its time passed in these hands")
    late_bin = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["obligation", "scope", "began"], name="one_stretch_an_entry")
        ]
        indexes = [
            models.Index(fields=["scope", "name", "-begin"], name="stretch_latest"),
            models.Index(fields=["scope", "name", "figure", "-begin"], name="stretch_by_figure"),
            models.Index(fields=["scope", "day", "name"], name="stretch_by_day"),
            models.Index(fields=["case"], name="stretch_of_case", condition=Q(case__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.name}: obligation:{self.obligation} from entry {self.began}"

    @classmethod
    def of(cls, stretch: Stretch) -> "AccountStretch":
        """Not saved."""
        told = {each.name: getattr(stretch, each.name) for each in fields(Stretch)}
        was_late = stretch.figure in {Figure.LATE, Figure.HANDED_LATE}
        return cls(
            day=timezone.localdate(stretch.begin),
            late_bin=account.bin_of(stretch.late) if was_late else None,
            **told,
        )

    @property
    def key(self) -> Key:
        return self.scope, self.name, self.day

    @classmethod
    def late_now(cls, at: datetime) -> Q:
        """Of those that wait: whose time is over."""
        return Q(passed=True) | Q(inherited=True) | Q(running=True, due_at__lt=at)


class AccountDay(models.Model):
    """Of what came to one on a day, how much became of what; sums of stretches, so that a month is added up at once."""

    scope = models.CharField(max_length=6)
    name = models.CharField(max_length=200)
    day = models.DateField()
    waiting = models.PositiveIntegerField()
    in_time = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    inherited = models.PositiveIntegerField()
    handed = models.PositiveIntegerField()
    taken = models.PositiveIntegerField()
    handed_late = models.PositiveIntegerField()
    waived = models.PositiveIntegerField()
    helped = models.PositiveIntegerField()
    came_back = models.PositiveIntegerField()
    worst = models.PositiveIntegerField(help_text="seconds late")
    bins = ArrayField(models.PositiveIntegerField(), size=BINS, help_text="how late, see rasd.desk.account")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "day", "name"], name="one_account_a_day")]

    @classmethod
    def figures(
        cls, scope: Scope, first: date, last: date, at: datetime, name: str = ""
    ) -> dict[str, Figures]:
        """By name: what came on the days from ``first`` to ``last``, both included, and what waits at ``at``."""
        only = {"name": name} if name else {}
        sums: dict[str, Any] = {counted: Sum(counted) for counted in COUNTED}
        sums |= {f"bin_{number}": Sum(f"bins__{number}") for number in range(BINS)}
        rows = cls.objects.filter(scope=scope, day__range=(first, last), **only)
        found = {row["name"]: row for row in rows.values("name").annotate(worst=Max("worst"), **sums)}
        waiting = AccountStretch.objects.filter(scope=scope, figure=Figure.WAITING, **only)
        now: dict[str, dict[str, Any]] = {
            row["name"]: dict(row)
            for row in waiting.values("name").annotate(
                all=Count("pk"), late=Count("pk", filter=AccountStretch.late_now(at))
            )
        }
        return {one: _figures(found.get(one), now.get(one)) for one in sorted({*found, *now})}

    @classmethod
    def sum_up(cls, keys: Iterable[Key] | None = None) -> None:
        """Made anew from the stretches, for ``keys`` or for all."""
        if keys is None:
            cls.objects.all().delete()
            cls._insert(cls.counted())
            return
        names: dict[tuple[str, date], set[str]] = defaultdict(set)
        for scope, name, day in keys:
            names[scope, day].add(name)
        for (scope, day), wanted in names.items():
            some = {"scope": scope, "day": day, "name__in": sorted(wanted)}
            cls.objects.filter(**some).delete()
            cls._insert(cls.counted(**some))

    @classmethod
    def counted(cls, **some: Any) -> Iterator[Self]:
        """What the stretches say; not saved."""
        counts: dict[str, Any] = {f"n_{figure}": Count("pk", filter=Q(figure=figure)) for figure in Figure}
        bins = {f"bin_{number}": Count("pk", filter=Q(late_bin=number)) for number in range(BINS)}
        rows = (
            AccountStretch.objects.filter(**some)
            .values(*KEY)
            .annotate(
                worst=Max("late", filter=Q(late_bin__isnull=False), default=0),
                n_came_back=Count("pk", filter=Q(came_back=True)),
                **counts,
                **bins,
            )
            .order_by(*KEY)
        )
        for row in rows.iterator(chunk_size=1_000):
            yield cls(
                **{name: row[name] for name in (*KEY, "worst")},
                **{name: row[f"n_{name}"] for name in COUNTED},
                bins=[row[f"bin_{number}"] for number in range(BINS)],
            )

    @classmethod
    def differs(cls) -> str:
        """The first day whose sums are not those of the stretches; empty where there is none."""
        stored = {(one.scope, one.name, one.day): one for one in cls.objects.all()}
        for one in cls.counted():
            other = stored.pop((one.scope, one.name, one.day), None)
            if other is None or any(getattr(one, each) != getattr(other, each) for each in SUMS):
                return f"{one.scope} {one.name} {one.day}: the sums are not those of the stretches"
        return f"the sums of {len(stored)} days rest on nothing" if stored else ""

    @classmethod
    def _insert(cls, rows: Iterator[Self]) -> None:
        for some in _batches(rows, 1_000):
            cls.objects.bulk_create(some)


class AccountMark(models.Model):
    """How far in the ledger the account has come: one row. Its number and hash stand on every account that is printed."""

    number = models.BigIntegerField(default=0)
    at = models.DateTimeField(null=True, help_text="when that entry was made")
    hash = models.BinaryField(max_length=32, default=b"")
    drawn_at = models.DateTimeField(null=True)

    @property
    def hash_text(self) -> str:
        """In hexadecimal, as it is published."""
        return bytes(self.hash).hex()

    @classmethod
    def here(cls) -> "AccountMark":
        return cls.objects.first() or cls()

    @classmethod
    def catch_up(cls, at: datetime) -> int:
        """Take in what the ledger has got since; how many entries that was. One at a time; harmless to call at any time."""
        taken = 0
        while some := cls._take(at):
            taken += some
        return taken

    @classmethod
    def _take(cls, at: datetime) -> int:
        with transaction.atomic():
            mark = cls._held()
            new = list(
                Entry.objects.filter(number__gt=mark.number)
                .order_by("number")
                .values_list("number", "action", "subject")[:AT_A_TIME]
            )
            if not new:
                return 0
            subjects = {subject for _number, action, subject in new if action.startswith(OURS)}
            upto = new[-1][0]
            entries = Entry.objects.filter(subject__in=subjects, number__lte=upto, action__startswith=OURS)
            stretches = [AccountStretch.of(one) for one in folded(entries)]
            before = AccountStretch.objects.filter(
                obligation__in=[int(subject.partition(":")[2]) for subject in subjects]
            )
            keys = set(before.values_list(*KEY)) | {stretch.key for stretch in stretches}
            before.delete()
            AccountStretch.objects.bulk_create(stretches, batch_size=2_000)
            keys |= mark_reopened({stretch.case for stretch in stretches if stretch.case is not None})
            AccountDay.sum_up(keys)
            mark._move(upto, at)
            return len(new)

    @classmethod
    def rebuild(cls, at: datetime) -> int:
        """Everything anew, from the first entry on; how many stretches that are. Readers see the old account until it is done."""
        with transaction.atomic():
            mark = cls._held()
            last = Entry.objects.order_by("-number").values_list("number", flat=True).first() or 0
            AccountStretch.objects.all()._raw_delete(connection.alias)
            count = 0
            entries = Entry.objects.filter(number__lte=last, action__startswith=OURS)
            for some in _batches((AccountStretch.of(one) for one in folded(entries)), 2_000):
                count += len(AccountStretch.objects.bulk_create(some))
            mark_reopened(None)
            AccountDay.sum_up()
            mark._move(last, at)
            return count

    @classmethod
    def differs(cls) -> str:
        """The first place where what is stored is not what the ledger says, as far as it was taken in; empty where there is none.

        In bounded memory, changing nothing.
        """
        with transaction.atomic():
            entries = Entry.objects.filter(number__lte=cls._held().number, action__startswith=OURS)
            count = 0
            for some in _batches(_by_obligation(entries), 2_000):
                wanted = {
                    _told(AccountStretch.of(one)) for _subject, of_one in some for one in account.fold(of_one)
                }
                obligations = {one[0] for one in wanted}
                again = set(reopened().filter(obligation__in=obligations).values_list(*WHICH))
                wanted = {(*one[:-1], one[-1] or one[:3] in again) for one in wanted}
                stored = set(AccountStretch.objects.filter(obligation__in=obligations).values_list(*TOLD))
                if wrong := wanted ^ stored:
                    return f"obligation:{min(one[0] for one in wrong)}: what is stored is not what the ledger says"
                count += len(wanted)
            if count != (stored_count := AccountStretch.objects.count()):
                return f"{stored_count} stretches are stored, the ledger has {count}"
            return AccountDay.differs()

    @classmethod
    def _held(cls) -> "AccountMark":
        """Locked until the transaction ends."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update().get(pk=1)

    def _move(self, number: int, at: datetime) -> None:
        entry = Entry.objects.filter(pk=number).first()
        self.number, self.drawn_at = number, at
        self.at, self.hash = (entry.at, bytes(entry.hash)) if entry else (None, b"")
        self.save()


WHICH = ("obligation", "scope", "began")
TOLD = [
    *WHICH,
    *(each.name for each in fields(Stretch) if each.name not in {*WHICH, "came_back"}),
    "day",
    "late_bin",
    "came_back",
]


def _told(stretch: AccountStretch) -> tuple[Any, ...]:
    return tuple(getattr(stretch, name) for name in TOLD)


def comment(entry: Entry, text: str, *, by: User, at: datetime) -> Entry:
    """What an employee says to an entry of his account: an entry itself. Said twice in a row it is there once."""
    actor, subject = actor_of(by), f"entry:{entry.number}"
    with transaction.atomic():
        last = Entry.objects.filter(subject=subject).order_by("-number").first()
        if last and (last.actor, last.why) == (actor, text):
            return last
        facts = {"entry": entry.number, "of": entry.subject}
        return record(actor, "account.commented", subject, at=at, why=text, facts=facts)


def comments_on(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    """By the number of the entry that they are about, the oldest first."""
    found: dict[int, list[Entry]] = defaultdict(list)
    subjects = [f"entry:{entry.number}" for entry in entries]
    for said in Entry.objects.filter(subject__in=subjects, action="account.commented").order_by("number"):
        found[int(said.facts["entry"])].append(said)
    return found


def folded(entries: QuerySet[Entry]) -> Iterator[Stretch]:
    """Obligation by obligation, in bounded memory."""
    for _subject, of_one in _by_obligation(entries):
        yield from account.fold(of_one)


def _by_obligation(entries: QuerySet[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    rows = entries.order_by("subject", "number").iterator(chunk_size=2_000)
    for subject, of_one in groupby(rows, attrgetter("subject")):
        yield subject, list(of_one)


def reopened() -> QuerySet[AccountStretch]:
    """Work that was done, and then there was work on the same case again."""
    later = AccountStretch.objects.filter(case=OuterRef("case"), kind="work", began__gt=OuterRef("ended"))
    return AccountStretch.objects.filter(
        Exists(later.exclude(obligation=OuterRef("obligation"))),
        kind="work",
        how__in=ANSWERED,
        case__isnull=False,
    )


def mark_reopened(cases: set[int] | None) -> set[Key]:
    """Of ``cases``, or of all; whose days changed."""
    new = reopened().filter(came_back=False)
    if cases is not None:
        new = new.filter(case__in=cases)
    changed = list(new.values_list("pk", *KEY))
    for some in _batches(iter(changed), 5_000):
        AccountStretch.objects.filter(pk__in=[row[0] for row in some]).update(came_back=True)
    return {row[1:] for row in changed}


def _figures(row: dict[str, Any] | None, now: dict[str, Any] | None) -> Figures:
    found = (
        Figures(
            **{counted: row[counted] for counted in COUNTED},
            worst=row["worst"],
            bins=tuple(row[f"bin_{number}"] for number in range(BINS)),
        )
        if row
        else Figures()
    )
    return found.now(now["all"], now["late"]) if now else found


T = TypeVar("T")


def _batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while some := list(islice(rows, size)):
        yield some
