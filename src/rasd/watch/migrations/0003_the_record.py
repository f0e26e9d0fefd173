"""A probe is chained, and the database itself refuses to change or remove it, whoever asks."""

import datetime

from django.db import migrations, models


FORWARDS = """
CREATE FUNCTION watch_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what the watch recorded is not changed: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER watch_probe_is_kept BEFORE UPDATE OR DELETE ON watch_probe
    FOR EACH ROW EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_stepplayed_is_kept BEFORE UPDATE OR DELETE ON watch_stepplayed
    FOR EACH ROW EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_shown_is_kept BEFORE DELETE ON watch_shown
    FOR EACH ROW EXECUTE FUNCTION watch_refuse_change();
-- The one thing that may be written later: that the bytes were thrown away, and when; once.
CREATE TRIGGER watch_shown_is_unchanged BEFORE UPDATE ON watch_shown FOR EACH ROW
    WHEN (OLD.thrown_away_at IS NOT NULL OR NEW.thrown_away_at IS NULL
          OR (to_jsonb(OLD) - 'thrown_away_at') IS DISTINCT FROM (to_jsonb(NEW) - 'thrown_away_at'))
    EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_probe_no_truncate BEFORE TRUNCATE ON watch_probe
    FOR EACH STATEMENT EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_stepplayed_no_truncate BEFORE TRUNCATE ON watch_stepplayed
    FOR EACH STATEMENT EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_shown_no_truncate BEFORE TRUNCATE ON watch_shown
    FOR EACH STATEMENT EXECUTE FUNCTION watch_refuse_change();
"""

BACKWARDS = """
DROP FUNCTION watch_refuse_change() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("watch", "0002_conduct"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="probe",
            name="watch_probe_target__47bc89_idx",
        ),
        migrations.AddField(
            model_name="probe",
            name="asked_again",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="times that he was asked for what he had given"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="probe",
            name="clicks",
            field=models.PositiveSmallIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="probe",
            name="day",
            field=models.DateField(
                default=datetime.date(1970, 1, 1), help_text="in that zone, when it began"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="probe",
            name="gave_up_after",
            field=models.FloatField(
                help_text="seconds from the first step until he gave up; null: he did not, or it was done another way",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="taken",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="steps that went well, the tidying up aside"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="probe",
            name="typed",
            field=models.PositiveSmallIntegerField(default=0, help_text="fields"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="probe",
            name="zone",
            field=models.CharField(
                default="UTC", help_text="the target's, IANA, when it began", max_length=64
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="stepplayed",
            name="waited_for_person",
            field=models.FloatField(
                help_text="seconds waited in vain for a person: a censored observation", null=True
            ),
        ),
        migrations.AlterField(
            model_name="probe",
            name="hour",
            field=models.PositiveSmallIntegerField(
                help_text="of the week in that zone, 0 to 167, when it began"
            ),
        ),
        migrations.AlterField(
            model_name="probe",
            name="previous",
            field=models.CharField(blank=True, max_length=64, unique=True),
        ),
        migrations.AlterField(
            model_name="stepplayed",
            name="waited",
            field=models.FloatField(
                help_text="seconds waited in vain for an answer: a censored observation", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="probe",
            index=models.Index(
                fields=["target", "day"], include=("hour", "verdict", "why", "journey"), name="probes_by_day"
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
