"""A real mail server of the test's own: aiosmtpd takes letters in, pymap holds them for IMAP, both on loopback."""

import asyncio
import imaplib
import socket
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from email.message import EmailMessage
from functools import partial
from typing import Any, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPService
from pysasl.hashing import BuiltinHash

from rasd.watch.watchfile import Mailbox

QUICK = BuiltinHash(rounds=1)  # of the password: a test logs in often
NAME, PASSWORD = "visitor", "an app password"


class PostOffice:
    """``taken``: letters that came in by SMTP. Those to visitor@ or visitor+ANYTHING@example.org lie in the mailbox."""

    def __init__(self, imap_port: int) -> None:
        self.imap_port = imap_port
        self.taken: list[tuple[Envelope, bytes]] = []
        self.replies: Callable[[bytes], EmailMessage | None] = lambda letter: None
        self.smtp = Controller(self, "127.0.0.1", 0, auth_require_tls=False, authenticator=self.knows)
        self.smtp.port = _free_port()

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(
            address=f"{NAME}@example.org",
            imap=f"imap+plain://{NAME}@127.0.0.1:{self.imap_port}",
            smtp=f"smtp+plain://{NAME}@127.0.0.1:{self.smtp.port}",
            password="{secret.mailbox}",
        )

    def knows(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        known = (data.login, data.password) == (NAME.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope, envelope.content))
        if reply := self.replies(envelope.content):
            await asyncio.to_thread(self.deliver, reply)
        return "250 OK"

    def deliver(self, letter: EmailMessage | bytes) -> None:
        """Puts it into the mailbox, as a mail server's delivery agent does."""
        with self.looked_into() as imap:
            raw = letter if isinstance(letter, bytes) else letter.as_bytes()
            status, data = imap.append("INBOX", "", "", raw)
            assert status == "OK", data

    @property
    def subjects(self) -> list[str]:
        """Of all that lies in the mailbox."""
        with self.looked_into() as imap:
            _, (uids,) = imap.search(None, "ALL")
            found = [
                imap.fetch(n, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1] for n in uids.decode().split()
            ]
        return [each.decode().partition(":")[2].strip() for each in found]

    @contextmanager
    def looked_into(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.imap_port) as imap:
            imap.login(NAME, PASSWORD)
            imap.select("INBOX")
            yield imap


Office = TypeVar("Office", bound=PostOffice)


@contextmanager
def opened(kind: type[Office] = PostOffice) -> Iterator[Office]:
    port, ready, begun = _free_port(), threading.Event(), []

    async def serve() -> None:
        args = _arguments(port)
        backend, config = await DictBackend.init(args, invalid_user_sleep=0.0, hash_context=QUICK)
        config.apply_context()
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            await IMAPService(backend, config).start(stack)
            over = asyncio.Event()
            begun.append(partial(asyncio.get_running_loop().call_soon_threadsafe, over.set))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    office = kind(port)
    office.smtp.start()
    try:
        yield office
    finally:
        office.smtp.stop()
        for end in begun:
            end()
        thread.join(10)


def _arguments(port: int) -> Any:
    parser = ArgumentParser()
    IMAPService.add_arguments(parser)
    DictBackend.add_subparser("dict", parser.add_subparsers(dest="backend"))
    parser.set_defaults(passlib_cfg=None, debug=False)
    words = ["--host", "127.0.0.1", "--port", str(port), "--no-tls"]
    return parser.parse_args([*words, "dict", "--demo-user", NAME, "--demo-password", PASSWORD])


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
