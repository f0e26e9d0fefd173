from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rasd.console.access import page


@page()
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me."""
    return render(request, "console/home.html", {"here": "home"})


@page()
def nav(request: HttpRequest) -> HttpResponse:
    """The numbers beside the pages' names, fetched anew when something changed."""
    return render(request, "console/_nav.html", {"here": request.GET.get("here", "")})
