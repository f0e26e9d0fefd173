"""The embedded PostgreSQL: started once, shared, survives whatever is killed, stops when the last has left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rasd.config.embedded import EmbeddedPostgres, EmbeddedPostgresError


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded") / "postgres"
    yield folder
    EmbeddedPostgres(folder).stop()


def count_of_connections(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'rasd'").fetchone()
        return int(row[0]) if row else 0


def another_process(folder: Path) -> subprocess.Popen[str]:
    """One that holds the server until it is ended; it has written a line once it does."""
    code = (
        "import sys, time; from pathlib import Path; from rasd.config.embedded import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(Path({str(folder)!r})); server.hold(); print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_it_starts_from_nothing_and_stops_when_the_last_has_left(folder: Path):
    server = EmbeddedPostgres(folder)
    with server.held() as url:
        assert count_of_connections(url) == 1
    assert not server.is_running()


def test_two_processes_share_one_server_and_the_last_to_leave_stops_it(folder: Path):
    other = another_process(folder)
    try:
        server = EmbeddedPostgres(folder)
        with server.held():
            pid = server.postmaster_pid()
        assert server.is_running(), "the other process still holds it"
        assert server.postmaster_pid() == pid
    finally:
        other.kill()
        other.wait()
    with server.held():
        assert server.postmaster_pid() == pid, "a killed holder leaves the server as it was"
    assert not server.is_running(), "a killed holder is not counted any more"


def test_many_processes_starting_at_once_start_one_server(folder: Path):
    others = [another_process(folder) for _ in range(3)]
    try:
        assert EmbeddedPostgres(folder).is_running()
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_what_was_committed_survives_a_killed_server(folder: Path):
    server = EmbeddedPostgres(folder)
    with server.held() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        pid = server.postmaster_pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        server.ensure_running()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (42,)


def test_a_server_that_was_killed_and_started_again_is_stopped_by_the_last_to_leave(folder: Path):
    server = EmbeddedPostgres(folder)
    other = another_process(folder)
    try:
        server.hold()
        pid = server.postmaster_pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        server.ensure_running()
    finally:
        other.kill()
        other.wait()
    server.release()
    assert not server.is_running()
    assert server.postmaster_pid() is None


def test_asking_whether_it_runs_leaves_no_trace_in_its_log(folder: Path):
    server = EmbeddedPostgres(folder)
    with server.held():
        before = server.log.read_text()
        assert server.is_running()
        assert server.is_running()
        assert server.log.read_text() == before


def test_a_log_grown_large_is_put_aside_at_the_next_start(folder: Path, monkeypatch: pytest.MonkeyPatch):
    server = EmbeddedPostgres(folder)
    with server.held():
        pass
    monkeypatch.setattr("rasd.config.embedded.LOG_LIMIT", 10)
    with server.held():
        assert server.log.with_name("server.log.1").exists()


def test_data_of_another_major_version_is_named_with_the_way_out(folder: Path):
    data = EmbeddedPostgres(folder).data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 14 .* dump it with PostgreSQL 14"):
        EmbeddedPostgres(folder).ensure_running()


def test_it_is_not_wiped_under_another_process(folder: Path):
    other = another_process(folder)
    try:
        with pytest.raises(EmbeddedPostgresError, match="another process uses"):
            EmbeddedPostgres(folder).wipe()
        assert EmbeddedPostgres(folder).is_running()
    finally:
        other.kill()
        other.wait()
    EmbeddedPostgres(folder).wipe()
    assert not folder.exists()


def test_a_path_too_long_for_a_socket_is_no_trouble(tmp_path: Path):
    folder = tmp_path / ("d" * 60) / ("e" * 60) / "postgres"
    server = EmbeddedPostgres(folder)
    with server.held() as url:
        assert count_of_connections(url) == 1
        assert len(str(server.socket_folder)) < len(str(folder))


def test_a_failed_start_shows_the_servers_own_words(folder: Path):
    server = EmbeddedPostgres(folder)
    with server.held():
        pass
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = on\n")
    import rasd.config.embedded as module

    patience, module.START_TIMEOUT = module.START_TIMEOUT, 1
    try:
        with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
            server.ensure_running()
    finally:
        module.START_TIMEOUT = patience
