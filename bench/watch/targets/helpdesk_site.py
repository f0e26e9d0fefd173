"""django-helpdesk as its own documentation sets it up, with its public form: a ticket, an e-mail, a second look.

``python helpdesk_site.py`` makes its tables, a queue and its own templates of e-mails; ``helpdesk_site:application`` serves it.
"""

import os
from pathlib import Path

FOLDER = Path(os.environ["TARGET_FOLDER"])
DEBUG = False
SECRET_KEY = "of a help desk on loopback, for the watch to try"
ALLOWED_HOSTS = ["127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [os.environ["TARGET_PUBLIC"]]
ROOT_URLCONF = "helpdesk_site"
USE_TZ = True
TIME_ZONE = "Asia/Muscat"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
STATIC_ROOT = FOLDER / "static"
MEDIA_ROOT = FOLDER / "media"
LOGIN_URL = "/admin/login/"
SITE_ID = 1
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("TARGET_SMTP", "25"))
DEFAULT_FROM_EMAIL = "helpdesk@example.org"
HELPDESK_TEAMS_MODE_ENABLED = False
HELPDESK_TEAMS_MODEL = "auth.Group"
HELPDESK_TEAMS_MIGRATION_DEPENDENCIES = [("auth", "0011_update_proxy_permissions")]
HELPDESK_VIEW_A_TICKET_PUBLIC = True
HELPDESK_SUBMIT_A_TICKET_PUBLIC = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "helpdesk.sqlite3"}}
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.sites", "django.contrib.humanize",
    "rest_framework", "helpdesk",
]  # fmt: skip
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware", "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]  # fmt: skip
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug", "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]  # fmt: skip
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk_site")


def __getattr__(name: str) -> object:
    """The addresses and the server's entry, which must not be made before Django is."""
    if name == "urlpatterns":
        from django.contrib import admin
        from django.urls import include, path

        return [path("admin/", admin.site.urls), path("", include("helpdesk.urls"))]
    if name == "application":
        from django.core.wsgi import get_wsgi_application

        application = get_wsgi_application()
        _be_at_home()
        return application
    raise AttributeError(name)


def _be_at_home() -> None:
    """Links in its e-mails lead where it is served this time."""
    from django.contrib.sites.models import Site

    Site.objects.update(domain=os.environ["TARGET_PUBLIC"].removeprefix("http://"), name="Help desk")


def _fill() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("loaddata", "emailtemplate.json", verbosity=0)
    from helpdesk.models import Queue

    Queue.objects.update_or_create(
        slug="customers",
        defaults={
            "title": "Customers",
            "allow_public_submission": True,
            "email_address": "helpdesk@example.org",
        },
    )


if __name__ == "__main__":
    _fill()
