"""What is typed about people and queues, and what is wrong with it, in words that say how to mend it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rasd.channels.models import Line
from rasd.console.views.team.fields import LengthField
from rasd.desk.models import Calendar, Employee, EscalationStep, Matter, Queue, Skill, Target

MOST_AT_A_TIME = 100
LOCAL = "%Y-%m-%dT%H:%M"  # as a browser's datetime-local says it


def serving() -> QuerySet[User]:
    """Users who answer."""
    known = User.objects.filter(employee__isnull=False, employee__left_at=None, is_active=True)
    return known.order_by("first_name", "username")


def name_of(user: User) -> str:
    return str(user.get_full_name() or user.get_username())


class _People(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return name_of(obj)


class _Skilled(forms.Form):
    """With skills to tick, and a new one to type."""

    skills = forms.ModelMultipleChoiceField(
        Skill.objects.order_by("name"),
        label=gettext_lazy("Skills"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    new_skill = forms.CharField(
        label=gettext_lazy("A skill that is not in the list"), max_length=100, required=False
    )

    def all_skills(self) -> list[Skill]:
        """Those ticked, and the one typed, which is made where there is none of the name."""
        chosen = set(self.cleaned_data["skills"])
        if typed := self.cleaned_data["new_skill"]:
            chosen.add(Skill.objects.get_or_create(name=typed)[0])
        return sorted(chosen, key=lambda skill: skill.name)


class AbsenceForm(forms.Form):
    begins_at = forms.DateTimeField(
        label=gettext_lazy("From"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )
    ends_at = forms.DateTimeField(
        label=gettext_lazy("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )
    why = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        self.at = at
        super().__init__(*args, **kwargs)

    def clean_ends_at(self) -> datetime:
        begins, ends = self.cleaned_data.get("begins_at"), self.cleaned_data["ends_at"]
        if begins is not None and ends <= begins:
            raise forms.ValidationError(_("This is not after “From”: choose a later time."))
        if ends <= self.at:
            raise forms.ValidationError(_("This is over already: choose a time that is still to come."))
        return ends  # type: ignore[no-any-return]


class EmployeeForm(_Skilled):
    calendar = forms.ModelChoiceField(
        Calendar.objects.order_by("name"),
        label=gettext_lazy("Shifts"),
        required=False,
        empty_label=gettext_lazy("always on shift"),
    )
    capacity = forms.IntegerField(
        label=gettext_lazy("How many at a time"),
        min_value=1,
        max_value=MOST_AT_A_TIME,
        help_text=gettext_lazy("Given without asking; more may be taken."),
    )
    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Languages"),
        choices=settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one: nobody answers in no language.")},
    )
    queues = forms.ModelMultipleChoiceField(
        Queue.objects.order_by("name"),
        label=gettext_lazy("Queues"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    field_order = ["calendar", "capacity", "languages", "queues", "skills", "new_skill"]

    def __init__(self, *args: Any, employee: Employee, **kwargs: Any) -> None:
        self.employee = employee
        kwargs["initial"] = {
            "calendar": employee.calendar_id,
            "capacity": employee.capacity,
            "languages": employee.languages,
            "skills": [skill.pk for skill in employee.skills.all()],
            "queues": [queue.pk for queue in employee.user.queues.all()],
        }
        super().__init__(*args, **kwargs)

    def clean_queues(self) -> list[Queue]:
        chosen = list(self.cleaned_data["queues"])
        bare = [
            queue.name
            for queue in left_bare_by(self.employee)
            if queue not in chosen and queue.falls_to_id is None
        ]
        if bare:
            raise forms.ValidationError(
                _("Nobody else serves %(queues)s: give it somebody else first, or a queue that it falls to.")
                % {"queues": _listed(bare)}
            )
        return chosen


def left_bare_by(employee: Employee) -> list[Queue]:
    """The queues that nobody else serves."""
    others = serving().exclude(pk=employee.user_id)
    return list(employee.user.queues.exclude(people__in=others).order_by("name"))


class QueueForm(_Skilled, forms.ModelForm):  # type: ignore[type-arg]
    answer_within = LengthField(
        label=gettext_lazy("Answer within"),
        help_text=gettext_lazy("Of its working time, where no line of the table below says otherwise."),
    )
    people = _People(
        User.objects.none(),
        label=gettext_lazy("Who serves it"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    field_order = ["name", "answer_within", "calendar", "falls_to", "people", "skills", "new_skill"]

    class Meta:
        model = Queue
        fields = ["name", "answer_within", "calendar", "falls_to", "people", "skills"]
        labels = {
            "name": gettext_lazy("Name"),
            "calendar": gettext_lazy("Working hours"),
            "falls_to": gettext_lazy("Falls to"),
        }
        help_texts = {
            "calendar": gettext_lazy("By which its times are counted."),
            "falls_to": gettext_lazy("Who gets what is in it while nobody serves it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = (
            User.objects.filter(queues=self.instance.pk, is_active=True)
            if self.instance.pk
            else User.objects.none()
        )
        self.fields["people"].queryset = (serving() | here).distinct()  # type: ignore[attr-defined]
        self.fields["calendar"].empty_label = _("day and night")  # type: ignore[attr-defined]
        self.fields["falls_to"].queryset = Queue.objects.exclude(pk=self.instance.pk).order_by("name")  # type: ignore[attr-defined]
        self.fields["falls_to"].empty_label = _("none")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "people" in cleaned and "falls_to" in cleaned and not self.errors:
            self._is_served(list(cleaned["people"]), cleaned["falls_to"])
        return cleaned

    def _is_served(self, people: list[User], falls_to: Queue | None) -> None:
        needed = {skill.pk for skill in self.cleaned_data["skills"]}
        able = [
            user
            for user in User.objects.filter(pk__in=[each.pk for each in people]).prefetch_related(
                "employee__skills"
            )
            if not hasattr(user, "employee") or needed <= {skill.pk for skill in user.employee.skills.all()}
        ]
        if people and not able:
            names = ", ".join(skill.name for skill in self.cleaned_data["skills"])
            self.add_error(
                "skills",
                _("None of its people has all of this: %(skills)s. Tick somebody who has, or fewer skills.")
                % {"skills": names},
            )
        elif not people and falls_to is None and not self.instance.is_last_resort:
            self.add_error(
                "people", _("Nobody serves it: tick somebody, or choose a queue that it falls to.")
            )
        elif not people and not _somebody_along(falls_to):
            self.add_error(
                "falls_to",
                _("Nobody serves this one either: tick somebody here, or give somebody to “%(queue)s” first.")
                % {"queue": falls_to},
            )


def _somebody_along(queue: Queue | None) -> bool:
    """Whether somebody serves it, or one that it falls to."""
    seen: set[int] = set()
    while queue is not None and queue.pk not in seen:
        if serving().filter(queues=queue).exists():
            return True
        seen.add(queue.pk)
        queue = queue.falls_to
    return False


class TargetForm(forms.Form):
    line = forms.ModelChoiceField(
        Line.objects.order_by("name"),
        label=gettext_lazy("Line"),
        required=False,
        empty_label=gettext_lazy("every line"),
    )
    matter = forms.ChoiceField(
        label=gettext_lazy("Matter"),
        choices=[("", gettext_lazy("every matter")), *Matter.choices],
        required=False,
    )
    answer_within = LengthField(label=gettext_lazy("Answer within"))


class _Targets(forms.BaseFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        told: set[tuple[Line | None, str]] = set()
        for form in self.rows():
            about = (form.cleaned_data["line"], form.cleaned_data["matter"])
            if about in told:
                form.add_error(None, _("There is another time for this already: take one of the two away."))
            told.add(about)

    def rows(self) -> list[forms.BaseForm]:
        """Those that say something and are not to go."""
        return [
            form
            for form in self.forms
            if form.has_changed() or form.initial
            if form.is_valid()
            and form.cleaned_data.get("answer_within")
            and not form.cleaned_data.get("DELETE")
        ]

    def targets(self, queue: Queue) -> list[Target]:
        keys = ("line", "matter", "answer_within")
        return [Target(queue=queue, **{key: row.cleaned_data[key] for key in keys}) for row in self.rows()]


Targets = forms.formset_factory(TargetForm, formset=_Targets, extra=1, can_delete=True)


def initial_targets(queue: Queue) -> list[dict[str, Any]]:
    return [
        {"line": each.line_id, "matter": each.matter, "answer_within": each.answer_within}
        for each in queue.targets.order_by("line__name", "matter")
    ]


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    after = LengthField(label=gettext_lazy("When"), sides=True, least=0)
    role = forms.ModelChoiceField(
        Group.objects.order_by("name"),
        label=gettext_lazy("Whom"),
        required=False,
        empty_label=gettext_lazy("whoever owes it"),
    )

    class Meta:
        model = EscalationStep
        fields = ["after", "role", "by_email"]
        labels = {"by_email": gettext_lazy("By e-mail too")}


Steps = forms.inlineformset_factory(Queue, EscalationStep, form=StepForm, extra=1)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
