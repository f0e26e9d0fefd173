"""G12: an exported period can be verified by anyone with the file and the head that was published, and by nobody's leave."""

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.ledger import cli
from rasd.ledger.chain import GENESIS, canonical, payload_hash, seal
from rasd.ledger.export import NotProven, lines, prove
from rasd.ledger.models import Entry, head, record

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def write(count: int, facts: dict | None = None) -> None:
    for number in range(count):
        record(
            "user:salma",
            "obligation.given",
            f"obligation:{number}",
            at=NOON + timedelta(days=number),
            why="الصورة واضحة" if number % 2 else 'said "yes"\n',
            facts=facts or {"owner": "ناصر", "spent": 12.5, "case": None},
        )


def hash_of(number: int) -> str:
    return bytes(Entry.objects.get(number=number).hash).hex()


@pytest.fixture
def file(db) -> list[str]:
    write(6)
    return list(lines(2, 5))


def proven(file: list[str], **what: str) -> int | None:
    return prove(iter(file), **what).proven_upto


def test_g12_an_untouched_file_is_proven_up_to_the_published_head(file):
    proof = prove(file, head=hash_of(5), before=hash_of(1))
    assert (proof.first, proof.last, proof.proven_upto, proof.front_is_proven) == (2, 5, 5, True)
    assert proof.head == hash_of(5)
    assert proof.first_at.startswith("2026-11-22T12:00:00")


def test_g12_a_head_published_within_the_period_proves_what_came_before_it_and_says_so(file):
    assert proven(file, head=hash_of(4)) == 4


def test_g12_without_a_published_head_nothing_is_proven(file):
    assert proven(file) is None


def test_g12_the_head_of_another_ledger_or_of_a_later_entry_proves_nothing(file):
    for head_ in (hash_of(6), hash_of(1), "ab" * 32):
        with pytest.raises(NotProven, match="none of the entries 2 to 5 has the published hash"):
            prove(file, head=head_)


def test_g12_a_file_that_begins_later_than_the_period_is_found_by_the_hash_before_it(file):
    with pytest.raises(NotProven, match="begins after"):
        prove(list(lines(3, 5)), head=hash_of(5), before=hash_of(1))


def replaced(file: list[str], place: int, **change: object) -> list[str]:
    entry = json.loads(file[place]) | change
    return [*file[:place], canonical(entry).decode() + "\n", *file[place + 1 :]]


def with_another_reason(line: str, previous: bytes, *, only: int | None = None) -> tuple[str, bytes]:
    """As somebody would write it who knows how: sealed and hashed anew."""
    entry = json.loads(line)
    del entry["hash"]
    opened = entry.pop("open")
    if only in (None, entry["number"]):
        opened["why"][1] = "another reason"
        entry["why"] = {"sealed": seal(bytes.fromhex(opened["why"][0]), "another reason")}
    made = payload_hash(previous, entry)
    return canonical(entry | {"hash": made.hex(), "open": opened}).decode() + "\n", made


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"why": "another reason"}, "changed"),
        ({"actor": "user:nobody"}, "changed"),
        ({"action": "obligation.waived"}, "changed"),
        ({"subject": "obligation:77"}, "changed"),
        ({"at": "2026-11-22T12:00:00.000001+00:00"}, "changed"),
        ({"facts": {"owner": "huda"}}, "changed"),
        ({"hash": "00" * 32}, "changed"),
        ({"hash": "no hash"}, "not an entry"),
        ({"number": 9}, "entry 3 should stand here"),
        ({"more": 1}, "not an entry"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_g12_a_changed_entry_is_found_out(file, change, what):
    with pytest.raises(NotProven, match=what):
        prove(replaced(file, 2, **change), head=hash_of(5))


def test_g12_an_entry_cut_out_is_found_out(file):
    with pytest.raises(NotProven, match="entry 3 should stand here, not 4"):
        prove([*file[:2], *file[3:]])


def test_g12_entries_cut_off_at_the_end_are_found_out(file):
    with pytest.raises(NotProven, match="without its last line"):
        prove(file[:-1])
    with pytest.raises(NotProven, match="does not fit"):
        prove([*file[:-2], file[-1]])
    shorter = list(lines(2, 4))  # and its last line written anew
    with pytest.raises(NotProven, match="none of the entries"):
        prove(shorter, head=hash_of(5))


def test_g12_entries_cut_off_in_front_are_found_out(file):
    with pytest.raises(NotProven, match="entry 2 should stand here"):
        prove([file[0], *file[2:]])


def test_g12_an_inserted_entry_is_found_out_also_with_its_hash_made(file):
    put_in, _hash = with_another_reason(file[2], bytes.fromhex(json.loads(file[1])["hash"]))
    with pytest.raises(NotProven, match="entry 4 should stand here, not 3"):
        prove([*file[:2], put_in, *file[2:]])
    with pytest.raises(NotProven, match="changed after it was written"):
        prove([*file[:2], put_in, *file[3:]])


def test_g12_entries_in_another_order_are_found_out(file):
    with pytest.raises(NotProven, match="entry 2 should stand here, not 3"):
        prove([file[0], file[2], file[1], *file[3:]])


def test_g12_a_chain_written_anew_from_a_changed_entry_on_is_found_by_the_published_head(file):
    previous, anew = bytes.fromhex(json.loads(file[0])["before"]), [file[0]]
    for line in file[1:-1]:
        changed, previous = with_another_reason(line, previous, only=3)
        anew.append(changed)
    anew.append(canonical({"last": 5, "head": previous.hex(), "entries": 4}).decode() + "\n")
    assert proven(anew) is None  # it fits itself
    with pytest.raises(NotProven, match="none of the entries"):
        prove(anew, head=hash_of(5))


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [
        (lambda file: [], "not JSON"),
        (lambda file: ["{}\n"], "not an exported ledger"),
        (lambda file: [file[0].replace('"version":2', '"version":3'), *file[1:]], "version 3"),
        (lambda file: [file[0].replace('"first":2', '"first":0'), *file[1:]], "number"),
        (
            lambda file: [*file[:1], file[1].replace('"why":', '"why":"shown","why":'), *file[2:]],
            "not written as",
        ),
        (lambda file: [*file[:1], file[1].replace(",", ", ", 1), *file[2:]], "not written as"),
        (lambda file: [*file[:1], "[" * 100_000 + "\n", *file[2:]], "not JSON"),
        (lambda file: [*file, file[-1]], "stands after"),
        (lambda file: [*file[:1], "\n", *file[1:]], "not JSON"),
    ],
)
def test_what_is_no_exported_ledger_is_refused_with_the_line(file, spoilt, what):
    with pytest.raises(NotProven, match=f"line .*{what}"):
        prove(spoilt(file))


@pytest.mark.django_db
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_g12_no_change_of_a_single_character_goes_unnoticed(file, data):
    text = "".join(file)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    with pytest.raises(NotProven):
        prove(changed.splitlines(keepends=True) if other != "\r" else changed.split("\n"), head=hash_of(5))


def test_g12_the_recipe_in_the_documentation_proves_the_same_with_nothing_of_ours(file, tmp_path, capsys):
    told = (Path(__file__).parents[2] / "docs" / "desk.md").read_text()
    recipe = told.split("### Proving it")[1].split("```python\n")[1].split("```")[0]
    path = tmp_path / "period.jsonl"
    path.write_text("".join(file))
    exec(recipe.replace("FILE", str(path)), {})
    assert capsys.readouterr().out.strip() == hash_of(5)
    path.write_text("".join(replaced(file, 2, why="another reason")))
    with pytest.raises(AssertionError, match="3"):
        exec(recipe.replace("FILE", str(path)), {})


def made_up(count: int) -> Iterator[str]:
    previous = GENESIS
    yield canonical({"ledger": "rasd", "version": 1, "first": 1, "before": previous.hex()}).decode()
    for number in range(1, count + 1):
        payload = {
            "number": number,
            "at": "2026-11-21T12:00:00.000000+00:00",
            "actor": "a",
            "action": "b",
            "subject": "c",
            "why": "w" * 200,
            "facts": {},
        }
        previous = payload_hash(previous, payload)
        yield canonical(payload | {"hash": previous.hex()}).decode()
    yield canonical({"last": count, "head": previous.hex(), "entries": count}).decode()


def test_a_long_file_is_verified_in_the_memory_of_a_short_one():
    def most(count: int) -> int:
        tracemalloc.start()
        prove(made_up(count))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert most(5_000) < 2 * most(50) < 2_000_000


# The commands, and the head for everybody.


@pytest.mark.django_db
def test_the_commands_export_a_period_and_verify_it(tmp_path):
    write(6)
    path = tmp_path / "period.jsonl"
    done = CliRunner().invoke(cli.ledger, ["export", "--from", "2026-11-22", "--to", "2026-11-24", str(path)])
    assert done.exit_code == 0, done.output
    assert hash_of(4) in done.output
    verified = CliRunner().invoke(
        cli.ledger, ["verify", str(path), "--head", hash_of(4), "--before", hash_of(1)]
    )
    assert verified.exit_code == 0, verified.output
    assert "PROVEN: entries 2 to 4" in verified.output
    assert "NEVER PROVEN" in verified.output
    path.write_text(path.read_text().replace("ناصر", "هدى", 1))
    verified = CliRunner().invoke(cli.ledger, ["verify", str(path), "--head", hash_of(4)])
    assert verified.exit_code == 1
    assert "does not hold: line 2" in verified.output


@pytest.mark.django_db
def test_a_period_without_entries_and_a_wrong_day_are_said():
    write(1)
    done = CliRunner().invoke(cli.ledger, ["export", "--from", "2030-01-01", "-"])
    assert done.exit_code == 1
    assert "no entry of that period" in done.output
    done = CliRunner().invoke(cli.ledger, ["export", "--from", "yesterday", "-"])
    assert done.exit_code == 2
    assert "--from 'yesterday': write a day as 2026-11-01" in done.output
    done = CliRunner().invoke(cli.ledger, ["verify", "--head", "abc"])
    assert done.exit_code == 2
    assert "64 hexadecimal digits" in done.output


def test_a_file_is_verified_by_the_command_without_any_database(tmp_path):
    path = tmp_path / "period.jsonl"
    path.write_text("\n".join(made_up(5)) + "\n")
    nowhere = {
        **os.environ,
        "RASD_DATABASE_URL": "postgresql://127.0.0.1:9/nothing",
        "RASD_DATA_DIR": str(tmp_path / "none"),
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("rasd"), "ledger", "verify", path],
        env=nowhere,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Entries 1 to 5" in done.stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.django_db
def test_the_head_is_published_for_everybody_and_is_all_that_is():
    empty = Client().get("/ledger/head").json()
    assert empty == {"number": 0, "hash": GENESIS.hex(), "at": None}
    write(2)
    answer = Client().get("/ledger/head")
    assert (
        answer.json() == head() == {"number": 2, "hash": hash_of(2), "at": "2026-11-22T12:00:00.000000+00:00"}
    )
    assert answer["Cache-Control"].startswith("max-age=0")
    assert Client().post("/ledger/head").status_code == 405
    printed = CliRunner().invoke(cli.ledger, ["head"])
    assert json.loads(printed.output) == head()


@pytest.mark.django_db
def test_rebuild_makes_the_account_anew_and_its_check_finds_differences():
    from rasd.desk.models import AccountMark

    facts = {"since": NOON.isoformat(), "due_at": NOON.isoformat(), "queue": "First line", "owner": "salma"}
    write(3, facts)
    done = CliRunner().invoke(cli.ledger, ["rebuild"])
    assert done.exit_code == 0, done.output
    assert "the account of who owed what: 6 rows" in done.output
    assert "is what the ledger says" in CliRunner().invoke(cli.ledger, ["rebuild", "--check"]).output
    AccountMark.objects.update(number=2)
    done = CliRunner().invoke(cli.ledger, ["rebuild", "--check"])
    assert done.exit_code == 1
    assert "6 stretches are stored, the ledger has 4" in done.output
