"""Structured logs: one line an event, with the request's and the conversation's id wherever one is known."""

import logging.config
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from django.utils.log import CallbackFilter

log = structlog.get_logger("rasd.http")

TOKEN = re.compile(r"^/t/.+")
"""The path of a case's page: whoever reads it can open the page, so it stands in no log."""

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def _is_no_mere_503(record: logging.LogRecord) -> bool:
    """A 503 is ``/readyz`` saying that something is missing, which is its job and no error."""
    return getattr(record, "status_code", None) != 503


def _tell_refusals_in_one_line(record: logging.LogRecord) -> bool:
    """A 400 or 403 is the caller's doing: where in Django it was noticed is of no use to anyone."""
    if record.exc_info and isinstance(
        record.exc_info[1], (PermissionDenied, SuspiciousOperation, BadRequest)
    ):
        record.exc_info = None
    return True


def _hide_tokens(record: logging.LogRecord) -> bool:
    """Django writes the path of what it refuses."""
    if isinstance(record.args, tuple):
        record.args = tuple(TOKEN.sub("/t/…", arg) if isinstance(arg, str) else arg for arg in record.args)
    return True


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Both structlog's loggers and the standard library's, through one formatter, to standard error."""
    people = form == "console"
    finish = (
        # Plain: the pretty ones print the variables of every frame, and with them tokens and customers' words.
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if people
        else structlog.processors.JSONRenderer()
    )
    exceptions: list[Any] = [] if people else [structlog.processors.format_exc_info]
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *exceptions,
                    finish,
                ],
            }
        },
        "filters": {
            "but_not_ready": {"()": CallbackFilter, "callback": _is_no_mere_503},
            "refusals": {"()": CallbackFilter, "callback": _tell_refusals_in_one_line},
            "tokens": {"()": CallbackFilter, "callback": _hide_tokens},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["refusals", "tokens"],
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line a job and one a request are ours to write; these would double them.
            "procrastinate": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "django.request": {"filters": ["but_not_ready"]},
        },
    }
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(config)
    return config


@sync_and_async_middleware
def request_log(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Gives each request an id (the proxy's ``X-Request-ID`` where there is one), logs it once, and returns the id.

    ``request.arrived_at`` (UTC): what is stored after it, the answer may not show.
    """

    @contextmanager
    def logged(request: HttpRequest) -> Iterator[Callable[[HttpResponse], HttpResponse]]:
        request_id = request.headers.get("X-Request-ID", "")[:64] or uuid.uuid4().hex
        started = time.perf_counter()
        request.arrived_at = timezone.now()  # type: ignore[attr-defined]

        def finish(response: HttpResponse) -> HttpResponse:
            response["X-Request-ID"] = request_id
            log.info(
                "request",
                method=request.method,
                path=TOKEN.sub("/t/…", request.path),
                status=response.status_code,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )
            return response

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            yield finish

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponse:
            with logged(request) as finish:
                return finish(await get_response(request))

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponse:
        if hasattr(request, "arrived_at"):  # it came in past the asynchronous one: see rasd.config.asgi
            answered: HttpResponse = get_response(request)
            return answered
        with logged(request) as finish:
            return finish(get_response(request))

    return synchronous
