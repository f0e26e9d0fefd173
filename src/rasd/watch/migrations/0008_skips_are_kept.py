"""What was promised, and why it was not kept, is no more changed than what was seen: plans, their visits and skips."""

from django.db import migrations, models

FORWARDS = """
CREATE TRIGGER watch_skip_is_kept BEFORE UPDATE OR DELETE ON watch_skip
    FOR EACH ROW EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_planned_is_kept BEFORE UPDATE OR DELETE ON watch_planned
    FOR EACH ROW EXECUTE FUNCTION watch_refuse_change();
CREATE TRIGGER watch_plan_is_kept BEFORE DELETE ON watch_plan
    FOR EACH ROW EXECUTE FUNCTION watch_refuse_change();
-- What may be written later: that it ended early, why, and that its seed was published.
CREATE TRIGGER watch_plan_is_unchanged BEFORE UPDATE ON watch_plan FOR EACH ROW
    WHEN ((to_jsonb(OLD) - '{ends_at,closed_at,closed_because,revealed_at}'::text[])
          IS DISTINCT FROM (to_jsonb(NEW) - '{ends_at,closed_at,closed_because,revealed_at}'::text[]))
    EXECUTE FUNCTION watch_refuse_change();
"""

BACKWARDS = """
DROP TRIGGER watch_skip_is_kept ON watch_skip;
DROP TRIGGER watch_planned_is_kept ON watch_planned;
DROP TRIGGER watch_plan_is_kept ON watch_plan;
DROP TRIGGER watch_plan_is_unchanged ON watch_plan;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("watch", "0007_tallies"),
    ]

    operations = [
        migrations.AlterField(
            model_name="skip",
            name="reason",
            field=models.CharField(
                choices=[
                    ("stopped", "no watcher was running"),
                    ("busy", "every watcher was busy with another visit"),
                    ("budget", "the day's budget was used up"),
                    ("maintenance", "announced maintenance"),
                    ("permission", "no valid permission"),
                    ("robots", "robots.txt forbids it"),
                    ("unread", "robots.txt could never be read"),
                    ("rate", "the service asked to be left alone for a while"),
                    ("gone", "the journey or the target was taken away"),
                    ("died", "the watcher died during the visit"),
                    ("replanned", "planned anew after a change of watch.yaml"),
                ],
                max_length=16,
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
