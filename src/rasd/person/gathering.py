"""A person's data as a ZIP file that he can read himself, and that a program can: for him, so in his language."""

import hashlib
import json
import mimetypes
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import get_valid_filename

from rasd.ledger import evidence
from rasd.ledger.models import actor_of
from rasd.person.models import Export, step
from rasd.person.whole import Person, row

CHUNK = 1024 * 1024  # bytes


class Archive:
    """The file while it is written; notes the size and SHA-256 of all that goes in."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.files: dict[str, dict[str, Any]] = {}

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as inside:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                inside.write(chunk)
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def json(self, name: str, told: Any) -> None:
        text = json.dumps(told, cls=_Encoder, ensure_ascii=False, indent=1)
        self.write(name, [text.encode()])

    def close(self, **about: Any) -> None:
        told = json.dumps({**about, "files": self.files}, cls=_Encoder, ensure_ascii=False, indent=1)
        self._zip.writestr("manifest.json", told)
        self._zip.close()


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return bytes(o).hex() if isinstance(o, bytes | memoryview) else super().default(o)


def write(
    person: Person,
    file: IO[bytes],
    *,
    at: datetime,
    by: str,
    on_part: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, Any]]:
    """All that is known of ``person`` as a ZIP file.

    Args:
        by: who makes it, as in the ledger; stands in the manifest.
        on_part: called after each of :func:`parts_of`, for progress.

    Returns:
        The manifest's files: name → size in bytes and SHA-256.
    """
    archive = Archive(file)
    for name, rows in _tables(person).items():
        archive.json(f"{name}.json", rows())
        on_part()
    files = _write_files(person, archive, on_part)
    archive.json("messages.json", _messages(person, files))
    with translation.override(language_of(person)):
        page = render_to_string("person/messages.html", _page(person, files, at))
    archive.write("messages.html", [page.encode()])
    on_part()
    archive.close(contact=str(person), made_at=at, made_by=by)
    return archive.files


def parts_of(person: Person) -> int:
    """How often ``on_part`` is called."""
    return len(_tables(person)) + len(person.files()) + 1


def language_of(person: Person) -> str:
    last = person.conversations.order_by("-last_message_at").first()
    return last.language if last else "ar"


def make(export: Export, at: datetime) -> None:
    """See :meth:`Export.make`."""
    if export.ready_at is not None or export.gone_at is not None:
        return
    person = Person(export.contact.kept)
    Export.objects.filter(pk=export.pk).update(done=0, total=parts_of(person))
    with tempfile.TemporaryFile() as draft:
        write(person, draft, at=at, by=actor_of(export.by), on_part=lambda: step(export))
        size, digest = draft.tell(), hashlib.sha256()
        draft.seek(0)
        while chunk := draft.read(CHUNK):
            digest.update(chunk)
        draft.seek(0)
        default_storage.delete(export.path)  # of a try that a crash ended
        default_storage.save(export.path, File(draft))
    Export.objects.filter(pk=export.pk).update(ready_at=at, size=size, sha256=digest.hexdigest())


def _tables(person: Person) -> dict[str, Callable[[], Any]]:
    def rows(found: Any) -> Callable[[], Any]:
        return lambda: [row(one) for one in found.order_by("pk")]

    return {
        "person": lambda: {
            "contacts": [row(each) for each in person.contacts],
            "addresses": [row(each) for each in person.addresses],
            "identifiers": person.identifiers,
        },
        "conversations": rows(person.conversations),
        "held_answers": rows(person.held_answers),
        "drafts": rows(person.drafts),
        "cases": lambda: [
            {
                **row(case),
                "history": [row(each) for each in case.entries.order_by("at", "pk")],
                "ratings": [row(each) for each in case.ratings.order_by("pk")],
            }
            for case in person.cases.order_by("pk")
        ],
        "obligations": rows(person.obligations),
        "breaches": rows(person.breaches),
        "submissions": lambda: [
            {
                **row(one),
                "photographs": [row(each) for each in one.photographs.order_by("pk")],
                "judgements": [row(each) for each in one.judgements.order_by("pk")],
                "reviews": [row(each) for each in one.reviews.order_by("pk")],
                "readings": [row(each) for each in one.readings.order_by("pk")],
            }
            for one in person.submissions.order_by("pk")
        ],
        "adoptions": rows(person.adoptions),
        "consents": lambda: {
            "may_send_readings_for": [
                {**row(each), "account_number": each.account.number}
                for each in person.accounts.select_related("account")
            ],
            "tries_to_prove_an_account": [row(each) for each in person.identity_attempts.order_by("pk")],
            "wants_no_reminders": [row(each) for each in person.opt_outs.order_by("pk")],
        },
        "ledger": lambda: [
            {**each.payload, "hash": bytes(each.hash).hex(), "erased_by": each.erased_by}
            for each in person.entries
        ],
    }


def _write_files(person: Person, archive: Archive, on_part: Callable[[], object]) -> dict[str, str]:
    """Each under a name that says what it is; SHA-256 → that name, or nothing where the file is not there any more."""
    told = {each.sha256: (each.file_name, each.content_type) for each in person.media.exclude(sha256="")}
    written: dict[str, str] = {}
    for sha256 in sorted(person.files()):
        file_name, content_type = told.get(sha256, ("", ""))
        ending = mimetypes.guess_extension(content_type or "") or ""
        plain = get_valid_filename(file_name)[-60:] if file_name.strip(". /\\") else f"file{ending}"
        name = f"files/{sha256[:12]}-{plain}"
        try:
            with default_storage.open(evidence.path_of(sha256)) as stored:
                archive.write(name, iter(partial(stored.read, CHUNK), b""))
            written[sha256] = name
        except FileNotFoundError:
            written[sha256] = ""
        on_part()
    return written


def _messages(person: Person, files: dict[str, str]) -> list[dict[str, Any]]:
    found = person.messages.select_related("incoming__media", "outgoing", "author", "conversation__line")
    return [
        {
            "message": row(one),
            "line": one.conversation.line.name,
            "author": one.author.get_full_name() if one.author else None,
            "received": row(one.incoming) if one.incoming else None,
            "sent": row(one.outgoing) if one.outgoing else None,
            "file": files.get(_sha256(one), ""),
        }
        for one in found.order_by("at", "pk")
    ]


def _sha256(message: Any) -> str:
    media = getattr(message.incoming, "media", None) if message.incoming else None
    sent = message.outgoing.content if message.outgoing else {}
    return media.sha256 if media else str(sent.get("sha256") or sent.get("picture") or "")


def _page(person: Person, files: dict[str, str], at: datetime) -> dict[str, Any]:
    found = person.messages.select_related("incoming__media", "outgoing", "author", "conversation__line")
    lines = [
        {
            "message": one,
            "text": one.note or (one.outgoing or one.incoming).text,  # type: ignore[union-attr]
            "file": files.get(_sha256(one), ""),
            "is_picture": files.get(_sha256(one), "")
            .lower()
            .endswith((".jpg", ".jpeg", ".png", ".webp", ".gif")),
        }
        for one in found.order_by("at", "pk")
    ]
    return {"person": person, "lines": lines, "cases": person.cases.order_by("opened_at"), "made_at": at}
