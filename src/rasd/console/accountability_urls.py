"""The account of who owed what."""

from django.urls import path

from rasd.console.views import accountability

urlpatterns = [
    path("accountability/", accountability.accounts_of_all, name="accounts"),
    path("accountability/mine", accountability.my_account, name="my_account"),
    path("accountability/obligations/<int:pk>", accountability.obligation_account, name="obligation_account"),
    path(
        "accountability/obligations/<int:pk>/conversation",
        accountability.obligation_conversation,
        name="obligation_conversation",
    ),
    path("accountability/entries/<int:number>/comment", accountability.comment_on, name="comment_on"),
    path("accountability/<str:scope>/<path:name>", accountability.one_account, name="one_account"),
]
