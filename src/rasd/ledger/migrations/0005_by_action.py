"""What was promised is measured from the ledger alone, by what happened and when: without this, by reading all of it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: nobody waits for it, however long the ledger is
    dependencies = [("ledger", "0004_verification")]
    operations = [
        AddIndexConcurrently("entry", models.Index(fields=["action", "at"], name="ledger_by_action")),
    ]
