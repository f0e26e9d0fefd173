"""The doors' own way in. Sessions, languages, logins and forms are for people: a webhook that passes through all of them on its
way to one INSERT waits in a dozen queues for threads."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import sync_and_async_middleware

DOORS = "/channels/"


@sync_and_async_middleware
def doors(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Calls the view of a path under ``/channels/`` itself, past the middleware that stands after this one."""
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponse:
            door = door_of(request)
            if door is None:
                return await get_response(request)
            return whole(await door.func(request, *door.args, **door.kwargs))

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponse:
        door = door_of(request)
        if door is None:
            return get_response(request)
        return whole(async_to_sync(door.func)(request, *door.args, **door.kwargs))

    return synchronous


def door_of(request: HttpRequest) -> ResolverMatch | None:
    if not request.path_info.startswith(DOORS):
        return None
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None  # answered as any other page that is not there


def whole(answer: HttpResponse) -> HttpResponse:
    """CommonMiddleware's part; without it the empty answer would go out in chunks."""
    answer.headers.setdefault("Content-Length", str(len(answer.content)))
    return answer
