from pathlib import Path
import pytest
from datetime import timedelta
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from rasd.watch.models import Alert, Maintenance, Target
from tests.console.browsing import DESKTOP
from tests.console.looking import SMALL, look_at
from tests.watch.pages.filling import fill
from tests.watch.pages.conftest import _the_watchs_own_site
from django.utils import timezone
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
def test_shots(monkeypatch, settings, tmp_path):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.WATCH_FOLDER = tmp_path
    now=timezone.now()
    seen = fill(tmp_path / "box", now)
    t=Target.objects.get(name="helpdesk")
    m=Maintenance.objects.create(target=t,begins_at=now+timedelta(seconds=1),ends_at=now+timedelta(hours=2),words="إعادة تشغيل الخوادم",announced_at=now)
    Maintenance.objects.create(target=t,begins_at=now-timedelta(days=3),ends_at=now-timedelta(days=3)+timedelta(hours=2),words="تحديث الشهادات",announced_at=now-timedelta(days=4),withdrawn_at=now-timedelta(days=3,hours=-1))
    Alert.objects.create(window="blind",opened_at=now-timedelta(minutes=30),facts={"targets":["helpdesk","bills"],"since":(now-timedelta(hours=2)).isoformat()})
    a=Alert.objects.get(window="fast",closed_at=None)
    pages={"alerts":"/alerts","alert":f"/alerts/{a.pk}","maintenances":"/targets/helpdesk/maintenance","change":f"/maintenance/{m.pk}","blind":f"/alerts/{Alert.objects.get(window='blind').pk}"}
    look_at(User.objects.get(username="salma"), pages, SMALL, DESKTOP, site=get_asgi_application())
