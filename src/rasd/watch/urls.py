"""The watch's own site."""

from django.urls import URLPattern, include, path

from rasd.watch.pages import door, evidence, home, report

PAGES: list[URLPattern] = [
    path("", home.home, name="home"),
    path("probes/<str:token>", report.report, name="report"),
    path("probes/<str:token>/document.json", report.document, name="document"),
    path("probes/<str:token>/exhibits/<str:sha256>", evidence.exhibit, name="exhibit"),
    path("login", door.how, name="login"),
    path("login/<str:token>", door.come_in, name="come-in"),
    path("logout", door.leave, name="logout"),
    path("language", door.language, name="language"),
    path("theme", door.theme, name="theme"),
]
urlpatterns = [path("", include((PAGES, "watch")))]
