"""What measures are made of lies together: in one index, and not among reports."""

import django.db.models.deletion
from django.db import migrations, models

FORWARDS = """
-- Reports lie beside the table, not in its rows: measures and lists read the rows only, of some 350 bytes without it.
ALTER TABLE watch_probe SET (toast_tuple_target = 640);
-- A table that only grows is vacuumed after each hundredth and not after each fifth: until then its latest rows, which are those
-- that pages ask for, are not read from the index alone.
ALTER TABLE watch_probe SET (autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE watch_stepplayed SET (autovacuum_vacuum_insert_scale_factor = 0.01);
"""

BACKWARDS = """
ALTER TABLE watch_probe RESET (toast_tuple_target, autovacuum_vacuum_insert_scale_factor);
ALTER TABLE watch_stepplayed RESET (autovacuum_vacuum_insert_scale_factor);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("watch", "0004_plans"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="probe",
            name="probes_by_day",
        ),
        migrations.AddField(
            model_name="probe",
            name="first_answer",
            field=models.FloatField(
                help_text="seconds to the answer of the first message in a chat that he waited for", null=True
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="person",
            field=models.FloatField(
                help_text="seconds to the first person in a chat that he waited for", null=True
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="waited",
            field=models.FloatField(
                help_text="seconds waited for it in vain: a censored observation", null=True
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="waited_for_person",
            field=models.FloatField(help_text="seconds waited for one in vain: censored", null=True),
        ),
        migrations.AlterField(
            model_name="probe",
            name="journey",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="probes",
                to="watch.journeyfile",
            ),
        ),
        migrations.AlterField(
            model_name="probe",
            name="target",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="probes",
                to="watch.target",
            ),
        ),
        migrations.AlterField(
            model_name="stepplayed",
            name="probe",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="steps",
                to="watch.probe",
            ),
        ),
        migrations.AddIndex(
            model_name="probe",
            index=models.Index(
                fields=["target", "day"],
                include=(
                    "id",
                    "journey",
                    "why",
                    "verdict",
                    "hour",
                    "done_after",
                    "gave_up_after",
                    "first_answer",
                    "waited",
                    "person",
                    "waited_for_person",
                    "taken",
                    "clicks",
                    "typed",
                    "asked_again",
                ),
                name="probes_by_day",
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
