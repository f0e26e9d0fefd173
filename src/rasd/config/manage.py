"""Django's own commands, under ``rasd manage``."""

import click


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Django's management commands: rasd manage createsuperuser, rasd manage check --deploy …"""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["rasd manage", *(arguments or ("help",))])


@click.command()
def migrate() -> None:
    """Bring the database to this version's tables; safe to call from several machines at once."""
    migrate_once()


MIGRATION_LOCK = 0x4D49_4752  # "MIGR"


def migrate_once() -> None:
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
