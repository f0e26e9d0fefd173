"""A held answer remembers which promises its author said that it keeps: sent after all, it keeps them."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0007_note_key")]
    operations = [
        migrations.AddField(
            "heldanswer",
            "keeps",
            ArrayField(
                models.BigIntegerField(), default=list, help_text="primary keys of the promises that it keeps"
            ),
        )
    ]
