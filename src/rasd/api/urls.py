"""``/api/v1/`` as a whole: its routers, its document, and the address of everything in it."""

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from rasd.api import cases, conversations, field_reads, obligations, problems, webhooks
from rasd.api.calling import ApiRequest, Bearer, told
from rasd.api.shapes import TokenOut

ABOUT = """The desk for other programs. Times are ISO 8601 with a zone. Lists come in pages: `next` is the `cursor` of the page
after. What is refused is told as `application/problem+json` (RFC 9457). Every POST takes an `Idempotency-Key`."""

EVERYWHERE = {
    "400": "The body cannot be read",
    "401": "No token, or none that opens anything",
    "403": "This token may not",
    "422": "Something is not as it should be; `errors` names each field",
    "429": "Too many calls; `Retry-After` says when to come back",
}
TYPICAL = {"404": "There is none, or this token may not see it"}


class Api(NinjaAPI):
    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**kwargs)
        for where, methods in schema["paths"].items():
            for method, operation in methods.items():
                _tell_what_may_go_wrong(where, method, operation)
        return schema


def _tell_what_may_go_wrong(where: str, method: str, operation: dict[str, Any]) -> None:
    """What is true of every call, and would only be noise beside each."""
    told = operation["responses"]
    known = {str(status) for status in told}
    for status, words in (EVERYWHERE | (TYPICAL if "{" in where else {})).items():
        if status not in known:
            told[int(status)] = {
                "description": words,
                "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
            }
    for status, response in told.items():
        content = response.get("content", {})
        if int(status) >= 400 and "application/json" in content:
            content[problems.MEDIA_TYPE] = content.pop("application/json")
    told[429]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    if method == "get":
        told[200]["headers"] = {"ETag": {"schema": {"type": "string"}}}
        told[304] = {"description": "As you have it (`If-None-Match`)"}


api = Api(
    title="Rasd",
    version="1",
    description=ABOUT,
    urls_namespace="api",
    docs_url=None,
    openapi_extra={"components": {}},
)
problems.handle(api)
for each in (conversations, cases, obligations, field_reads, webhooks):
    api.add_router("", each.router)


@api.get(
    "/token",
    response={200: TokenOut, 409: problems.ProblemOut},
    auth=Bearer(),
    summary="The token that calls",
)
def get_token(request: ApiRequest) -> HttpResponse:
    return told(request, TokenOut.of(request.auth))


def _nowhere(request: HttpRequest) -> HttpResponse:
    words = "there is nothing at this address: /api/v1/openapi.json has all that there is"
    return problems.answer(api, request, problems.Problem(404, "not-found", words))


def _answering(view: Any) -> Any:
    """Programs are spoken to in English unless they ask otherwise, may keep nothing, and are told of a wrong method as of
    anything else."""

    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override("en"):
            response: HttpResponse = view(request, *args, **kwargs)
            if response.status_code == 405:
                allowed = response["Allow"]
                words = f"{request.method} is not for this address; there is {allowed}"
                problem = problems.Problem(405, "wrong-method", words, headers={"Allow": allowed})
                response = problems.answer(api, request, problem)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault("Content-Language", "en")
        return response

    return answering


_patterns, _app, _namespace = api.urls
for _pattern in _patterns:
    _pattern.callback = _answering(_pattern.callback)

app_name = "api"
urlpatterns = [
    path("", csrf_exempt(_answering(_nowhere))),  # before ninja's own, which answers with a page
    *_patterns,
    re_path(
        "", csrf_exempt(_answering(_nowhere))
    ),  # whatever is left, an address with a line break in it too
]
