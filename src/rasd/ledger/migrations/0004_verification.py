from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_seals")]
    operations = [
        migrations.CreateModel(
            "Verification",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "is_whole",
                    models.BooleanField(help_text="from the first entry, not from the last one verified before"),
                ),
                ("upto", models.BigIntegerField(help_text="the number of the last entry that there was; 0: none")),
                ("head", models.CharField(help_text="its hash, in hexadecimal", max_length=64)),
                (
                    "broken_at",
                    models.BigIntegerField(
                        help_text="the first entry that does not hold; null: all hold", null=True
                    ),
                ),
                ("why", models.TextField(blank=True)),
            ],
            options={
                "get_latest_by": ["at", "pk"],
                "indexes": [models.Index(fields=["-at"], name="ledger_verified")],
            },
        ),
    ]
