"""The doors' own way in. Sessions, languages, logins and forms are for people: a webhook that passes through all of them on its
way to one INSERT waits in a dozen queues for threads."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

DOORS = "/channels/"


class Doors:
    """Calls the view of a path under ``/channels/`` itself, past the middleware that stands after this one."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(DOORS):
            try:
                door = resolve(request.path_info)
            except Resolver404:
                pass  # answered as any other page that is not there
            else:
                answer: HttpResponse = await door.func(request, *door.args, **door.kwargs)
                # CommonMiddleware's part; without it the empty answer would go out in chunks.
                answer.headers.setdefault("Content-Length", str(len(answer.content)))
                return answer
        return await self.get_response(request)
