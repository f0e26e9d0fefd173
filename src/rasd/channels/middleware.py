"""The doors' own way in. Sessions, languages, logins and forms are for people: a webhook that passes through all of them on its
way to one INSERT waits in a dozen queues for threads, and behind every page for a connection."""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import sync_and_async_middleware

DOORS = "/channels/"


@sync_and_async_middleware
def doors(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Calls the view of a path under ``/channels/`` itself, past the middleware that stands after this one.

    Of all other requests ``PAGES_AT_ONCE`` are worked on in one process, in the order in which they came. A stream that has
    begun counts no more.
    """
    if iscoroutinefunction(get_response):
        places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

        async def asynchronous(request: HttpRequest) -> HttpResponse:
            door = door_of(request)
            if door is None:
                loop = (
                    asyncio.get_running_loop()
                )  # a server has one; a process may have several servers, one after the other
                async with places.setdefault(loop, asyncio.Semaphore(settings.PAGES_AT_ONCE)):
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
