"""``rasd understand``."""

import json

from click.testing import CliRunner

from rasd.language.cli import understand_command


def test_it_prints_one_json_object_a_line():
    result = CliRunner().invoke(understand_command, ["--json"], input="القراءة ٠٤٥٢١٫٣\nI want an agent\n\n")
    assert result.exit_code == 0
    reading, wish, empty = [json.loads(line) for line in result.stdout.splitlines()]
    assert reading["reading"]["digits"] == "045213"
    assert reading["reading"]["value"] == "4521.3"
    assert (wish["wants_human"], wish["human_phrase"]) == (True, "want an agent")
    assert (empty["text"], empty["language"], empty["expects_answer"]) == ("", None, False)


def test_without_json_it_says_in_words_what_is_there():
    result = CliRunner().invoke(understand_command, [], input="لا 4531\n")
    assert result.stdout == "لا 4531\tlanguage=ar reading=4531 yes_no=False expects_answer\n"


def test_a_line_that_is_not_utf8_does_not_stop_the_rest():
    result = CliRunner().invoke(understand_command, ["--json"], input=b"\xff\xfe\n4521\n")
    assert result.exit_code == 0
    assert [json.loads(line)["reading"] is not None for line in result.stdout.splitlines()] == [False, True]
