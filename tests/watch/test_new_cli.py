"""``rasd watch new``: what is written to begin with is accepted by what comes next."""

import re

from click.testing import CliRunner

from rasd.watch.cli import watch
from rasd.watch.journeys.steps import VERBS
from rasd.watch.watchfile import read_whole


def test_what_is_written_to_begin_with_is_a_watch_as_it_stands_and_nothing_is_overwritten(tmp_path):
    folder = tmp_path / "mine"
    assert CliRunner().invoke(watch, ["new", str(folder)]).exit_code == 0

    checked = CliRunner().invoke(watch, ["check", str(folder)])
    assert checked.exit_code == 0, checked.output
    assert f"{folder / 'watch.yaml'}: 1 journey\n" in checked.output
    whole = read_whole(folder / "watch.yaml")
    assert set(whole.errands) == {"service"}
    assert {each.verb for each in whole.errands["service"]["first-look"].journey.every_step()} <= set(VERBS)

    (folder / "watch.yaml").write_text("mine", "utf-8")
    again = CliRunner().invoke(watch, ["new", str(folder)])
    assert again.exit_code == 2
    assert "left as it is" in again.output
    assert (folder / "watch.yaml").read_text("utf-8") == "mine"


def test_every_entry_that_is_shown_as_a_comment_is_one_that_the_watch_knows(tmp_path):
    CliRunner().invoke(watch, ["new", str(tmp_path)])
    text = (tmp_path / "watch.yaml").read_text("utf-8")
    opened = re.sub(r"^( *)# ( *[a-z_]+:(?= |$))", r"\1\2", text, flags=re.MULTILINE)
    (tmp_path / "all.yaml").write_text(opened, "utf-8")
    file = read_whole(tmp_path / "all.yaml").file
    entry = file.targets["service"]

    assert file.alerts.to
    assert file.watcher.own_network
    assert entry.mailbox is not None
    assert (entry.public, str(entry.permission)) == (True, "permission.yaml")
