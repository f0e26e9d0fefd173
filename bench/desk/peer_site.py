"""django-helpdesk as its own documentation sets it up, for comparison: settings, addresses and the tickets, in one file.

Runs in an environment of its own (``peer-requirements.txt``) and knows nothing of Rasd: ``python peer_site.py TICKETS`` makes the
tables and the tickets, ``uvicorn peer_site:application`` serves. Told by the environment: ``PEER_DATABASE`` (host of the socket),
``PEER_WORDS`` (a file with the sentences that Rasd's messages are made of too).
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

DEBUG = False
SECRET_KEY = os.environ.get("PEER_SECRET", "for a bench on this machine")
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "peer_site"
USE_TZ = True
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
LOGIN_URL = "/admin/login/"
SITE_ID = 1
# As its documentation says for those who do not use pinax-teams.
HELPDESK_TEAMS_MODE_ENABLED = False
HELPDESK_TEAMS_MODEL = "auth.Group"
HELPDESK_TEAMS_MIGRATION_DEPENDENCIES = [("auth", "0011_update_proxy_permissions")]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "peer",
        "USER": "postgres",
        "HOST": os.environ.get("PEER_DATABASE", ""),
        "OPTIONS": {"pool": {"min_size": 2, "max_size": 10}},
    }
}
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.sites", "django.contrib.humanize",
    "rest_framework", "helpdesk",
]  # fmt: skip
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
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
OPEN = 2  # of a hundred tickets, as of Rasd's conversations
AGENTS = 200

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peer_site")


def __getattr__(name: str) -> object:
    """The addresses and the server's entry, which must not be made before Django is."""
    if name == "urlpatterns":
        from django.contrib import admin
        from django.urls import include, path

        return [path("admin/", admin.site.urls), path("", include("helpdesk.urls"))]
    if name == "application":
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    raise AttributeError(name)


def fill(tickets: int) -> None:
    """``tickets`` with a question and three follow-ups each; prints the key of an agent's session."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.utils import timezone
    from helpdesk.models import FollowUp, Queue, Ticket, UserSettings

    call_command("migrate", verbosity=0)
    if not Ticket.objects.exists():
        said = Path(os.environ["PEER_WORDS"]).read_text().splitlines()
        agents = User.objects.bulk_create(
            User(username=f"agent{n}", email=f"agent{n}@example.org", is_staff=True, is_superuser=True)
            for n in range(AGENTS)
        )
        queues = [Queue.objects.create(title=f"Queue {n}", slug=f"queue-{n}") for n in range(8)]
        now, step = timezone.now(), timedelta(days=730) / tickets
        made = Ticket.objects.bulk_create(
            (
                Ticket(
                    title=said[n % len(said)][:190],
                    description=said[(n * 7) % len(said)],
                    queue=queues[n % 8],
                    created=now - step * (tickets - n),
                    modified=now - step * (tickets - n),
                    submitter_email=f"customer{n % (tickets // 3 + 1)}@example.org",
                    assigned_to=agents[n % AGENTS],
                    status=Ticket.OPEN_STATUS
                    if n >= tickets - tickets * OPEN // 100
                    else Ticket.CLOSED_STATUS,
                    secret_key=f"{n}",
                )
                for n in range(tickets)
            ),
            batch_size=2_000,
        )
        FollowUp.objects.bulk_create(
            (
                FollowUp(
                    ticket=ticket,
                    date=ticket.created,
                    title="Comment",
                    comment=said[(n * 3 + k) % len(said)],
                    public=True,
                    user=ticket.assigned_to,
                )
                for n, ticket in enumerate(made)
                for k in range(3)
            ),
            batch_size=5_000,
        )
    UserSettings.objects.bulk_create(
        UserSettings(user=user) for user in User.objects.filter(usersettings_helpdesk=None)
    )
    agent = User.objects.order_by("pk").first()
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    print(session.session_key)


if __name__ == "__main__":
    import django

    django.setup()
    fill(int(sys.argv[1]))
