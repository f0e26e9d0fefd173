"""A database of a bench's own, on the server that Rasd uses here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scratch_database(name: str) -> Iterator[None]:
    """Migrated and empty while it is open, gone afterwards. Django is set up for it: import models within."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")
    from django.conf import settings

    from rasd.config.options import options

    if options.embedded:
        options.embedded.hold()
    import django
    from django.db import connection

    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = (
        name  # a second one keeps what Django put there
    )
    settings.ALLOWED_HOSTS = ["*"]
    django.setup()
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], verbosity=0)
        if options.embedded:
            options.embedded.release()
