"""Where an address leads, read so narrowly that no browser reads it otherwise. Pure, but for asking where a name leads.

Browsers mend what is written oddly (``https:example.org``, ``https://127.1``, ``https://good.org\\@evil.org``), and each mends
differently. A watch must know where it goes before it goes there: what is not written plainly is refused, with the mend.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

import idna

PORTS = {"http": 80, "https": 443}
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]*\]|[^/?#\[\]:@\\%]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
ODD = re.compile(r"^\s|[\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\s$")
"""Browsers drop or trim them, or people do not see them: control characters, spaces at the ends, marks of direction."""


class NotPlain(ValueError):
    """An address that may be read in two ways. The message says what is odd, and the mend."""


@dataclass(frozen=True)
class Place:
    """``host``: small letters, as it goes over the wire (``xn--…``; IPv6 in brackets). ``path``: its parts, unquoted."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """None: a name."""
        try:
            return ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return None

    def holds(self, other: "Place") -> bool:
        """Whether ``other`` is of the same origin, and at this path or below it."""
        return self.origin == other.origin and other.path[: len(self.path)] == self.path

    def __str__(self) -> str:
        return self.origin + "".join(f"/{part}" for part in self.path)


def place(url: str) -> Place:
    """Raises NotPlain."""
    if found := ODD.search(re.split("[?#]", url, maxsplit=1)[0]):
        raise NotPlain(f"{url!r} has U+{ord(found[0]):04X} in it: write it percent-encoded, or leave it out")
    match = ADDRESS.fullmatch(url)  # what is asked of a place with '?' leads to no other
    if match is None:
        raise NotPlain(f"{url!r} is not written plainly: https://host/path, without user name and backslash")
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else PORTS[scheme]
    if not 0 < port < 65536:
        raise NotPlain(f"{url!r}: there is no port {port}")
    return Place(scheme, host_of(match["host"]), port, _parts(match["path"] or ""))


def host_of(written: str) -> str:
    """A name, IPv4 address or IPv6 address in brackets, as it goes over the wire. Raises NotPlain."""
    if written.startswith("["):
        return _ipv6(written)
    try:
        host = written.lower() if written.isascii() else idna.encode(written, uts46=True).decode("ascii")
        for label in host.split("."):
            if label.startswith("xn--"):
                idna.decode(label)
    except (idna.IDNAError, UnicodeError) as error:
        raise NotPlain(f"{written!r} is no name of a host: {error}") from error
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.removesuffix(".").rpartition(".")[2]):
        return _ipv4(host)
    if host.endswith("."):
        raise NotPlain(f"{written!r} ends in a dot: browsers take that for another origin; leave it out")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in host.split(".")):
        raise NotPlain(f"{written!r} is no name of a host: letters, digits and hyphens between dots")
    return host


def _ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise NotPlain(
            f"{host!r} is an IP address in an odd form: four decimal numbers, as 127.0.0.1"
        ) from error


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host[1:-1])
    except ValueError as error:
        raise NotPlain(f"{host!r} is no IPv6 address: as [::1]") from error
    if address.ipv4_mapped:
        raise NotPlain(f"{host!r} hides an IPv4 address: write {address.ipv4_mapped}")
    return f"[{address}]"


def _parts(path: str) -> tuple[str, ...]:
    if "\\" in path:
        raise NotPlain(f"{path!r} has a backslash, which browsers take for '/'")
    parts = path.split("/")[1:]
    if parts and not parts[-1]:
        parts.pop()
    for part in parts:
        told = part
        while (again := unquote(told)) != told:
            told = again
        if any(step in {".", ".."} for step in re.split(r"[/\\]", told)):
            raise NotPlain(f"{path!r} climbs with dots: write where it leads")
    return tuple(unquote(part) for part in parts)


Resolve = Callable[[str], Iterable[str]]


def addresses_of(host: str) -> list[str]:
    """The IP addresses of a name, as this machine knows them; none where nobody knows."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(sockaddr[0]) for *_, sockaddr in found]


def is_loopback(place: Place, resolve: Resolve = addresses_of) -> bool:
    """127.0.0.0/8, ::1, and ``localhost`` where it leads there and nowhere else. No other name is, wherever it leads today."""
    if place.ip:
        return place.ip.is_loopback
    return place.host == "localhost" and leads_home(place, resolve, all)


def leads_home(place: Place, resolve: Resolve, how: Callable[[Iterable[bool]], bool]) -> bool:
    """Whether any or all of the addresses of a name are of this machine itself. False where nobody knows it."""
    found = [ipaddress.ip_address(address.partition("%")[0]) for address in resolve(place.host)]
    return bool(found) and how(
        (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped else ip).is_loopback
        or ip.is_unspecified
        for ip in found
    )
