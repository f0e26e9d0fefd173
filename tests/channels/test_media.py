"""Files that customers send: tried until the id dies, checked by content, and never at the message's cost."""

import io
import zipfile
from datetime import timedelta

import httpx
import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from rasd.channels import media as fetching
from rasd.channels import signals
from rasd.channels.models import Address, Incoming, Line, Media
from rasd.ledger import evidence
from tests.channels.doors import Cloud, breaks, refused, wrote

pytestmark = pytest.mark.django_db(transaction=True)

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 100
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 50


@pytest.fixture
def media(line: Line, address: Address) -> Media:
    incoming = wrote(line, address, timezone.now())
    return Media.objects.create(
        incoming=incoming,
        external_id="m1",
        declared_type="image/jpeg",
        gives_up_at=timezone.now() + timedelta(days=7),
    )


@pytest.fixture
def told():
    """What the two signals told: (name, inside a transaction)."""
    heard = []

    def stored(media, **_):
        heard.append(("stored", transaction.get_connection().in_atomic_block))

    def lost(media, **_):
        heard.append(("lost", transaction.get_connection().in_atomic_block))

    signals.media_stored.connect(stored)
    signals.media_lost.connect(lost)
    yield heard
    signals.media_stored.disconnect(stored)
    signals.media_lost.disconnect(lost)


def fresh(media: Media) -> Media:
    return Media.objects.get(pk=media.pk)


def test_it_is_kept_under_its_sha256_with_the_type_of_its_content(media, cloud: Cloud, told):
    cloud.files["m1"] = JPEG
    assert media.fetch() is None
    media = fresh(media)
    assert evidence.fetch(media.sha256) == JPEG
    assert (media.size, media.content_type, media.note, media.last_error) == (len(JPEG), "image/jpeg", "", "")
    assert media.stored_at is not None
    assert not media.is_wanted
    assert told == [("stored", True)]
    assert media.fetch() is None
    assert told == [("stored", True)]


@pytest.mark.parametrize(
    ("where", "trouble", "words"),
    [
        ("lookups", refused(131000, 500), "131000"),
        ("lookups", refused(100, 400), "100"),
        ("lookups", refused(190, 401), "190"),
        ("lookups", breaks(httpx.ConnectError), "ConnectError"),
        ("lookups", lambda request: httpx.Response(200, json={"id": "m1"}), "no address"),
        ("downloads", lambda request: httpx.Response(404, text="URL signature expired"), "expired"),
        ("downloads", lambda request: httpx.Response(500), "500"),
        ("downloads", breaks(httpx.ReadError), "ReadError"),
        ("downloads", lambda request: httpx.Response(200, content=JPEG[:20]), "20 bytes came"),
    ],
)
def test_a_failed_download_is_tried_again_and_costs_the_message_nothing(
    media, cloud: Cloud, told, where, trouble, words
):
    cloud.files["m1"] = JPEG
    getattr(cloud, where).append(trouble)
    back = media.fetch()
    assert timedelta(0) < back - timezone.now() <= timedelta(seconds=5)
    assert words in fresh(media).last_error
    assert (fresh(media).attempts, fresh(media).is_wanted) == (1, True)
    assert told == []
    assert Incoming.objects.filter(pk=media.incoming_id).exists()
    assert media.fetch() is None
    assert fresh(media).stored_at is not None
    assert fresh(media).last_error == ""


def test_waits_grow_to_an_hour(media, cloud: Cloud):
    Media.objects.update(attempts=30)
    assert media.fetch() - timezone.now() > timedelta(minutes=59)


def test_a_full_disk_of_ours_is_tried_again_too(media, cloud: Cloud, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    cloud.files["m1"] = JPEG
    monkeypatch.setattr(evidence, "keep", full)
    assert media.fetch() is not None
    assert "No space left" in fresh(media).last_error


def test_when_its_id_dies_it_is_lost_and_told_once(media, cloud: Cloud, told):
    Media.objects.update(gives_up_at=timezone.now() - timedelta(seconds=1), last_error="404")
    assert media.fetch() is None
    lost = fresh(media)
    assert lost.lost_at is not None
    assert "its id died" in lost.last_error
    assert "404" in lost.last_error
    assert media.fetch() is None
    assert told == [("lost", True)]
    assert not lost.is_quarantined


def test_a_file_larger_than_whatsapp_carries_is_lost_and_nothing_of_it_kept(media, cloud, told, monkeypatch):
    monkeypatch.setattr(fetching, "LARGEST", 50)
    cloud.files["m1"] = JPEG
    assert media.fetch() is None
    assert "too large" in fresh(media).last_error
    assert told == [("lost", True)]
    assert not default_storage.exists("evidence")


def test_a_type_that_is_not_the_declared_one_is_noted_and_the_content_believed(media, cloud, told):
    cloud.files["m1"] = PNG
    media.fetch()
    assert fresh(media).content_type == "image/png"
    assert fresh(media).note == "declared as image/jpeg, is image/png"
    assert told == [("stored", True)]


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "x" * 30_000)
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00", "image/jpeg"),
        (PNG, "image/png"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b"OggS\0\x02" + b"\0" * 22 + b"OpusHead", "audio/ogg"),
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0mp42isom", "audio/mp4"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp4\0\0\0\0isom", "video/3gpp"),
        ("القراءة ٠٤٥٢١\n".encode() * 2000, "text/plain"),
        (
            archive("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            archive("[Content_Types].xml", "xl/workbook.xml"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ],
)
def test_these_kinds_may_be_opened(media, cloud, told, content, kind):
    cloud.files["m1"] = content
    media.fetch()
    assert fresh(media).content_type == kind
    assert told == [("stored", True)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MZ\x90\0" + b"\0" * 60, "a program"),
        (b"\x7fELF\x02\x01\x01", "a program"),
        (b"#!/bin/sh\nrm -rf /", "a script"),
        (OLE, "old Office file"),
        (b"<!DOCTYPE html><script>alert(1)</script>", ".htm"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x"/>', ".svg"),
        (b"  \n<script>alert(1)</script>", "scripts"),
        (b"\x01\x02\x03\x04\x05\xff\xfe", "no known kind"),
        (archive("a.txt"), "an archive"),
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        (b"PK\x03\x04 damaged", "damaged archive"),
        (b"", "empty"),
    ],
)
def test_anything_else_is_kept_as_evidence_and_told_as_lost(media, cloud, told, content, words):
    cloud.files["m1"] = content
    assert media.fetch() is None
    quarantined = fresh(media)
    assert words in quarantined.last_error
    assert quarantined.is_quarantined
    assert evidence.fetch(quarantined.sha256) == content
    assert quarantined.stored_at is None
    assert told == [("lost", True)]
