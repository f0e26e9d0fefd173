"""The first page: how each service is, in a glance."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rasd.watch.models import Target


def home(request: HttpRequest) -> HttpResponse:
    return render(
        request, "watch/home.html", {"here": "home", "targets": Target.objects.filter(gone_at=None)}
    )
