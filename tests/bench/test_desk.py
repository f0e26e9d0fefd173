"""The big desk that is measured, small: what is filled is what a desk would have written, and each page that is timed opens."""

import random

import pytest
from bench.desk.filling import fill, is_filled
from bench.desk.pages import addresses
from bench.desk.size import SAID, Size
from bench.desk.timing import Times, ratio
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from rasd.desk.models import AccountMark, Message, Obligation
from rasd.ledger.models import verify

SMALL = Size(conversations=400, agents=8)


@pytest.fixture
def filled(transactional_db):
    fill(SMALL, lambda *_, **__: None)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_said, bench_name")


def test_a_desk_that_is_filled_is_one_that_worked_for_years(filled):
    assert is_filled(SMALL)
    assert Message.objects.count() == 400 * SAID
    assert Obligation.objects.open().count() == SMALL.owed == 67
    assert not Obligation.objects.in_nobodys_hands(timezone.now()).exists()
    assert verify() is None
    assert AccountMark.differs() == ""
    client = Client()
    client.force_login(User.objects.get(username="lead"))
    for name, address in addresses(SMALL, random.Random(1)).items():
        assert client.get(address).status_code == 200, name


def test_a_ratio_says_between_what_it_lies():
    ours, theirs = Times([10.0, 11.0, 12.0] * 10), Times([30.0, 33.0, 36.0] * 10)
    assert ratio(ours, theirs)["ratio"] == 3.0
    assert 2.5 <= ratio(ours, theirs)["from"] <= 3.0 <= ratio(ours, theirs)["to"] <= 3.6
    assert ours.row == {
        "calls": 30, "median": 11.0, "p95": 12.0, "quarter": 10.0, "three_quarters": 12.0, "worst": 12.0,
    }  # fmt: skip
