"""Conversations that are not closed, by when something was said last: they are few, and the lists of them never read the others."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: nobody waits for it, however many there are
    dependencies = [("desk", "0005_purposes")]
    operations = [
        AddIndexConcurrently(
            "conversation",
            models.Index(
                fields=["-last_message_at"], name="conversation_open", condition=Q(closed_at__isnull=True)
            ),
        ),
    ]
