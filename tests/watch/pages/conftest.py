"""The watch's pages behind the watch's own door: its addresses, its middleware."""

import pytest


@pytest.fixture(autouse=True)
def _the_watchs_own_site(settings) -> None:
    settings.ROOT_URLCONF = "rasd.watch.urls"
    settings.LOGIN_URL = "watch:login"
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "rasd.watch.pages.policy.content_security_policy",
    ]
