"""``rasd check``: what is wrong with this installation, and the mend beside it."""

import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from pydantic import SecretStr

from rasd.config.check import desk, disk, eyes, folder, port_free
from rasd.desk.models import Employee, Queue
from rasd.vision.eye import SHIPPED, Eye, write_manifest


def run_check(data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RASD_")}
    return subprocess.run(
        [sys.executable, "-c", "from rasd.cli import main; main()", "check", *arguments],
        env={**environment, "RASD_DATA_DIR": str(data_dir), "RASD_LOG_LEVEL": "ERROR", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_taken_port_is_named_with_how_to_find_who_has_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = port_free(taken.getsockname()[1])
    assert "ss -ltnp" in answer.mend


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path):
    tmp_path.chmod(0o500)
    assert "RASD_DATA_DIR" in folder(tmp_path / "data").mend


def test_a_file_in_the_folders_place(tmp_path: Path):
    (tmp_path / "data").write_text("")
    assert "RASD_DATA_DIR" in folder(tmp_path / "data").mend


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import rasd.config.check as module

    monkeypatch.setattr(module, "DISK_WANTED", 2**60)
    assert "larger disk" in disk(tmp_path).mend


def test_a_new_installation_lacks_its_secrets_and_tables(tmp_path_factory: pytest.TempPathFactory):
    checked = run_check(tmp_path_factory.mktemp("check") / "data", "--port", "8895")
    assert checked.returncode == 1
    assert "RASD_WHATSAPP_APP_SECRET" in checked.stdout
    assert "run rasd migrate" in checked.stdout
    assert "✓ port: 8895 is free" in checked.stdout


def test_a_database_that_is_not_there(tmp_path: Path):
    checked = run_check(tmp_path, RASD_DATABASE_URL="postgresql://nobody:x@127.0.0.1:9/none")
    assert checked.returncode == 1
    assert "see that the server runs" in checked.stdout


def test_a_misspelt_setting_is_named(tmp_path: Path):
    checked = run_check(tmp_path, RASD_TIME_ZONE="Asia/Muscatt")
    assert checked.returncode == 1
    assert "Asia/Muscat" in checked.stdout


def an_eye(folder: Path, name: str = "other-eye") -> Path:
    shutil.copytree(SHIPPED, folder)
    write_manifest(folder, name=name, version="2")
    return folder


def test_the_eyes_are_named_with_their_checksums(tmp_path: Path):
    service, shadow = eyes("", str(an_eye(tmp_path / "eye")))
    assert (service.mend, shadow.mend) == ("", "")
    assert Eye.shipped().name in service.found
    assert "other-eye" in shadow.found


WRONG_EYES = {
    "no such folder": (lambda folder: shutil.rmtree(folder), "No such file"),
    "a file missing": (lambda folder: (folder / "strip_reader.onnx").unlink(), "strip_reader.onnx"),
    "a wrong checksum": (lambda folder: (folder / "calibration.json").write_text("{}"), "has SHA-256"),
    "an unknown format": (
        lambda folder: (folder / "manifest.json").write_text('{"name": "x", "format": 99}'),
        "format 99",
    ),
    "the name of the one in service": (
        lambda folder: write_manifest(folder, name=Eye.shipped().name, version="2"),
        "a name of its own",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG_EYES.values(), ids=WRONG_EYES.keys())
def test_what_is_wrong_with_an_eye_is_told_with_the_mend(tmp_path: Path, spoil, words: str):
    folder = an_eye(tmp_path / "eye")
    spoil(folder)
    service, shadow = eyes("", str(folder))
    assert not service.mend
    assert words in shadow.found
    assert "RASD_SHADOW_EYE" in shadow.mend


def test_a_broken_eye_in_service_is_told_and_nothing_more(tmp_path: Path):
    (service,) = eyes(str(tmp_path / "none"), str(tmp_path / "other"))
    assert "RASD_EYE" in service.mend


def mail_told(settings_of_mail: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    from rasd.config.options import options

    monkeypatch.setattr(options, "email_url", SecretStr(settings_of_mail))
    return [(each.found, each.mend) for each in desk() if each.what == "e-mail"]


@pytest.mark.django_db
def test_a_role_that_is_told_by_email_and_has_nobody_at_work_is_named(monkeypatch: pytest.MonkeyPatch):
    Queue.objects.create(name="Questions", answer_within=timedelta(minutes=30))  # with the usual steps
    server = "smtp://mail.example.om"
    ((found, mend),) = mail_told(server, monkeypatch)
    assert "nobody at work is in supervisor" in found
    assert "/admin/" in mend
    lead = User.objects.create_user("lead")
    lead.groups.add(Group.objects.get(name="supervisor"))
    assert mail_told(server, monkeypatch)[0][0] == "no address: lead"
    User.objects.update(email="lead@utility.example")
    assert mail_told(server, monkeypatch) == [("escalations are sent", "")]
    Employee.objects.create(user=lead, left_at=timezone.now())
    assert "nobody at work" in mail_told(server, monkeypatch)[0][0]
