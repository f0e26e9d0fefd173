"""G13: an ordinary person with a telephone, in a real browser: what he presents, what he finds, what he makes of failures."""

import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rasd.watch.evidence.box import Box
from rasd.watch.journeys import parse
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.web import WebPlayer
from tests.chrome import chrome
from tests.watch.players.site import Site, served

pytestmark = pytest.mark.browser
SECRETS = {"pin": "12345678", "word": "s3cret & <päss>"}
SOON = ", within: 0.25s"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser(chrome() or "")
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served() as site:
        yield site


class Visit:
    """Steps as a journey writes them, played one by one; ``facts`` or ``trouble`` of the last one."""

    def __init__(self, browser: Browser, site: Site, box: Path, network: str = "wifi") -> None:
        self.who = f"{{patience: 30s, network: {network}}}"
        self.player = WebPlayer(browser, box)
        self.errand = Errand(
            parse(self.journey("open: /")),
            site.url,
            Box(box),
            {"email": "salim@example.org"},
            SECRETS,
            random=Random(7),
            patient_until=time.monotonic() + 30,
        )
        self.facts: dict[str, Any] = {}
        self.exhibits: tuple[Exhibit, ...] = ()
        site.asked.clear()
        site.sent.clear()

    def journey(self, step: str) -> str:
        step = step if step.startswith("{") else f"{{{step}}}"
        return f"journey: j\ntitle: T\ntarget: t\nwho: {self.who}\nsteps: [{step}]\ndone: [{{see: x}}]"

    def __call__(self, *steps: str) -> Trouble | None:
        for step in steps:
            try:
                self.facts = self.player.play(parse(self.journey(step)).steps[0], self.errand)
            except CannotPlay as error:
                self.facts, self.words = error.facts, error.words
                return error.trouble
            finally:
                self.exhibits = self.player.witness(self.errand, True)
        return None

    def evidence(self, kind: ExhibitKind) -> bytes:
        return next(self.errand.box.get(each.sha256) for each in self.exhibits if each.kind is kind)


@pytest.fixture
def visit(browser: Browser, site: Site, tmp_path: Path) -> Iterator[Visit]:
    visit = Visit(browser, site, tmp_path)
    yield visit
    visit.player.close(visit.errand, True)


def test_g13_nothing_that_he_presents_announces_a_machine(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    visit = Visit(browser, site, tmp_path, network="3g")
    began = time.monotonic()
    assert visit("open: /window", "press: في نافذة") is None
    assert time.monotonic() - began > 0.6  # two documents, 300 ms each before the first byte
    seen = visit.player.page.evaluate(
        """async () => ({agent: navigator.userAgent, driven: navigator.webdriver, languages: navigator.languages,
        platform: navigator.platform, fingers: navigator.maxTouchPoints, line: navigator.connection.effectiveType,
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone, number: new Intl.NumberFormat().format(12.5),
        hints: await navigator.userAgentData.getHighEntropyValues(['fullVersionList', 'platform']),
        width: innerWidth, storage: localStorage.length})"""
    )
    visit.player.close(visit.errand, True)
    version = browser.version
    agent = (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version.partition('.')[0]}.0.0.0 Mobile Safari/537.36"
    )
    assert seen["agent"] == visit.player.presented["user_agent"] == agent
    assert {"brand": "Chromium", "version": version} in seen["hints"]["fullVersionList"]
    assert "Headless" not in json.dumps(seen)
    assert (seen["driven"], seen["hints"]["mobile"], seen["hints"]["platform"]) == (False, True, "Android")
    assert (seen["platform"], seen["fingers"], seen["line"]) == ("Linux armv81", 5, "3g")
    assert (seen["zone"], seen["number"], seen["width"]) == ("Asia/Muscat", "١٢٫٥", 412)
    for _, headers in site.asked:
        assert headers["User-Agent"] == agent
        assert headers["Accept-Language"] == "ar-OM,ar;q=0.9,en-US;q=0.8,en;q=0.7"
        assert "Headless" not in json.dumps(headers)
        assert "Cookie" not in headers
    assert (first := site.asked[0][1])["sec-ch-ua-mobile"] == "?1"
    assert first["sec-ch-ua-platform"] == '"Android"'
    assert {name.lower() for name in first} <= {
        "host", "connection", "user-agent", "accept", "accept-encoding", "accept-language", "upgrade-insecure-requests",
        "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-user",
        "sec-fetch-dest",
    }  # fmt: skip


def test_an_errand_is_done_by_what_is_written_on_things_however_it_is_spelt(visit: Visit, site: Site) -> None:
    assert visit("open: /", "press: بلاغ جديد") is None
    assert visit.facts == {"status": 200, "clicks": 1}
    fields = (
        "fill: {رقم الحساب: '77', الإسم: سالم, البريد الالكتروني: '{someone.email}', "
        "تاكيد البريد: '{someone.email}', رقم الهاتف: '٩١٢٣', المشكلة: انقطع الماء}"
    )
    assert visit(fields) is None
    assert visit.facts == {"status": 200, "typed": 6, "asked_again": 1}
    assert (
        visit("choose: {الخدمة: ماء, الوقت: مساء}", "tick: اوافق علي الشروط", "attach: {صورة: photograph}")
        is None
    )
    assert visit("press: ارسال", "see: [تم استلام بلاغك, '4521']", "keep: {number: 'البلاغ: (\\d+)'}") is None
    assert visit.errand.kept["number"] == "٤٥٢١"
    assert len(visit.errand.kept["photograph"]) == 5
    sent = {name: values[0] for name, values in site.sent[0].items()}
    assert sent == {
        "account": "77", "name": "سالم", "mail": "salim@example.org", "again": "salim@example.org", "phone": "٩١٢٣",
        "pin": "", "service": "ماء", "t": "pm", "ok": "on", "problem": "انقطع الماء", "file": "IMG.jpg",
    }  # fmt: skip
    assert visit("back: true", "see: رقم الحساب") is None


def test_what_cannot_be_found_seen_or_reached_is_said_in_his_words(visit: Visit) -> None:
    assert visit("open: /", "press: {name: عرض, near: فاتورة فبراير}", "see: فبراير", "press: More") is None
    assert visit("see: [shown, '12.500', '/T-\\d+/']", "miss: Error") is None
    said = {}
    for step, trouble in {
        "press: عرض": Trouble.TWO_OF_THEM,
        "press: Print": Trouble.OUT_OF_REACH,
        "press: ادفع الآن": Trouble.OUT_OF_REACH,
        "press: مغطى": Trouble.OUT_OF_REACH,
        "press: بلاغ جديدة": Trouble.NOT_THERE,
        "see: للقارئ فقط": Trouble.OTHER_WORDS,
        "see: شفاف": Trouble.OTHER_WORDS,
        "miss: رصيدكم": Trouble.OTHER_WORDS,
    }.items():
        assert visit(step + SOON) is trouble, step
        said[step] = visit.words
    assert "button 'عرض' in 'فاتورة يناير'; button 'عرض' in 'فاتورة فبراير'" in said["press: عرض"]
    assert "hidden from him" in said["press: Print"]
    assert "switched off" in said["press: ادفع الآن"]
    assert "lies over it" in said["press: مغطى"]
    assert "did you mean 'بلاغٌ جديد'" in said["press: بلاغ جديدة"]


def test_what_fails_is_called_by_its_name(visit: Visit, site: Site) -> None:
    assert visit("open: /bare", "see: Bare") is None
    assert visit("open: /bare") is None
    assert visit.facts == {"status": 200, "broken": 2, "refused": 2, "errors": 1}
    failures = json.loads(visit.evidence(ExhibitKind.NETWORK))
    assert [(each["url"], each["status"]) for each in failures] == [
        (f"{site.url}/gone.css", 404),
        (f"{site.url}/gone.js", 404),
    ]
    assert b"nope is not defined" in visit.evidence(ExhibitKind.CONSOLE)
    assert visit("open: /error") is Trouble.ERROR_PAGE
    assert "500: 'Server Error'" in visit.words
    assert visit("open: /human") is Trouble.WALL
    assert visit("open: /many") is Trouble.WALL
    assert visit.facts["retry_after"] == 120
    assert visit("open: /silent" + SOON) is Trouble.UNREACHABLE
    assert visit.facts["gave_up"] is True
    assert visit("open: 'http://127.0.0.1:1/'") is Trouble.UNREACHABLE
    assert visit("open: 'http://example.com/'") is Trouble.NOT_PERMITTED


def test_g13_who_is_turned_away_at_the_door_says_so_and_tries_nothing(visit: Visit, site: Site) -> None:
    assert visit("open: /private") is Trouble.WALL
    assert [path for path, _ in site.asked] == ["/private"]


def test_a_form_that_loses_what_was_typed_is_seen(visit: Visit) -> None:
    assert visit("open: /forgets", "fill: {الاسم: سالم, المشكلة: انقطع}", "press: إرسال") is None
    assert visit("see: تم استلام" + SOON) is Trouble.LOST
    assert "gone from الاسم, المشكلة" in visit.words


def test_frames_dialogs_and_windows_are_what_they_are_to_people(visit: Visit) -> None:
    assert visit("open: /chat", "fill: {اكتب رسالتك: مرحبا}", "press: أرسل", "see: وصل") is None
    assert visit("open: /window", "press: حذف", "see: حذف") is None
    assert visit("press: في نافذة", "see: تم استلام بلاغك") is None


def test_no_secret_is_in_the_evidence_nor_in_the_trace(visit: Visit, tmp_path: Path) -> None:
    typed = "fill: {الاسم: '{secret.word}', الرمز السري: '{secret.pin}', المشكلة: 'It is {secret.pin}.'}"
    assert visit("open: /ticket") is None
    empty = visit.evidence(ExhibitKind.PICTURE)
    assert visit(typed) is None
    assert dark(visit.evidence(ExhibitKind.PICTURE)) > dark(empty) + 5000  # pixels: three fields are covered
    assert visit("press: إرسال", "open: '/done?pin={secret.pin}&word={secret.word}'") is None
    assert "Account •••" in visit.evidence(ExhibitKind.WORDS).decode()
    assert dark(visit.evidence(ExhibitKind.PICTURE)) > 1000
    (trace,) = visit.player.close(visit.errand, went_well=False)
    forms = [b"12345678", b"12 34-5678", b"s3cret", b"s3cret+%26", "päss".encode(), b"p\\u00e4ss"]
    with zipfile.ZipFile(visit.errand.box.path(trace.sha256)) as unzipped:
        parts = {name: unzipped.read(name) for name in unzipped.namelist()}
    assert "•••".encode() in parts["trace.trace"]
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for part in [*parts.values(), *kept]:
        assert not [form for form in forms if form in part]
    assert all(json.loads(line) for line in parts["trace.trace"].splitlines())


def dark(picture: bytes) -> int:
    """Pixels that are black."""
    import io

    from PIL import Image

    return sum(Image.open(io.BytesIO(picture)).convert("L").histogram()[:20])


def test_a_trace_is_kept_of_a_failure_and_by_the_share_of_the_others(visit: Visit, browser: Browser) -> None:
    visit.player.window.traces = 1.0
    assert visit("open: /") is None
    assert [each.kind for each in visit.player.close(visit.errand, went_well=True)] == [ExhibitKind.TRACE]
    assert visit.player.close(visit.errand, went_well=False) == ()  # the chat's player closes it as well


def test_a_browser_that_is_gone_is_nobodys_fault_but_ours_and_the_next_visit_has_another(
    browser: Browser, site: Site, visit: Visit, tmp_path: Path
) -> None:
    assert visit("open: /") is None
    visit.player.page.context.browser.close()
    assert visit("press: بلاغ جديد") is Trouble.BROWSER
    after = Visit(browser, site, tmp_path)
    assert after("open: /", "press: بلاغ جديد") is None
    after.player.close(after.errand, True)
