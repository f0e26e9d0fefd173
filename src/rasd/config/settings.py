"""Django's settings, all of them derived from :mod:`rasd.config.options`. Importing this starts nothing."""

import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from rasd.config.logs import logging_config
from rasd.config.options import options

MAIL_PATIENCE = 20  # seconds for each answer of the mail server
PACKAGE = Path(__file__).resolve().parents[1]


CONNECTIONS = 20  # of one process with the database
PAGES_AT_ONCE = 12
"""In one process. The others wait their turn, so that a webhook finds a connection however many pages are asked for."""


def database(url: str) -> dict[str, Any]:
    """A database URL as Django's dictionary; what stands after ``?`` goes to libpq, ``host`` included."""
    parts = urlsplit(url)
    extra = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": extra.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        # A pool, as ASGI serves each request in a thread of its own and a connection must not live and die with it.
        "OPTIONS": {**extra, "pool": {"min_size": 1, "max_size": CONNECTIONS, "timeout": 10}},
    }


def mail(url: str, sender: str) -> dict[str, Any]:
    """Django's mail settings for ``RASD_EMAIL_URL``; none: mail is printed where the worker writes its log."""
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(url)
    is_tls = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or {"smtp": 587, "smtps": 465, "smtp+plain": 25}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": is_tls,
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_TIMEOUT": MAIL_PATIENCE,
        "DEFAULT_FROM_EMAIL": sender or f"rasd@{parts.hostname}",
    }


SECRET_KEY = options.effective_secret_key()
DEBUG = options.debug
ALLOWED_HOSTS = options.allowed_hosts
CSRF_TRUSTED_ORIGINS = options.trusted_origins

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "procrastinate.contrib.django",
    "rasd.ledger.apps.LedgerConfig",
    "rasd.channels.apps.ChannelsConfig",
    "rasd.metering.apps.MeteringConfig",
    "rasd.desk.apps.DeskConfig",
    "rasd.flows.apps.FlowsConfig",
    "rasd.api.apps.ApiConfig",
    "rasd.person.apps.PersonConfig",
    "rasd.console.apps.ConsoleConfig",
    "rasd.portal.apps.PortalConfig",
]

MIDDLEWARE = [
    "rasd.config.logs.request_log",
    "rasd.channels.middleware.doors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "rasd.config.urls"
ASGI_APPLICATION = "rasd.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
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

DATABASES = {"default": database(options.effective_database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The first logs nobody in: it takes permissions from who is limited to some lines.
AUTHENTICATION_BACKENDS = ["rasd.console.sight.OnlyHisLines", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:home"
LOGOUT_REDIRECT_URL = "console:login"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: one long shift
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
OTP_TOTP_ISSUER = f"Rasd {options.utility_name}"

# Arabic first: it is the language of whoever has not chosen another.
LANGUAGE_CODE = "ar"
LANGUAGES = [("ar", _("Arabic")), ("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = options.time_zone

STATIC_URL = "static/"
STATIC_ROOT = options.data_dir / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # empty until collectstatic; WhiteNoise wants it there
MEDIA_ROOT = options.data_dir / "media"
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if options.media_bucket:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": options.media_bucket, "querystring_auth": True},
    }
WHITENOISE_USE_FINDERS = (
    True  # the wheel's own files are served as they lie; collectstatic is for a proxy in front
)
# WhiteNoise hands its files to ASGI as synchronous iterators, and Django warns at each: it reads a file of ours, a few
# hundred kilobytes at most, into memory at once. A front end that serves many should serve the collected ones itself.
warnings.filterwarnings(
    "ignore",
    message="StreamingHttpResponse must consume synchronous iterators",
    module=r"django\.core\.handlers\.asgi",
)
DATA_UPLOAD_MAX_MEMORY_SIZE = options.webhook_max_bytes

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = options.https
SECURE_SSL_REDIRECT = options.https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, past the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if options.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = options.https
if options.https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING_CONFIG = None
LOGGING = logging_config(options.log_format, options.log_level)

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

globals().update(mail(options.email_url.get_secret_value(), options.email_from))

WHATSAPP = {
    "API_URL": options.whatsapp_api_url.rstrip("/"),
    "TOKEN": options.whatsapp_token.get_secret_value(),
    "APP_SECRET": options.whatsapp_app_secret.get_secret_value(),
    "VERIFY_TOKEN": options.whatsapp_verify_token.get_secret_value(),
}
WEBHOOKS_TO_PRIVATE = options.webhooks_to_private
EYE = options.eye
SHADOW_EYE = options.shadow_eye
UTILITY_NAME = options.utility_name
PUBLIC_URL = options.public_url
