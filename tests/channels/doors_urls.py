"""The doors alone: their tests need no page of the rooms above."""

from django.urls import include, path

urlpatterns = [path("channels/whatsapp/", include("rasd.channels.whatsapp.urls"))]
