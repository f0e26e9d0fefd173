"""A house in Muscat with a meter and a year of readings, and an eye that sees what the test says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rasd.metering.models import Cycle, Photograph, ServicePoint, Submission
from rasd.metering.models import photographs as photographs_module
from rasd.vision import PhotoReading
from tests.metering.house import NOON, SALMA, Eye, give_history, make_house


@pytest.fixture
def eye(monkeypatch: pytest.MonkeyPatch) -> Eye:
    made_up = Eye()
    monkeypatch.setattr(photographs_module, "read_photograph", made_up)
    return made_up


@pytest.fixture
def house() -> ServicePoint:
    """5 digits, at 4000 on 20 October 2026, using 300 a month."""
    point = make_house()
    give_history(point)
    return point


@pytest.fixture
def november() -> Cycle:
    return Cycle.open("2026-11", at=datetime(2026, 11, 1, tzinfo=UTC), actor="user:test")


@pytest.fixture
def send(eye: Eye) -> Callable[..., Submission]:
    """A customer sends photographs of which the eye says ``sights``; each is read and the whole is identified."""
    sent = iter(range(1_000_000))

    def send(
        point: ServicePoint | None,
        *sights: PhotoReading | Exception,
        at: datetime = NOON,
        identifier: str = SALMA,
        conversation: str = "conversation:1",
    ) -> Submission:
        for index, sight in enumerate(sights):
            number = next(sent)
            submission, photograph = Submission.from_photograph(
                identifier=identifier,
                origin=f"whatsapp:wamid.{number}",
                sha256=eye.shows(f"picture {number}".encode(), sight),
                sent_at=at + timedelta(seconds=index),
                received_at=at + timedelta(seconds=index + 2),
                conversation=conversation,
            )
            if point is not None:
                submission.identify(point, at)
            Photograph.objects.get(pk=photograph.pk).read(at)
        return Submission.objects.get(pk=submission.pk)

    return send


@pytest.fixture
def typed() -> Callable[..., Submission]:
    """A customer types a number."""
    sent = iter(range(1_000_000))

    def typed(point: ServicePoint | None, text: str, *, at: datetime = NOON) -> Submission:
        submission = Submission.from_number(
            identifier=SALMA,
            origin=f"whatsapp:typed.{next(sent)}",
            typed=text,
            sent_at=at,
            received_at=at,
            conversation="conversation:1",
        )
        if point is not None:
            submission.identify(point, at)
        return submission

    return typed
