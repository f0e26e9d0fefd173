"""Administration: who may do what, and people's data. Programs that come in have theirs in ``urls.py``."""

from django.urls import path

from rasd.console.views import administration, persons

urlpatterns = [
    path("administration/", administration.access, name="access"),
    path("administration/second-factor", administration.demand_second_factor, name="demand_second_factor"),
    path("administration/roles/<int:pk>/lines", administration.role_lines, name="role_lines"),
    path("administration/people/<int:pk>", administration.account_of, name="account_of"),
    path("administration/people/<int:pk>/lines", administration.person_lines, name="person_lines"),
    path(
        "administration/people/<int:pk>/sessions/end",
        administration.end_his_sessions,
        name="end_his_sessions",
    ),
    path(
        "administration/people/<int:pk>/second-factor/reset",
        administration.reset_second_factor,
        name="reset_second_factor",
    ),
    path("persons/", persons.persons, name="persons"),
    path("persons/<int:pk>", persons.person, name="person"),
    path("persons/<int:pk>/export", persons.export, name="person_export"),
    path("persons/<int:pk>/erase", persons.erase, name="person_erase"),
    path("persons/exports/<int:pk>", persons.download, name="person_download"),
]
