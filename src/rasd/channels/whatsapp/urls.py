from django.urls import path

from rasd.channels.whatsapp.webhook import webhook

urlpatterns = [path("webhook", webhook, name="whatsapp-webhook")]
