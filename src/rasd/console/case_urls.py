"""The addresses of cases and of guaranteed standards, in the console's namespace."""

from django.urls import path, re_path

from rasd.console.views import case_new, cases, standards

urlpatterns = [
    path("cases/", cases.cases, name="cases"),
    path("cases/new", case_new.new, name="case_new"),
    path("cases/kinds", standards.kinds, name="case_kinds"),
    path("cases/kinds/new", standards.kind, name="case_kind_new"),
    path("cases/kinds/<int:pk>", standards.kind, name="case_kind"),
    path("cases/<int:pk>", cases.case, name="case"),
    path("cases/<int:pk>/sheet", cases.sheet, name="case_sheet"),
    path("cases/<int:pk>/ledger", cases.ledger, name="case_ledger"),
    path("cases/<int:pk>/say", cases.say, name="case_say"),
    path("cases/<int:pk>/note", cases.note, name="case_note"),
    path("cases/<int:pk>/close", cases.close, name="case_close"),
    path("cases/<int:pk>/take-up", cases.take_up, name="case_take_up"),
    path("cases/<int:pk>/wait", cases.wait, name="case_wait"),
    path("cases/<int:pk>/hand-on", cases.hand_on, name="case_hand_on"),
    path("cases/<int:pk>/reopen", cases.reopen, name="case_reopen"),
    path("cases/<int:pk>/link/send", cases.send_link, name="case_send_link"),
    path("cases/<int:pk>/link/given", cases.gave_link, name="case_gave_link"),
    path("cases/<int:pk>/link/renew", cases.renew_link, name="case_renew_link"),
    # What is promised, and what was not kept
    path("standards/", standards.standards, name="standards"),
    path("standards/usual", standards.usual, name="usual_standards"),
    path("standards/new", standards.standard, name="standard_new"),
    path("standards/<int:pk>", standards.standard, name="standard"),
    path("standards/breaches/<int:pk>/excuse", standards.excuse, name="excuse_breach"),
    re_path(r"^standards/(?P<month>\d{4}-\d{2})$", standards.standards, name="standards"),
    re_path(r"^standards/(?P<month>\d{4}-\d{2})\.csv$", standards.standards_csv, name="standards_csv"),
]
