"""The inbox's addresses, in the console's namespace."""

from django.urls import path, re_path

from rasd.console.views import (
    canned,
    composing,
    contacts,
    conversations,
    deeds,
    documents,
    notices,
    saved,
)

urlpatterns = [
    path("conversations/", conversations.conversations, name="conversations"),
    path("conversations/<int:pk>", conversations.conversation, name="conversation"),
    path("conversations/<int:pk>/reply", conversations.reply, name="reply"),
    path("conversations/<int:pk>/typing", composing.typing, name="typing"),
    path("conversations/<int:pk>/canned", composing.canned, name="canned"),
    path("conversations/colleagues", composing.colleagues, name="colleagues"),
    path("conversations/<int:pk>/take", deeds.take, name="take"),
    path("conversations/<int:pk>/release", deeds.release, name="release"),
    path("conversations/<int:pk>/give-back", deeds.give_back, name="give_back"),
    path("conversations/<int:pk>/held/<int:held>", deeds.settle_held, name="settle_held"),
    path("conversations/<int:pk>/waive", deeds.waive, name="waive"),
    path("conversations/<int:pk>/promises/<int:owed>/kept", deeds.keep_promise, name="keep_promise"),
    path(
        "conversations/<int:pk>/pages/<int:owed>/answered/<int:message>",
        deeds.answered_here,
        name="answered_here",
    ),
    path("conversations/<int:pk>/close", deeds.close, name="close"),
    path("conversations/<int:pk>/undo", deeds.undo, name="undo"),
    path("conversations/<int:pk>/matter", deeds.matter, name="matter"),
    path("conversations/<int:pk>/merge/<int:other>", contacts.merge, name="merge"),
    path("conversations/<int:pk>/unmerge/<int:merge>", contacts.unmerge, name="unmerge"),
    path("conversations/<int:pk>/end-links", contacts.end_links, name="end_links"),
    path("conversations/views", saved.save_view, name="save_view"),
    path("conversations/views/<int:pk>/forget", saved.forget_view, name="forget_view"),
    path("canned-answers/", canned.canned_answers, name="canned_answers"),
    path("canned-answers/<int:pk>", canned.canned_answers, name="canned_answer"),
    path("canned-answers/<int:pk>/forget", canned.forget_canned, name="forget_canned"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<int:pk>/read", notices.read_notice, name="read_notice"),
    path("notices/read", notices.read_all, name="read_all"),
    re_path(r"^document/(?P<sha256>[0-9a-f]{64})$", documents.document, name="document"),
    re_path(r"^document/(?P<sha256>[0-9a-f]{64})/first-page$", documents.first_page, name="first_page"),
]
