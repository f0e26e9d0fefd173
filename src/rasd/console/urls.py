from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from django.views.i18n import set_language

from rasd.console.live import stream
from rasd.console.views import account, api_tokens, cycle, evidence, eye, home, login, review, troubles

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("live", stream, name="live"),
    # In and out
    path("login", login.enter, name="login"),
    path("login/code", login.code, name="code"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("language", set_language, name="language"),
    path("theme", account.theme, name="theme"),
    path("account", account.account, name="account"),
    path("account/second-factor/begin", account.begin_second_factor, name="begin_second_factor"),
    path("account/second-factor/confirm", account.confirm_second_factor, name="confirm_second_factor"),
    path("account/second-factor/end", account.end_second_factor, name="end_second_factor"),
    path("account/sessions/end", account.end_sessions, name="end_sessions"),
    path("account/password", account.change_password, name="change_password"),
    # Photographs
    path("review/", review.review, name="review"),
    path("review/<int:pk>/decide", review.decide, name="decide"),
    path("review/<int:pk>/undo", review.undo, name="undo_review"),
    re_path(
        r"^photograph/(?P<sha256>[0-9a-f]{64})/(?P<size>thumb|whole)$", evidence.photograph, name="photograph"
    ),
    re_path(r"^counter/(?P<pk>\d+)/(?P<sha256>[0-9a-f]{64})$", evidence.counter, name="counter"),
    re_path(
        r"^counter/shadow/(?P<pk>\d+)/(?P<sha256>[0-9a-f]{64})$",
        evidence.shadow_counter,
        name="shadow_counter",
    ),
    # Answering
    path("", include("rasd.console.inbox_urls")),
    path("", include("rasd.console.case_urls")),
    path("calendars/", include("rasd.console.calendar_urls")),
    # The round, and what went wrong
    path("cycle/", cycle.cycle, name="cycle"),
    path("cycle/<str:name>", cycle.cycle, name="cycle"),
    path("", include("rasd.console.month_urls")),
    path("eye/", eye.eye, name="eye"),
    path("eye/<str:name>", eye.eye, name="eye"),
    path("troubles/", troubles.show, name="troubles"),
    path("troubles/jobs/<int:pk>/retry", troubles.retry, name="retry"),
    re_path(
        r"^troubles/(?P<kind>media|outgoing|delivery|refusal|webhook)/(?P<pk>\d+)/settle$",
        troubles.settle,
        name="settle",
    ),
    path("", include("rasd.console.accountability_urls")),
    # Other programs
    path("programs/", api_tokens.api_tokens, name="api_tokens"),
    path("programs/<int:pk>/revoke", api_tokens.revoke_api_token, name="revoke_api_token"),
    path("troubles/webhooks/<int:pk>/again", api_tokens.send_webhook_again, name="send_webhook_again"),
    # Who may do what, and people's data
    path("", include("rasd.console.admin_urls")),
    # The team and its wall
    path("", include("rasd.console.team_urls")),
]
