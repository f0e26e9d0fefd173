"""Files that pass through: kept in a temporary folder, under ids that die after 7 days, at addresses good for 5 minutes."""

import base64
import hashlib
import hmac
import secrets
import shutil
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from .clock import Clock

URL_SECONDS = 5 * 60  # Meta's OpenAPI v23.0, GET /{Media-ID}: "The URL is only valid for 5 minutes"
WEBHOOK_ID_SECONDS = 7 * 24 * 3600  # ids that came by webhook (design, "Facts to build on")
UPLOAD_ID_SECONDS = 30 * 24 * 3600  # ids of uploaded files; developers.facebook.com, "Media"

MB = 1024 * 1024
# Kinds of file and their largest size in bytes; developers.facebook.com, "Supported media types".
LIMITS: dict[str, tuple[int, frozenset[str]]] = {
    "image": (5 * MB, frozenset({"image/jpeg", "image/png"})),
    "audio": (
        16 * MB,
        frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"}),
    ),
    "video": (16 * MB, frozenset({"video/mp4", "video/3gpp"})),
    "sticker": (500 * 1024, frozenset({"image/webp"})),
    "document": (100 * MB, frozenset()),  # any
}
ACCEPTED = frozenset().union(*(kinds for _, kinds in LIMITS.values())) | {
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


def bare(mime_type: str) -> str:
    """``audio/ogg; codecs=opus`` -> ``audio/ogg``."""
    return mime_type.split(";")[0].strip().lower()


@dataclass(frozen=True)
class Media:
    """One file. ``sha256`` is raw (32 bytes): Meta writes it base64 in webhooks and hexadecimal when looked up."""

    id: str
    path: Path
    mime_type: str
    filename: str
    size: int
    sha256: bytes
    dies_at: float  # emulated Unix seconds
    phone_number_id: str

    @property
    def sha256_base64(self) -> str:
        return base64.b64encode(self.sha256).decode()


class MediaStore:
    """Equal bytes are kept once. The oldest ids go when there are more than ``kept``."""

    def __init__(self, clock: Clock, kept: int) -> None:
        self._clock = clock
        self._kept = kept
        self._key = secrets.token_bytes(32)
        self._folder = Path(tempfile.mkdtemp(prefix="rasd-emulator-"))
        self._by_id: OrderedDict[str, Media] = OrderedDict()

    def add(
        self, data: bytes, mime_type: str, *, filename: str = "", phone_number_id: str = "", seconds: float
    ) -> Media:
        """Keeps ``data`` under a new id that dies after ``seconds`` of emulated time."""
        sha256 = hashlib.sha256(data).digest()
        path = self._folder / sha256.hex()
        if not path.exists():
            path.write_bytes(data)
        media = Media(
            id=str(10**15 + secrets.randbelow(9 * 10**15)),
            path=path,
            mime_type=mime_type,
            filename=filename,
            size=len(data),
            sha256=sha256,
            dies_at=self._clock.now() + seconds,
            phone_number_id=phone_number_id,
        )
        self._by_id[media.id] = media
        while len(self._by_id) > self._kept:
            self.delete(next(iter(self._by_id)))
        return media

    def get(self, media_id: str) -> Media | None:
        """The file, or None where there is none or its id has died."""
        media = self._by_id.get(media_id)
        return media if media and media.dies_at > self._clock.now() else None

    def delete(self, media_id: str) -> None:
        media = self._by_id.pop(media_id)
        if all(other.path != media.path for other in self._by_id.values()):
            media.path.unlink(missing_ok=True)

    def url(self, media: Media, base_url: str) -> str:
        """An address good for ``URL_SECONDS`` from now, shaped as Meta's."""
        ext = int(self._clock.now()) + URL_SECONDS
        return f"{base_url}/whatsapp_business/attachments/?mid={media.id}&ext={ext}&hash={self._sign(media.id, ext)}"

    def opened(self, media_id: str, ext: str, signature: str) -> Media | None:
        """The file behind an address, or None where the address is made up or too old."""
        if not ext.isdigit() or not hmac.compare_digest(signature, self._sign(media_id, int(ext))):
            return None
        return self.get(media_id) if self._clock.now() <= int(ext) else None

    def close(self) -> None:
        """Removes the folder and everything in it."""
        self._by_id.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sign(self, media_id: str, ext: int) -> str:
        return hmac.new(self._key, f"{media_id}.{ext}".encode(), "sha256").hexdigest()[:32]
