"""What a file is, by its content. What its sender calls it is noted where it differs and otherwise not used.

What may be opened: photographs, PDF, Office files without macros, sound, film, plain text. Everything else, programs, pages with
scripts (HTML, SVG), archives and old Office files (whose macros cannot be told from harmless parts) included, is kept as
evidence and never handed to anything that opens it.
"""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import puremagic

HEAD = 16 * 1024  # bytes at the start by which kinds are told apart

# by the extension that puremagic gives, as its media types are not filled in for all
ALLOWED = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".pdf": "application/pdf",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".aac": "audio/aac",
    ".amr": "audio/amr",
    ".mp4": "video/mp4",
    ".3gp": "video/3gpp",
    ".3ga": "video/3gpp",
}
# by the brand of an ISO media file (ISO/IEC 14496-12), which puremagic takes for films
PICTURES = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
}
DANGEROUS = {
    ".exe", ".dll", ".scr", ".ocx", ".sys", ".com", ".msi", ".elf", ".so", ".appimage", ".class", ".jar", ".apk", ".dex",
    ".html", ".htm", ".svg", ".xml", ".xhtml", ".js", ".vbs", ".ps1", ".sh", ".bat", ".swf", ".lnk", ".chm", ".hta",
    ".doc", ".xls", ".ppt",
}  # fmt: skip
OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Verdict:
    """``content_type`` is "" where the content is of no known kind; ``refusal`` says why nobody may open it, or is ""."""

    content_type: str
    refusal: str = ""


class Head:
    """Lets chunks through and keeps the first :data:`HEAD` bytes of them."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.bytes = b""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if len(self.bytes) < HEAD:
                self.bytes += chunk[: HEAD - len(self.bytes)]
            yield chunk


def examine(head: bytes, stored: IO[bytes]) -> Verdict:
    """Tell what a file is.

    Args:
        head: its first bytes, :data:`HEAD` at most.
        stored: the whole file, seekable; read only where it is a ZIP archive.
    """
    if not head:
        return Verdict("", "the file is empty")
    if head.startswith(PROGRAMS) and not head.startswith(b"#!AMR"):
        return Verdict("application/octet-stream", "a program, a script or an old Office file")
    if head.startswith(b"PK\x03\x04"):
        return _archive(stored)
    if head[4:8] == b"ftyp" and head[8:12] in PICTURES:
        return Verdict(PICTURES[head[8:12]])
    extensions = _extensions(head)
    if dangerous := DANGEROUS.intersection(extensions):
        return Verdict("application/octet-stream", f"a file of the kind {min(dangerous)}")
    if known := next((ALLOWED[e] for e in extensions if e in ALLOWED), None):
        return Verdict(known)
    return _text(head)


def _extensions(head: bytes) -> list[str]:
    """Best guess first."""
    try:
        return [guess.extension.lower() for guess in puremagic.magic_string(head)]
    except (puremagic.PureError, ValueError):
        return []


def _archive(stored: IO[bytes]) -> Verdict:
    try:
        names = zipfile.ZipFile(stored).namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Verdict("application/zip", "a damaged archive")
    kind = next((kind for folder, kind in OFFICE.items() if any(n.startswith(folder) for n in names)), None)
    if kind is None or "[Content_Types].xml" not in names:
        return Verdict("application/zip", "an archive")
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js")) for name in names):
        return Verdict(kind, "an Office file with macros")
    return Verdict(kind)


def _text(head: bytes) -> Verdict:
    try:
        # A letter of several bytes may be cut at the end of the head.
        text = head.decode() if len(head) < HEAD else head[:-4].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return Verdict("", "of no known kind")
    if "\0" in text or text.lstrip("\ufeff \t\r\n").startswith("<"):
        return Verdict("", "of no known kind, or a page with scripts")
    return Verdict("text/plain")
