"""Addresses live 5 minutes, ids that came by webhook 7 days, and the token opens both."""

import base64
import hashlib

import httpx
import pytest

from rasd.channels.whatsapp.emulator.client import Emulator
from rasd.channels.whatsapp.emulator.settings import DEFAULT_TOKEN

from .conftest import Webhook

BEARER = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}


@pytest.fixture
def image(emulator: Emulator, webhook: Webhook, photo: bytes) -> dict:
    """The ``image`` part of the webhook of a photograph just sent."""
    emulator.phone("96890000001").send_photo(photo)
    return dict(webhook.message()["image"])


def look_up(emulator: Emulator, image: dict) -> httpx.Response:
    return httpx.get(f"{emulator.url}/v23.0/{image['id']}", headers=BEARER)


def test_the_webhook_gives_the_hash_in_base64_and_the_look_up_in_hexadecimal(
    emulator: Emulator, image: dict, photo: bytes
) -> None:
    sha256 = hashlib.sha256(photo)
    assert image["sha256"] == base64.b64encode(sha256.digest()).decode()
    assert look_up(emulator, image).json()["sha256"] == sha256.hexdigest()


def test_an_address_needs_the_token(emulator: Emulator, image: dict) -> None:
    assert httpx.get(look_up(emulator, image).json()["url"]).status_code == 401


def test_an_address_is_good_for_5_minutes(emulator: Emulator, image: dict, photo: bytes) -> None:
    url = look_up(emulator, image).json()["url"]
    emulator.advance(290)
    assert httpx.get(url, headers=BEARER).content == photo
    emulator.advance(20)
    assert httpx.get(url, headers=BEARER).status_code == 404
    assert httpx.get(look_up(emulator, image).json()["url"], headers=BEARER).content == photo


def test_an_id_lives_7_days(emulator: Emulator, image: dict) -> None:
    emulator.advance(7 * 24 * 3600 - 60)
    assert look_up(emulator, image).status_code == 200
    emulator.advance(120)
    assert look_up(emulator, image).status_code == 400


def test_a_changed_address_opens_nothing(emulator: Emulator, image: dict) -> None:
    url = look_up(emulator, image).json()["url"].replace("&ext=", "&ext=9")
    assert httpx.get(url, headers=BEARER).status_code == 404


def test_a_deleted_file_is_gone(emulator: Emulator, image: dict) -> None:
    assert httpx.delete(f"{emulator.url}/v23.0/{image['id']}", headers=BEARER).json() == {"success": True}
    assert look_up(emulator, image).status_code == 400


def test_downloads_fail_as_often_as_they_are_told_to(emulator: Emulator, image: dict) -> None:
    emulator.faults(media_failures=2, media_status=404)
    url = look_up(emulator, image).json()["url"]
    assert [httpx.get(url, headers=BEARER).status_code for _ in range(3)] == [404, 404, 200]
    emulator.faults(media_failures=-1, media_status=500)
    assert [httpx.get(url, headers=BEARER).status_code for _ in range(3)] == [500, 500, 500]


def test_looking_up_fails_as_often_as_it_is_told_to(emulator: Emulator, image: dict) -> None:
    emulator.faults(media_lookup_failures=1)
    assert [look_up(emulator, image).status_code for _ in range(2)] == [500, 200]
