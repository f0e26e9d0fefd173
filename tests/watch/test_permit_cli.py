"""``rasd watch permit`` as an owner and an operator use it."""

from pathlib import Path

from click.testing import CliRunner, Result

from rasd.watch.cli import check
from rasd.watch.permit_cli import permit

STATEMENT = """\
service: A desk
granted_by: its head
asked_by: the quality office
call: its duty desk
begins: 2026-01-01T00:00:00+04:00
ends: {ends}-01-01T00:00:00+04:00
origins: [https://192.0.2.7/help]
visits_a_day: 12
"""
JOURNEY = """\
journey: {name}
title: He looks
target: {name}
who: {{patience: 1m}}
steps: [open: /]
done: [see: Help]
"""


def rasd(*arguments: object) -> Result:
    return CliRunner().invoke(permit, [str(each) for each in arguments])


def test_the_owner_makes_a_key_and_signs_and_the_operator_reads_what_is_permitted(tmp_path: Path) -> None:
    key, statement, signed = tmp_path / "key.pem", tmp_path / "statement.yaml", tmp_path / "signed.yaml"
    statement.write_text(STATEMENT.format(ends=2200))
    made = rasd("new-key", key)
    public = made.stdout.strip()
    assert key.stat().st_mode & 0o777 == 0o600
    assert rasd("new-key", key).exit_code == 2  # a key is never overwritten
    signed.write_text(rasd("sign", statement, "--key", key).stdout)
    shown = rasd("show", signed, "--key", public)
    assert shown.exit_code == 0
    assert "12" in shown.stdout
    assert "yes https://192.0.2.7/help" in shown.stdout
    refused = rasd("show", signed, "--key", public, "--url", "https://192.0.2.7/admin")
    assert refused.exit_code == 1
    assert "does not cover https://192.0.2.7/admin" in refused.stdout
    stranger = rasd("new-key", tmp_path / "another.pem").stdout.strip()
    assert rasd("show", signed, "--key", stranger).exit_code == 1
    signed.write_text(signed.read_text().replace("12", "120"))
    forged = rasd("show", signed, "--key", public)
    assert forged.exit_code == 1
    assert "changed after it was signed" in forged.stderr


def test_a_permission_that_is_over_or_says_too_little_is_told_with_the_reason(tmp_path: Path) -> None:
    key, statement, signed = tmp_path / "key.pem", tmp_path / "statement.yaml", tmp_path / "signed.yaml"
    rasd("new-key", key)
    statement.write_text(STATEMENT.format(ends="2026-01-01T00:00:01+04:00 #"))
    signed.write_text(rasd("sign", statement, "--key", key).stdout)
    over = rasd("show", signed)
    assert over.exit_code == 1
    assert "ended at 2026-01-01T00:00:01+04:00" in over.stderr
    statement.write_text("service: A desk\n")
    little = rasd("sign", statement, "--key", key)
    assert little.exit_code == 2
    assert "'ends' is missing" in little.stderr
    assert rasd("sign", statement, "--key", statement).exit_code == 2


def test_g13_check_tells_beforehand_of_targets_to_which_no_visit_would_be_paid(tmp_path: Path) -> None:
    rasd("new-key", tmp_path / "key.pem")
    statement = tmp_path / "statement.txt"
    for name, ends in [("good", "2200"), ("over", "2026-01-01T00:00:01+04:00 #")]:
        statement.write_text(STATEMENT.format(ends=ends))
        (tmp_path / f"{name}.txt").write_text(rasd("sign", statement, "--key", tmp_path / "key.pem").stdout)
    (tmp_path / "forged.txt").write_text((tmp_path / "good.txt").read_text().replace("12", "120"))
    text = "targets:\n"
    for name in ("none", "good", "over", "forged", "lost"):
        (tmp_path / f"{name}.yaml").write_text(JOURNEY.format(name=name))
        text += f"  {name}:\n    title: A\n    url: https://192.0.2.7/help\n    journeys: [{name}.yaml]\n    visits_a_day: 12\n"
        text += "" if name == "none" else f"    permission: {name}.txt\n"
    (tmp_path / "watch.yaml").write_text(text)
    told = CliRunner().invoke(check, [str(tmp_path / "watch.yaml")])
    assert told.exit_code == 2
    said = [line.partition("watch.yaml:")[2].partition(" (")[0] for line in told.stderr.splitlines()]
    assert said == [
        "2:3: https://192.0.2.7/help is not on loopback, and nobody's permission is there",
        "18:5: the permission ended at 2026-01-01T00:00:01+04:00: ask for another",
        "24:5: forged.txt: the signature does not fit: it was changed after it was signed",
        "30:5: lost.txt: cannot be read: No such file or directory",
    ]
