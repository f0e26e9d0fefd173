# ruff: noqa: E501 - what is said stands here as it is said
"""A folder of bad journeys, each with what is said about it: line, column, what is wrong, the mend. No other word."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from rasd.watch.cli import watch
from rasd.watch.journeys import NotAJourney, read

FOLDER = Path(__file__).parents[1] / "bad_journeys"
SAID = {
    "a_list": [
        "1:1: the file is a list, or a single text (begin with 'journey: a-name', each entry on a line of its own)",
    ],
    "anchors": [
        "6:11: not YAML: found undefined alias 'home' (put a text that begins with a sign in quotes)",
    ],
    "bad_duration": [
        "4:7: a duration is a number and s, m or h, such as 90s, 3m or 1.5h",
        "7:5: a duration is a number and s, m or h, such as 90s, 3m or 1.5h",
        "8:5: a duration is a number and s, m or h, such as 90s, 3m or 1.5h",
    ],
    "bad_names": [
        "1:1: 'My Ticket!' is no name: small Latin letters, digits, '-' and '_', a letter first",
        "2:1: write what he came for, in Arabic, in English or in both",
        "3:1: 'Desk' is no name: small Latin letters, digits, '-' and '_', a letter first",
        "6:12: 'Ticket Number' is no name: small Latin letters, digits, '-' and '_', a letter first",
    ],
    "bad_pattern": [
        "7:5: 'number (\\\\d+' is not a regular expression: missing ), unterminated subpattern at position 7",
        "8:12: '[0-9' is not a regular expression: unterminated character set at position 0",
        "10:19: '*x' is not a regular expression: nothing to repeat at position 0",
    ],
    "chat_without_a_place": [
        "1:1: it says or hears something: 'chat' tells where on the page (box: the words in the field)",
    ],
    "colon": [
        "2:16: not YAML: mapping values are not allowed here (put a text that has a colon in quotes)",
    ],
    "empty": [
        "1:1: the file is empty (begin with 'journey: a-name')",
    ],
    "no_step": [
        "7:5: 'Send' is no step (a step is a verb and what it is about, such as 'press: Send')",
        "8:5: the step has no verb (one of open, press, fill, choose, tick, attach, see, miss, keep, back, say, hear, write, mail, code, get, ring, wait, go, python)",
    ],
    "not_texts": [
        "6:5: 4521 is not a text (put it in quotes)",
        "7:12: 4521 is not a text (put it in quotes)",
        "9:5: 'fill' is empty (write what it is about)",
    ],
    "not_utf8": [
        "2:1: it is not UTF-8 (save the file as UTF-8)",
    ],
    "nothing_done": [
        "7:1: 'done' is empty (write what it is about)",
    ],
    "odd_python": [
        "4:21: 'Asia/Muskat' is not a time zone of the IANA list, such as Asia/Muscat",
        "6:5: 'signing.sign' is not 'module:function'",
        "8:5: 'perhaps' is neither true nor false",
        "9:25: nth: input should be greater than or equal to 1",
        "10:25: status: input should be less than or equal to 599",
        "12:5: false is none of true",
    ],
    "open_quote": [
        "2:8: not YAML: while scanning a quoted scalar found unexpected end of stream (close the quote)",
    ],
    "otherwise": [
        "10:5: 'patience' is missing (add patience: …)",
        "13:9: 'words' is missing (add words: …)",
        "15:16: 'subjct' is not known here (did you mean 'subject'?)",
    ],
    "proves_nothing": [
        "6:5: 'javascript:' is no address that a visit opens (write a path of the target, which begins with '/', or a whole address: https://…)",
        "7:5: 'contract.pdf' is not beside the journey (put it there, or mend the name)",
        "8:5: 'bill.pdf' is not beside the journey (put it there, or mend the name)",
        "9:5: there is no module 'signing_it' (put signing_it.py beside the journey)",
        "11:1: 'done' proves nothing: no step of it reads what he came for, and an empty page would do (add see: … with words that stand there only if it was done)",
        "21:5: 'done' proves nothing: no step of it reads what he came for, and an empty page would do (add see: … with words that stand there only if it was done)",
    ],
    "tabs": [
        "4:1: not YAML: while scanning for the next token found character '\\t' that cannot start any token (indent with spaces, not with tabs)",
    ],
    "twice": [
        "10:1: 'steps' stands twice (also in line 5: keep one)",
    ],
    "two_verbs": [
        "6:5: a step has one verb, and here are open and press (make them steps of their own, each after a '-')",
    ],
    "unknown_choices": [
        "4:1: 'fax' is none of 'web', 'chat', 'mail', 'http' or 'voice'",
        "5:21: 'fr' is none of 'ar' or 'en'",
        "5:35: 'tablet' is none of 'phone' or 'desktop'",
        "5:51: '2g' is none of 'wifi', '4g', '3g' or 'slow'",
        "7:5: 'telegraph' is none of 'web', 'chat', 'mail', 'http' or 'voice'",
    ],
    "unknown_keys": [
        "4:21: 'languge' is not known here (did you mean 'language'?)",
        "4:34: 'mood' is not known here",
        "5:1: 'retries' is not known here",
        "7:25: 'neer' is not known here (did you mean 'near'?)",
        "8:5: 'witin' is not known here (did you mean 'within'?)",
    ],
    "unknown_verb": [
        "7:5: 'pres' is no verb (did you mean 'press'?)",
        "8:5: 'dance' is no verb (one of open, press, fill, choose, tick, attach, see, miss, keep, back, say, hear, write, mail, code, get, ring, wait, go, python)",
    ],
    "unquoted_value": [
        "6:12: {someone.name} is not a text (put it in quotes)",
        "7:5: {number} is not a text (put it in quotes)",
        "8:5: {number} is not a text (put it in quotes)",
    ],
    "unkept_values": [
        "6:5: {number} is not known: no step before this one keeps it (keep it, or mend the name)",
        "7:5: {ticket-number} is not known: no step before this one keeps it (keep it, or mend the name)",
        "11:5: {nummer} is not known: no step before this one keeps it (keep it, or mend the name)",
        "13:5: {gone} is not known: no step before this one keeps it (keep it, or mend the name)",
    ],
    "without_done": [
        "1:1: 'done' is missing (add done: …)",
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_a_bad_journey_is_told_what_is_wrong_where_and_how_it_is_mended(name: str) -> None:
    with pytest.raises(NotAJourney) as error:
        read(FOLDER / f"{name}.yaml")
    assert [str(mistake) for mistake in error.value.mistakes] == SAID[name]


def test_each_bad_journey_of_the_folder_is_in_the_table() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SAID)


def test_the_checker_names_file_line_and_column_and_exits_with_2() -> None:
    path = FOLDER / "unknown_verb.yaml"
    result = CliRunner().invoke(watch, ["check", str(path)])
    assert result.exit_code == 2
    assert f"{path}:7:5: 'pres' is no verb (did you mean 'press'?)" in result.stderr


def test_a_watch_file_of_any_name_is_known_by_its_targets_and_its_keys_are_its_own(tmp_path: Path):
    file = tmp_path / "bank.yaml"
    file.write_text(
        "targets:\n  bank:\n    title: B\n    url: http://127.0.0.1/\n    visit_a_day: 3\n    journeys: [j.yaml]\n"
    )
    result = CliRunner().invoke(watch, ["check", str(file)])
    assert result.exit_code == 2
    assert "5:5: 'visit_a_day' is not known here (did you mean 'visits_a_day'?)" in result.stderr
