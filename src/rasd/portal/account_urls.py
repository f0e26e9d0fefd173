from django.urls import path, re_path

from rasd.portal import account

app_name = "account"
urlpatterns = [
    path("<str:token>/", account.month, name="month"),
    path("<str:token>/dispute", account.dispute, name="dispute"),
    path("<str:token>/camera", account.camera, name="camera"),
    path("<str:token>/sent/<int:pk>", account.sent, name="sent"),
    path("<str:token>/end", account.end, name="end"),
    re_path(
        r"^(?P<token>[0-9A-Za-z]+)/photograph/(?P<sha256>[0-9a-f]{64})$",
        account.photograph,
        name="photograph",
    ),
]
