"""Arabic first: everything people can read has its Arabic, with every form of its plural and every placeholder."""

import ast
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from rasd.console import words
from rasd.metering import rules
from rasd.vision.types import FINDINGS, REASONS, NotAPhotograph
from tests.console.filling import fill

PO = Path(settings.LOCALE_PATHS[0]) / "ar" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
FORMS_OF_ARABIC = 6


@pytest.fixture(scope="session")
def catalogue() -> polib.POFile:
    return polib.pofile(str(PO))


def test_every_sentence_has_its_arabic(catalogue):
    assert not [entry.msgid for entry in catalogue if not entry.obsolete and not entry.translated()]


def test_nothing_is_left_over_or_guessed(catalogue):
    assert not catalogue.obsolete_entries()
    assert not catalogue.fuzzy_entries()


def test_every_plural_has_all_six_forms(catalogue):
    for entry in catalogue:
        if entry.msgid_plural:
            assert len(entry.msgstr_plural) == FORMS_OF_ARABIC, entry.msgid
            assert all(entry.msgstr_plural.values()), entry.msgid


def test_placeholders_survive_translation(catalogue):
    for entry in catalogue:
        names = set(PLACEHOLDER.findall(entry.msgid + entry.msgid_plural))
        if entry.msgid_plural:
            # The forms for none, one and two may say the number in a word.
            assert all(set(PLACEHOLDER.findall(form)) <= names for form in entry.msgstr_plural.values()), (
                entry.msgid
            )
            assert set(PLACEHOLDER.findall(entry.msgstr_plural[4])) == names, entry.msgid
        else:
            assert set(PLACEHOLDER.findall(entry.msgstr)) == names, entry.msgid


def test_the_catalogue_knows_every_sentence_of_the_source(catalogue, tmp_path):
    """As ``makemessages`` finds them; run it (its call stands at the head of the catalogue) where this fails."""
    import shutil

    if shutil.which("xgettext") is None:
        pytest.skip("gettext's tools are not on this machine")
    copy = tmp_path / "rasd"
    ignored = shutil.ignore_patterns("*.onnx", "*.mo", "__pycache__", "*.jpg")
    shutil.copytree(PO.parents[3], copy, ignore=ignored)
    made = subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "ar", "--no-location", "--no-wrap"],
        cwd=copy,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    found = polib.pofile(str(copy / "locale" / "ar" / "LC_MESSAGES" / "django.po"))
    assert {entry.msgid for entry in found if not entry.obsolete} == {entry.msgid for entry in catalogue}


def test_no_sentence_hides_inside_an_f_string_where_makemessages_does_not_look():
    names = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
    hidden = [
        f"{path.name}:{call.lineno}"
        for path in PO.parents[3].rglob("*.py")
        for string in ast.walk(ast.parse(path.read_text()))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names
    ]
    assert not hidden


def test_every_code_has_its_words():
    codes = {*FINDINGS, *REASONS, *NotAPhotograph.REASONS, *rules.REASONS}
    assert codes <= words.WHY.keys()
    assert {verdict.value for verdict in rules.Verdict} <= words.VERDICTS.keys()


class Text(HTMLParser):
    """What people read or have read to them: text outside of names and customers' words, and labels."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in {"meta", "link", "img", "input", "br", "path", "rect", "line", "hr"}:
            self.open.append("skip" if self._is_not_ours(tag, given) else tag)
        if "skip" not in self.open:
            self.found += [
                given[name] for name in ("aria-label", "title", "alt", "placeholder") if given.get(name)
            ]

    def handle_endtag(self, tag):
        if self.open and tag not in {"meta", "link", "img", "input", "br", "path", "rect", "line", "hr"}:
            self.open.pop()

    def handle_data(self, data):
        if "skip" not in self.open and data.strip():
            self.found.append(data.strip())

    def _is_not_ours(self, tag, given) -> bool:
        kinds = set((given.get("class") or "").split())
        return (
            tag in {"script", "style", "bdi", "code", "kbd"}
            or given.get("lang") == "en"
            or bool(
                kinds
                & {"brand", "avatar", "figures", "text", "preview", "buttons", "me", "codes", "facts-value"}
            )
        )


LATIN = re.compile(r"[A-Za-z]{3,}")
NAMES = re.compile(
    r"First line|Rasd|rasd [a-z.-]+( [A-Za-z0-9.-]+)*|RASD_\w+|Meta|WhatsApp|HEIC|Enter|Readings|kWh|K\d+"
)


@pytest.mark.django_db
def test_no_page_shows_untranslated_english_in_arabic(as_, utility, person):
    rows = fill(utility, person("agent", username="salma"))
    client = as_("administrator", language="ar")
    User.objects.update(first_name="سلمى", last_name="المثال")
    client.post(reverse("console:begin_second_factor"))
    pages = {
        name: client.get(address).content.decode()
        for name, address in {
            "home": reverse("console:home"),
            "review": reverse("console:review"),
            "conversations": reverse("console:conversations"),
            "conversation": reverse("console:conversation", args=[rows.conversation.pk]),
            "cycle": reverse("console:cycle"),
            "eye": reverse("console:eye"),
            "troubles": reverse("console:troubles"),
            "account": reverse("console:account"),
            "nowhere": "/nowhere",
        }.items()
    }
    client.logout()
    pages["login"] = client.get(reverse("console:login")).content.decode()
    for name, page in pages.items():
        assert 'dir="rtl"' in page
        reader = Text()
        reader.feed(page)
        assert len(reader.found) >= 5, name
        english = [text for text in reader.found if LATIN.search(NAMES.sub("", text))]
        assert not english, name
