"""Entries are sealed part by part from here on, so that a person's parts can be erased and the chain holds.

New columns are null, so the table is not rewritten; entries that are there stay as they are and are verified as before.
"""

from django.db import migrations, models

FORWARDS = """
CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.erased_by IS NULL AND NEW.salt IS NULL AND NEW.erased_by > OLD.number
            AND (NEW.number, NEW.at, NEW.action, NEW.subject, NEW.hash) = (OLD.number, OLD.at, OLD.action, OLD.subject, OLD.hash)
            AND EXISTS (SELECT FROM ledger_entry WHERE number = NEW.erased_by AND action = 'ledger.erased')
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
"""

BACKWARDS = """
CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]
    operations = [
        migrations.AddField(
            "entry",
            "salt",
            models.BinaryField(
                help_text="of its seals; null: written before there were any, or erased", max_length=16, null=True
            ),
        ),
        migrations.AddField(
            "entry",
            "erased_by",
            models.BigIntegerField(
                help_text="the number of the entry that says why parts of it are gone", null=True
            ),
        ),
        migrations.AddField(
            "entry",
            "seals",
            models.JSONField(
                help_text='of an erased one, part by part: {"seal": …} of what is gone, {"salt": …} of what is not; {} of an old one',
                null=True,
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
