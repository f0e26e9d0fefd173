"""What a browser may do on the watch's pages. They show words and pictures of strangers: whatever slips in stays dead."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PAGE = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; style-src-attr 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""``style-src-attr``: the drawings carry their numbers as custom properties."""
EVIDENCE = "default-src 'none'; sandbox; frame-ancestors 'self'"
"""A stranger's bytes: nothing in them runs, loads or navigates, even where they are opened by themselves."""


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Django middleware. A view that sets a policy of its own keeps it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", PAGE)
        return response

    return middleware
