import gc
import importlib
import os
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")


class Handler(ASGIHandler):
    """A page goes to a thread once, for all its middleware and its view; a webhook and a page that waits for its turn take none.

    Django's own hands a request from loop to thread and back at each middleware: some 3 ms of the processor a page. And as
    WhiteNoise is synchronous, whatever stands before it would be too: no page would wait, and a webhook would for a thread.
    """

    _middleware_chain: Any

    def load_middleware(self, is_async: bool = False) -> None:
        from rasd.channels.middleware import doors
        from rasd.config.logs import request_log

        super().load_middleware(is_async=False)
        page = sync_to_async(self._middleware_chain, thread_sensitive=True)
        self._middleware_chain = convert_exception_to_response(request_log(doors(page)))


django.setup(set_prefix=False)
application = Handler()

# What is loaded now stays for good. Looking through all of it for garbage took 110 ms, in the middle of one page of thirty.
importlib.import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
