"""What a command needs before it can touch the database: Django set up, and the embedded server kept running."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any


def with_database(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    """Set Django up and keep the embedded database running while the command runs."""
    if callback is None:
        raise TypeError("a command without a function")

    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        from rasd.config.options import options

        if options.embedded:
            options.embedded.hold()
        set_up_django()
        try:
            return callback(*args, **kwargs)
        finally:
            close_database()
            if options.embedded:
                options.embedded.release()

    return run


def set_up_django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")
    django.setup()


def close_database() -> None:
    """Leave no connection open: the embedded server waits for none when it stops."""
    from django.db import connection

    connection.close()
    if pool := getattr(connection, "close_pool", None):
        pool()
