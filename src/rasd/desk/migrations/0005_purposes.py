"""The machine knows its queues by what they are for, not by an English name; queues that were there before warnings and
escalation have none, and get the usual steps."""

from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.utils import timezone

PURPOSES = {"First line": "first_line", "Photographs": "photographs"}
SUPERVISORS = "supervisor"


def say_what_for(apps: Any, _editor: Any) -> None:
    for name, purpose in PURPOSES.items():
        apps.get_model("desk", "Queue").objects.filter(name=name).update(purpose=purpose)


def give_usual_steps(apps: Any, _editor: Any) -> None:
    """As :meth:`EscalationStep.usual`. What is owed there already is looked at in the next minute, and its next step planned."""
    Queue, Step = apps.get_model("desk", "Queue"), apps.get_model("desk", "EscalationStep")
    supervisors = apps.get_model("auth", "Group").objects.filter(name=SUPERVISORS).first()
    without = list(Queue.objects.filter(escalation_steps=None).values_list("pk", flat=True))
    for pk in without:
        steps = [(timedelta(minutes=-10), None, False), (timedelta(), None, False)]
        if supervisors:
            steps += [(timedelta(), supervisors, False), (timedelta(hours=1), supervisors, True)]
        for after, role, by_email in steps:
            Step.objects.create(queue_id=pk, after=after, role=role, by_email=by_email)
    owed = apps.get_model("desk", "Obligation").objects.filter(queue__in=without, discharged_at=None)
    owed.filter(running_since__isnull=False, next_step_at=None).update(next_step_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("desk", "0004_fill"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.AddField(
            "queue",
            "purpose",
            models.CharField(
                blank=True,
                choices=[
                    ("first_line", "what is for people"),
                    ("photographs", "photographs of which the machine is not sure"),
                ],
                default="",
                editable=False,
                help_text="what the machine puts into it",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            "handover",
            "wish",
            models.CharField(
                choices=[
                    ("customer", "the customer asked for a person"),
                    ("complaint", "the customer complained"),
                    ("machine", "the machine could not go on"),
                    ("staff", "a member of staff took over"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(say_what_for, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "queue",
            models.UniqueConstraint(
                condition=~models.Q(purpose=""), fields=("purpose",), name="one_queue_for_each_purpose"
            ),
        ),
        migrations.RunPython(give_usual_steps, migrations.RunPython.noop, elidable=True),
    ]
