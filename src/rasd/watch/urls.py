"""The watch's own site."""

from django.urls import URLPattern, include, path

from rasd.watch.pages import (
    alerts,
    door,
    evidence,
    home,
    journey,
    league,
    maintenance,
    plan,
    report,
    status,
    target,
    visits,
)

PAGES: list[URLPattern] = [
    path("", home.home, name="home"),
    path("targets/<slug:name>", target.target, name="target"),
    path("targets/<slug:name>/visits", visits.visits, name="visits"),
    path("targets/<slug:name>/plan", plan.plan, name="plan"),
    path("targets/<slug:name>/plans.json", plan.published, name="plans"),
    path("targets/<slug:name>/journeys/<slug:journey>", journey.journey, name="journey"),
    path("targets/<slug:name>/<slug:kind>.csv", target.csv, name="csv"),
    path("targets/<slug:name>/maintenance", maintenance.maintenances, name="maintenances"),
    path("maintenance/<int:pk>", maintenance.change, name="maintenance"),
    path("maintenance/<int:pk>/withdraw", maintenance.withdraw, name="withdraw-maintenance"),
    path("alerts", alerts.alerts, name="alerts"),
    path("alerts/<int:pk>", alerts.alert, name="alert"),
    path("alerts/<int:pk>/acknowledge", alerts.acknowledge, name="acknowledge"),
    path("alerts/<int:pk>/take-back", alerts.take_back, name="take-back"),
    path("league", league.league, name="league"),
    path("status", status.status, name="status"),
    path("status.json", status.as_json, name="status-json"),
    path("status.atom", status.feed, name="status-feed"),
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

handler404 = "rasd.watch.pages.door.nothing_here"
