"""What was said and owed before: made searchable, and its clocks set running."""

from django.db import migrations

FILL = """
UPDATE desk_message SET words = coalesce(
    (SELECT text FROM channels_incoming WHERE id = desk_message.incoming_id),
    (SELECT text FROM channels_outgoing WHERE id = desk_message.outgoing_id),
    note
);
UPDATE desk_obligation SET allowance = due_at - since,
    running_since = CASE WHEN discharged_at IS NULL THEN since END;
"""


class Migration(migrations.Migration):
    dependencies = [("desk", "0003_desk"), ("channels", "0001_initial")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
