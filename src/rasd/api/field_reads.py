"""For the handhelds of meter readers: what a route has, and what was brought from it."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from ninja import File, Query, Router, Schema
from ninja.files import UploadedFile
from pydantic import (
    AwareDatetime,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from rasd.api.calling import ApiRequest, Bearer, Done, Id, Key, told, writes
from rasd.api.models import Scope
from rasd.api.problems import Problem, ProblemOut, refusing
from rasd.ledger import evidence
from rasd.metering import numbers
from rasd.metering.importing.bringing import KEY_LONGEST, Refused, Visit, bring
from rasd.metering.importing.cells import latin
from rasd.metering.models import Cycle, Estimate, FieldRead, Meter, Reading, Route, ServicePoint
from rasd.vision import check_photograph

router = Router(tags=["field reads"])
HANDHELD = Bearer(Scope.FIELD_READS)

MOST = 200  # visits a call
PHOTOGRAPH_LARGEST = 3_000_000
"""Bytes: in base64 4,000,000 of the 4,194,304 that a call may have, unless the installation says otherwise."""
FILE_LARGEST = 20 * 1024 * 1024  # bytes, of one that is sent as a file
OLDEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Name = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]+$")]
Maybe = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f]*$")]


class FieldReadIn(Schema):
    """A visit to one service point: `value`, or the reason for `no_access`."""

    reader: Name = Field(description="his code, as the routes name him")
    key: Annotated[
        str, StringConstraints(min_length=1, max_length=KEY_LONGEST, pattern=r"^[^\x00-\x1f]+$")
    ] = Field(
        description="the handheld's own name of the visit: of one reader, the same key is the same visit"
    )
    service_point: Maybe = Field("", description="its number; it or `serial`")
    serial: Maybe = Field("", description="the meter's number, as the reader sees it")
    visited_at: AwareDatetime = Field(ge=OLDEST, lt=LATEST, description="by the handheld's clock")
    value: Decimal | None = Field(
        None,
        ge=0,
        lt=1_000_000_000,
        decimal_places=3,
        description="in the register's unit, as the counter shows",
    )
    no_access: Literal["locked", "refused", "dog", "not_found", "blocked", "broken", "other", ""] = ""
    cycle: Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2})?$")] = Field(
        "", description="2026-11; empty: the open one of the visit's month"
    )
    note: Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$")] = ""
    latitude: float | None = Field(None, ge=-90, le=90, description="WGS 84")
    longitude: float | None = Field(None, ge=-180, le=180, description="WGS 84")
    accuracy: float | None = Field(None, ge=0, le=100_000, description="metres")
    photograph: str = Field("", description="of the meter, in base64: JPEG, PNG, WebP or HEIC, at most 3 MB")

    @field_validator("photograph")
    @classmethod
    def _is_base64(cls, text: str) -> str:
        try:
            size = len(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError("is not base64: encode the file's bytes") from error
        if size > PHOTOGRAPH_LARGEST:
            raise ValueError(f"has {size} bytes: make it smaller than {PHOTOGRAPH_LARGEST}")
        return text

    @model_validator(mode="after")
    def _says_where_and_what(self) -> "FieldReadIn":
        if not self.service_point.strip() and not numbers.plain_serial(self.serial):
            raise ValueError("service_point and serial are both missing: give one of them")
        if (self.value is None) == (self.no_access == ""):
            raise ValueError("value or no_access: give one of the two")
        return self

    def visit(self) -> Visit:
        return Visit(
            reader=latin(self.reader.strip()),
            key=self.key,
            visited_at=self.visited_at,
            service_point=latin(self.service_point.strip()),
            serial=numbers.plain_serial(self.serial)[:40],
            value=self.value,
            no_access=self.no_access,
            cycle=latin(self.cycle),
            note=self.note,
            latitude=self.latitude,
            longitude=self.longitude,
            accuracy=self.accuracy,
        )


class WhyNot(Schema):
    field: str
    detail: str = Field(description="what is wrong, and how to mend it")


@dataclass(frozen=True)
class Unreadable:
    """A visit that is none: what it calls itself, and why it is refused."""

    reader: str
    key: str
    errors: list[WhyNot]


def _apart(given: Any, handler: ValidatorFunctionWrapHandler) -> FieldReadIn | Unreadable:
    """One visit with a wrong field must not keep the others of its batch in the handheld for ever."""
    try:
        read: FieldReadIn = handler(given)
    except ValidationError as error:
        told = given if isinstance(given, dict) else {}
        errors = [WhyNot(field=".".join(map(str, one["loc"])), detail=one["msg"]) for one in error.errors()]
        return Unreadable(_name(told.get("reader")), _name(told.get("key")), errors)
    return read


def _name(given: object) -> str:
    return given[:KEY_LONGEST] if isinstance(given, str) else ""


class FieldReadsIn(Schema):
    """What is no visit is told as `refused`, in its place."""

    reads: list[
        Annotated[Annotated[FieldReadIn, WrapValidator(_apart)] | Any, Field(union_mode="left_to_right")]
    ] = Field(min_length=1, max_length=MOST)


class Result(Schema):
    reader: str
    key: str
    state: Literal["created", "known", "refused"]
    id: int | None = Field(description="of the field read; null: refused")
    errors: list[WhyNot]


class FieldReadsOut(Schema):
    """In the order in which they were sent."""

    results: list[Result]


class Stop(Schema):
    """`visited_at`: when it was visited in the cycle that is open; null: not yet. `must_be_read`: it was billed on estimates as
    often in a row as may be, and nobody has read it in the cycle that is open."""

    stop: int | None
    service_point: str
    place: str
    latitude: float | None
    longitude: float | None
    serial: str
    digits: int | None
    decimals: int | None
    visited_at: datetime | None
    must_be_read: bool


class RouteOut(Schema):
    number: str
    district: str
    reader: str | None = Field(description="code")
    stops: list[Stop]


class RouteAsked(Schema):
    number: Name


@router.get(
    "/routes",
    response={200: RouteOut, 404: ProblemOut},
    auth=HANDHELD,
    summary="A route and its stops",
)
def get_route(request: ApiRequest, asked: Query[RouteAsked]) -> HttpResponse:
    """In the order in which they are walked. No customer is named."""
    route = Route.objects.select_related("reader").filter(number=latin(asked.number)).first()
    if route is None:
        raise Problem(404, "not-found", f"there is no route {asked.number}", title="Not found")
    return told(
        request,
        RouteOut(
            number=route.number,
            district=route.district,
            reader=route.reader.code if route.reader else None,
            stops=_stops(route),
        ),
    )


def _stops(route: Route) -> list[Stop]:
    points = list(route.service_points.order_by("stop", "number"))
    meters = Meter.objects.filter(service_point__in=points, removed_on=None).prefetch_related("registers")
    hangs = {meter.service_point_id: meter for meter in meters}
    visits = FieldRead.objects.filter(service_point__in=points, cycle__closed_at=None, cycle__isnull=False)
    visited = dict(visits.order_by("visited_at").values_list("service_point", "visited_at"))
    must = _must_be_read(points)
    stops = []
    for point in points:
        meter = hangs.get(point.pk)
        register = min(meter.registers.all(), key=lambda one: one.pk, default=None) if meter else None
        stops.append(
            Stop(
                stop=point.stop,
                service_point=point.number,
                place=point.place,
                latitude=point.latitude,
                longitude=point.longitude,
                serial=meter.serial if meter else "",
                digits=register.digits if register else None,
                decimals=register.decimals if register else None,
                visited_at=visited.get(point.pk),
                must_be_read=point.pk in must,
            )
        )
    return stops


def _must_be_read(points: list[ServicePoint]) -> set[int]:
    cycle = Cycle.objects.filter(closed_at=None).order_by("window_opens").first()
    if cycle is None:
        return set()
    read = Reading.objects.filter(cycle=cycle, service_point__in=points).exclude(
        source=Reading.Source.ESTIMATE
    )
    due = Estimate.used_up_before(cycle).filter(reading__service_point__in=points)
    return set(due) - set(read.values_list("service_point", flat=True))


@router.post("/field-reads", response=FieldReadsOut, auth=HANDHELD, summary="Bring what was read")
@writes("field_reads.brought")
def bring_field_reads(request: ApiRequest, body: FieldReadsIn, idempotency_key: Key) -> Done:
    """Each visit is taken, or known already, or refused by itself: one that is refused hinders no other. Safe to repeat, also
    with another `Idempotency-Key` and in other company: of one reader the same `key` is the same visit."""
    errors = {place: one.errors for place, one in enumerate(body.reads) if isinstance(one, Unreadable)}
    visits = ((place, one.visit()) for place, one in enumerate(body.reads) if place not in errors)
    brought = bring(visits, at=timezone.now())
    for refused in brought.refused:
        errors.setdefault(refused.place, []).append(_why_not(refused))
    results = []
    for place, one in enumerate(body.reads):
        pk = brought.created.get(place) or brought.known.get(place)
        if pk and one.photograph:
            try:
                _keep(pk, base64.b64decode(one.photograph))
            except ValueError as error:
                errors.setdefault(place, []).append(WhyNot(field="photograph", detail=str(error)))
        results.append(
            Result(
                reader=one.reader,
                key=one.key,
                state="created" if place in brought.created else "known" if pk else "refused",
                id=pk,
                errors=errors.get(place, []),
            )
        )
    return Done(FieldReadsOut(results=results), f"field_reads:{request.auth.pk}", topics=("cycle",))


@router.post(
    "/field-reads/{pk}/photograph", response={204: None}, auth=HANDHELD, summary="Bring its photograph"
)
@writes("field_reads.photograph_brought")
def bring_photograph(
    request: ApiRequest, pk: Id, photograph: File[UploadedFile], idempotency_key: Key
) -> Done:
    """As a file, `multipart/form-data`, 20 MB at most: for who would rather not send it in base64. The same again is no fault."""
    found = FieldRead.objects.filter(pk=pk).first()
    if found is None:
        raise Problem(404, "not-found", f"there is no field read {pk}", title="Not found")
    if (photograph.size or 0) > FILE_LARGEST:
        raise Problem(413, "too-large", f"make it smaller than {FILE_LARGEST} bytes", field="photograph")
    with refusing("photograph"):
        _keep(found.pk, photograph.read())
    return Done(None, str(found), status=204, topics=("cycle",))


def _why_not(refused: Refused) -> WhyNot:
    return WhyNot(field=refused.field, detail=f"{refused.problem}; {refused.mend}")


def _keep(pk: int, data: bytes) -> None:
    """Raises ValueError: it is no photograph, or the visit has another one."""
    check_photograph(data)
    sha256, _ = evidence.keep([data], limit=FILE_LARGEST)
    FieldRead.objects.get(pk=pk).keep_photograph(sha256)
