"""A note is written once for each key that a page made, as an answer is sent once; two notes of the same words are two notes."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: nobody waits for it, however many messages there are
    dependencies = [("desk", "0006_open")]
    operations = [
        migrations.AddField(
            "message",
            "note_key",
            models.CharField(
                help_text="made by the page: the same note is written once", max_length=200, null=True
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY one_note_of_a_key ON desk_message (note_key)"
                    " WHERE note_key IS NOT NULL",
                    "DROP INDEX CONCURRENTLY one_note_of_a_key",
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    "message",
                    models.UniqueConstraint(
                        condition=Q(note_key__isnull=False), fields=["note_key"], name="one_note_of_a_key"
                    ),
                )
            ],
        ),
    ]
