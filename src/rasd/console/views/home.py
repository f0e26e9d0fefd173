from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rasd.console.access import page


@page()
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me."""
    return render(request, "console/home.html", {"here": "home"})
