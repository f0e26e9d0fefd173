"""Django's settings of a watch: a site and a database of its own. ``DJANGO_SETTINGS_MODULE=rasd.watch.settings``."""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext_lazy as _

from rasd.watch.database import database
from rasd.watch.options import options

PACKAGE = Path(__file__).resolve().parents[1]

SECRET_KEY = options.effective_secret_key()
ALLOWED_HOSTS = options.allowed_hosts
CSRF_TRUSTED_ORIGINS = options.trusted_origins

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "rasd.watch.apps.WatchConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "rasd.watch.pages.policy.content_security_policy",
]
ROOT_URLCONF = "rasd.watch.urls"
ASGI_APPLICATION = "rasd.watch.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]
DATABASES: dict[str, Any] = {"default": database(options.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "watch:login"

LANGUAGE_CODE = "ar"
LANGUAGES = [("ar", _("Arabic")), ("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"  # every page shows times in the zone of the target that it is about

STATIC_URL = "static/"
STATIC_ROOT = options.data_dir / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # empty until collectstatic; WhiteNoise wants it there
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings(
    "ignore",
    message="StreamingHttpResponse must consume synchronous iterators",
    module=r"django\.core\.handlers\.asgi",
)

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# Cookies belong to a host, whatever the port: beside the console of the same machine neither logs the other out.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "watch_session", "watch_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = options.https
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if options.https else 0
if options.https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING_CONFIG = None
logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("httpx").setLevel(
    logging.WARNING
)  # it names addresses: who has the heartbeat's beats for a dead watch
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)

WATCH_FOLDER = options.data_dir
