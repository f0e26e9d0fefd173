"""The doors alone, and the administration: their tests need no page of the rooms above."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("channels/whatsapp/", include("rasd.channels.whatsapp.urls")),
    path("admin/", admin.site.urls),
]
