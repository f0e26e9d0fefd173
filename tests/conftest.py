"""The suite's own PostgreSQL: an embedded one in ``.rasd-test``, or the server that ``RASD_DATABASE_URL`` names.

The suite never touches the installation's data: its database is made for the run, its media go to a temporary folder.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_django
from django.conf import settings
from django.test import TransactionTestCase

from rasd.config.embedded import EmbeddedPostgres
from rasd.config.settings import database
from tests.chrome import chrome
from tests.put_back import put_back, remember

# CI judges a change by the same examples each time; on a developer's machine every run looks for new ones. How long one takes is
# no test: the machine may be at other work.
hypothesis.settings.register_profile("rasd", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("rasd")

CHECKOUT = Path(__file__).parents[1]
_embedded = (
    None if os.environ.get("RASD_DATABASE_URL") else EmbeddedPostgres(CHECKOUT / ".rasd-test" / "postgres")
)


def _use_the_suites_database() -> None:
    """Before any connection is made. No pool: the test's transaction belongs to one connection."""
    url = _embedded.url if _embedded else os.environ["RASD_DATABASE_URL"]
    name = "_".join(filter(None, ["test_rasd", os.environ.get("RASD_TEST_DB_SUFFIX", "")]))
    ours = database(url)
    ours["OPTIONS"].pop("pool")
    settings.DATABASES["default"].update(ours)
    settings.DATABASES["default"]["TEST"]["NAME"] = name


_use_the_suites_database()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_xdist_suffix: None) -> Iterator[None]:
    if _embedded is None:
        yield
        return
    with _embedded.held():
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """Tests that commit leave the database as they found it (``tests/put_back.py``)."""
    with django_db_blocker.unblock():
        remember()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: put_back())
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What kills processes waits most of its time, and what drives a browser is long: begun first (``--no-loadscope-reorder``),
    neither is what the other processes wait for at the end.

    What drives a browser or kills processes lives by the machine's clock: on a busy one it is played a second time, and the
    summary names each that needed it ("RERUN"), so that it is seen and mended. No other test is.
    """
    items.sort(key=lambda item: [item.get_closest_marker(one) is None for one in ("crash", "browser")])
    for item in items:
        if item.get_closest_marker("crash") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser the pages go untested: said plainly, and in CI a failure."""
    if item.get_closest_marker("browser") and chrome() is None:
        words = "there is no Chromium or Chrome on this machine: install one to test the pages"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)


@pytest.fixture(autouse=True)
def _media_in_a_temporary_folder(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.WHATSAPP = {
        "API_URL": "http://127.0.0.1:9/v23.0",  # nobody listens there: a test that calls out by mistake fails at once
        "TOKEN": "test-token",
        "APP_SECRET": "test-app-secret",
        "VERIFY_TOKEN": "test-verify-token",
    }
