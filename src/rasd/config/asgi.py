import gc
import importlib
import os
from collections.abc import Callable
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")


class Handler(ASGIHandler):
    """A page goes to a thread once, for all its middleware and its view; a webhook and a page that waits for its turn take none.

    Django's own would hand a request from loop to thread and back at each middleware: half of what a page cost the web process. And
    as WhiteNoise is synchronous, whatever stands before it would be too: no page would wait, and a webhook would for a thread.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        from rasd.channels.middleware import doors
        from rasd.config.logs import request_log

        super().load_middleware(is_async=False)
        page: Callable[[HttpRequest], Any] = sync_to_async(self._middleware_chain, thread_sensitive=True)
        self._middleware_chain = convert_exception_to_response(request_log(doors(page)))


django.setup(set_prefix=False)
application = Handler()

# What is loaded now stays for good. Looking through all of it for garbage took 110 ms, in the middle of one page of thirty.
importlib.import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
