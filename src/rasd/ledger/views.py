"""What anybody may know of the ledger."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rasd.ledger.models import head as head_


@require_safe
@never_cache
def head(request: HttpRequest) -> JsonResponse:
    """``GET /ledger/head``: the last entry's number, hash and time, and nothing of what stands in it."""
    return JsonResponse(head_())
