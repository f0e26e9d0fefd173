from django.contrib import admin
from django.urls import include, path

from rasd.config import health
from rasd.ledger import views as ledger

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("ledger/head", ledger.head),
    path("channels/whatsapp/", include("rasd.channels.whatsapp.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("rasd.api.urls")),
    path("t/", include("rasd.portal.urls")),
    path("m/", include("rasd.portal.account_urls")),
    path("", include("rasd.console.urls")),
]
