"""Visits are counted by day as they are written, those that were there already too."""

import django.db.models.deletion
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION watch_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watch_tally (target_id, journey_id, day, why, verdict, visits)
    SELECT target_id, journey_id, day, why, verdict, count(*) FROM written GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (target_id, day, journey_id, why, verdict) DO UPDATE SET visits = watch_tally.visits + EXCLUDED.visits;
    RETURN NULL;
END
$$;
CREATE TRIGGER watch_probe_is_counted AFTER INSERT ON watch_probe
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION watch_count();
INSERT INTO watch_tally (target_id, journey_id, day, why, verdict, visits)
SELECT target_id, journey_id, day, why, verdict, count(*) FROM watch_probe GROUP BY 1, 2, 3, 4, 5;
"""

BACKWARDS = "DROP FUNCTION watch_count() CASCADE;"


class Migration(migrations.Migration):

    dependencies = [
        ('watch', '0006_permission_alert'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('why', models.CharField(max_length=16)),
                ('verdict', models.CharField(max_length=16)),
                ('visits', models.PositiveIntegerField()),
                ('journey', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='watch.journeyfile')),
                ('target', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='watch.target')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('target', 'day', 'journey', 'why', 'verdict'), name='one_tally')],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
