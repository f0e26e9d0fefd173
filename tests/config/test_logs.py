"""What a log line holds, and what it must not."""

import logging
import logging.config
import sys
from collections.abc import Iterator

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied

from rasd.config.logs import logging_config
from rasd.config.settings import LOGGING


@pytest.fixture(params=["console", "json"])
def formatted(request: pytest.FixtureRequest) -> Iterator[logging.Handler]:
    config = logging_config(request.param, "INFO")
    yield logging.getLogger().handlers[-1]
    assert config["handlers"]
    logging.config.dictConfig(LOGGING)


def line_of(handler: logging.Handler, error: Exception) -> str:
    try:
        password = "hunter-of-" + "whales"  # noqa: F841 (it is the variable that must not be printed)
        raise error
    except type(error):
        record = logging.getLogger("django.request").makeRecord(
            "django.request", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info()
        )
    handler.filter(record)
    return handler.format(record)


def test_a_traceback_is_told_without_the_variables_of_its_frames(formatted: logging.Handler):
    told = line_of(formatted, RuntimeError("broken"))
    assert "RuntimeError" in told
    assert "line_of" in told
    assert "hunter-of-whales" not in told


@pytest.mark.parametrize("error", [PermissionDenied("not yours"), DisallowedHost("another.example")])
def test_a_refused_request_is_one_line(formatted: logging.Handler, error: Exception):
    told = line_of(formatted, error)
    assert "it failed" in told
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) == 1
