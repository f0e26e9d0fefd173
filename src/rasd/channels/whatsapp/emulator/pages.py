"""The pages: phones to write from, and a page to make trouble. Plain HTML, CSS and JavaScript; Arabic unless told."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"


def routes() -> list[BaseRoute]:
    """``/``, ``/phone/{key}``, ``/trouble`` and their files."""
    return [
        Route("/", _page("phones.html")),
        Route("/phone/{key}", _page("phone.html")),
        Route("/trouble", _page("trouble.html")),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        language = "en" if request.query_params.get("lang") == "en" else "ar"
        html = (STATIC / name).read_text(encoding="utf-8")
        html = html.replace("{lang}", language).replace("{dir}", "ltr" if language == "en" else "rtl")
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    return endpoint
