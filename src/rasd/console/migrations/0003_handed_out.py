"""Which permissions each group was given once. Groups that are older than this memory had theirs from earlier versions."""

import django.utils.timezone
from django.db import migrations, models

FORMER = {
    "agent": ("desk.change_conversation",),
    "reviewer": ("metering.change_review",),
    "supervisor": ("metering.view_cycle", "channels.view_delivery"),
}
"""What was handed out before there was this memory."""
OURS = ("ledger", "channels", "metering", "desk", "flows", "console", "auth", "otp_totp", "otp_static")


def remember(apps, _editor) -> None:
    """The permissions that exist now are those of the version before: the new ones are made after all migrations."""
    HandedOut = apps.get_model("console", "HandedOut")
    groups = set(apps.get_model("auth", "Group").objects.values_list("name", flat=True))
    given = [(role, each) for role, permissions in FORMER.items() for each in permissions]
    all_of_ours = apps.get_model("auth", "Permission").objects.filter(content_type__app_label__in=OURS)
    given += [
        ("administrator", f"{app}.{codename}")
        for app, codename in all_of_ours.values_list("content_type__app_label", "codename")
    ]
    HandedOut.objects.bulk_create(
        HandedOut(role=role, permission=permission) for role, permission in given if role in groups
    )


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0002_wall"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="HandedOut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(help_text="the group's name", max_length=150)),
                ("permission", models.CharField(help_text="app.codename", max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("role", "permission"), name="handed_out_once")
                ],
            },
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
