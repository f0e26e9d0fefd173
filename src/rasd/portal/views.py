from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from rasd.desk.models import Case


def case(request: HttpRequest, token: str) -> HttpResponse:
    """The customer's page of one case."""
    found = get_object_or_404(Case, token=token)
    return HttpResponse(f"{found.reference}\n", content_type="text/plain; charset=utf-8")
