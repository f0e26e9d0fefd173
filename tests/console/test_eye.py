"""The eye's page: what is in service, what is on trial, and who was right where they differ."""

import contextlib
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.flows import jobs
from rasd.metering.models import Adoption, EyeService, Reading, Review, ShadowReading
from rasd.vision import Eye
from rasd.vision.eye import SHIPPED, write_manifest
from tests.console.browsing import DESKTOP, PHONE, opened, served, shoot
from tests.console.looking import WIDER_THAN_THE_SCREEN, errors_of
from tests.console.making import Utility, seen

SERVICE = Eye.shipped()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A second eye: the shipped one's files under another name."""
    shutil.copytree(SHIPPED, tmp_path / "eye")
    write_manifest(tmp_path / "eye", name="eye-on-trial", version="2.0")
    return tmp_path / "eye"


@dataclass
class Trial:
    """Photographs that the eye in service read, and what the one on trial read in them."""

    utility: Utility
    shadow: Eye

    def both_read(self, old: str, new: str, *, true: str = "", by: str = "customer", sure: float = 0.93):
        submission = self.utility.submission(old, point=self.utility.point(), doubt_at=None)
        photograph = submission.photographs.get()
        photograph.model, photograph.milliseconds = SERVICE.name, 410.0
        photograph.seen |= {"decision": "accept" if sure >= 0.99 else "confirm", "confidence": sure}
        photograph.save()
        also = {**seen(new), "decision": "confirm", "confidence": 0.95}
        ShadowReading.objects.create(
            photograph=photograph,
            model=self.shadow.name,
            checksum=self.shadow.checksum,
            read_at=self.utility.now,
            seen=also
            if new
            else {**also, "digits": "", "value": None, "confidence": 0.0, "decision": "retake"},
            milliseconds=55.0,
        )
        if true and by == "review":
            Review.objects.create(
                submission=submission,
                why="unsure",
                outcome="corrected",
                value=Decimal(true),
                closed_at=self.utility.now,
            )
        elif true:
            self._confirm(submission, Decimal(true))
        return photograph

    def _confirm(self, submission, value: Decimal) -> None:
        register = submission.service_point.current_register
        reading = Reading.objects.create(
            service_point=submission.service_point,
            register=register,
            cycle=submission.cycle,
            value=value,
            source="customer",
            taken_at=submission.sent_at,
            submission=submission,
        )
        Adoption.objects.create(
            service_point=submission.service_point,
            register=register,
            cycle=submission.cycle,
            reading=reading,
            actor="customer:tel:+96890000001",
            why="confirmed",
            receipt=f"R{reading.pk}",
        )

    def fill(self) -> None:
        """Nine that the new one read right and the old one not, one the other way, one neither, two unknown, six alike."""
        for n in range(9):
            self.both_read(f"0452{n}", f"0462{n}", true=f"462{n}", by="review" if n % 2 else "customer")
        self.both_read("04433", "04438", true="4433")
        self.both_read("04433", "04438", true="4430")
        self.both_read("04390", "04890")
        self.both_read("04391", "")
        for n in range(6):
            self.both_read(f"0447{n}", f"0447{n}", true=f"447{n}" if n < 4 else "", sure=0.995)


@pytest.fixture
def trial(utility: Utility, settings, folder: Path) -> Trial:
    settings.SHADOW_EYE = str(folder)
    utility.cycle(opens=-6, days=10)
    return Trial(utility, Eye.at(folder))


pytestmark = pytest.mark.django_db


def page_of(client, query: str = "") -> str:
    return client.get(reverse("console:eye") + query).content.decode()


def test_only_those_who_may_see_the_cycle_see_it(as_):
    assert as_("agent").get(reverse("console:eye")).status_code == 403
    assert as_("supervisor").get(reverse("console:eye")).status_code == 200


def test_without_a_shadow_it_says_how_to_start_one(as_, utility):
    utility.cycle()
    page = page_of(as_("supervisor"))
    assert SERVICE.name in page
    assert SERVICE.checksum[:12] in page
    assert "no worker has begun to read with it yet" in page
    assert "It has read no photograph of this cycle yet." in page
    assert "RASD_SHADOW_EYE" in page


def test_without_a_cycle_it_says_so(as_):
    assert "No cycle is open" in page_of(as_("supervisor"))


def test_since_when_and_what_was_before(as_, utility):
    EyeService.objects.create(name="rasd-eye-0", version="0", checksum="0" * 64, since=utility.now)
    EyeService.begin(SERVICE, utility.now)
    page = page_of(as_("supervisor"))
    assert "rasd-eye-0" in page
    assert "no worker has begun" not in page


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: shutil.rmtree(folder), "No such file"),
        (lambda folder: (folder / "calibration.json").write_text("{}"), "SHA-256"),
        (lambda folder: write_manifest(folder, name=SERVICE.name, version="2"), "a name of its own"),
    ],
    ids=["no folder", "damaged", "the same name"],
)
def test_what_is_wrong_with_the_shadow_is_told_and_the_rest_of_the_page_stands(
    as_, utility, settings, folder, spoil, words
):
    utility.cycle()
    spoil(folder)
    settings.SHADOW_EYE = str(folder)
    page = page_of(as_("supervisor"))
    assert "reads nothing" in page
    assert words in page.replace("&#x27;", "'")
    assert SERVICE.checksum[:12] in page


def test_a_broken_eye_in_service_is_told(as_, settings, tmp_path):
    settings.EYE = str(tmp_path / "nothing")
    assert "The eye in service cannot be used" in page_of(as_("supervisor"))


def test_where_they_differ_and_who_was_right(as_, trial):
    trial.fill()
    client = as_("supervisor")
    answer = client.get(reverse("console:eye"))
    compared, page = answer.context["compared"], answer.content.decode()
    assert len(compared.pairs) == 19
    assert "They differ in 13: the new one was right in 9, the one in service in 1;" in page
    assert "neither or both in 1, not known in 2." in page
    assert "p = 0.021; less than 0.01 is asked for" in page.replace('<bdi dir="ltr">', "").replace(
        "</bdi>", ""
    )
    assert "9 of 10" in page
    assert answer.context["record"].decisions == {"confirm": 13, "accept": 6}
    assert "410 ms" in page
    assert "55 ms" in page
    shown = {
        show: len(client.get(reverse("console:eye") + f"?show={show}").context["rows"])
        for show in ("differ", "new", "old", "unknown", "all", "nonsense")
    }
    assert shown == {"differ": 13, "new": 9, "old": 1, "unknown": 2, "all": 19, "nonsense": 13}


def test_the_digits_that_differ_are_marked(as_, trial):
    trial.both_read("04521", "04571", true="4571")
    (row,) = as_("supervisor").get(reverse("console:eye")).context["rows"]
    assert row.old.characters == [("0", False), ("4", False), ("5", False), ("2", True), ("1", False)]
    assert row.words == "the new one was right"


def test_digits_stand_under_each_other_from_the_point(as_, trial):
    from rasd.console.views.eye import _against

    assert [c for c, differs in _against("04521.3", "4521") if differs] == ["0", ".", "3"]
    assert not any(differs for _, differs in _against("4521", "04521.3"))


def test_a_supervisor_sees_the_pictures_of_the_trial_and_no_others(as_, trial):
    photograph = trial.both_read("04521", "04571")
    other = trial.utility.submission("04400", point=trial.utility.point()).photographs.get()
    client, shadow = as_("supervisor"), photograph.shadows.get()
    for allowed in (
        reverse("console:photograph", args=[photograph.sha256, "thumb"]),
        reverse("console:counter", args=[photograph.pk, photograph.sha256]),
        reverse("console:shadow_counter", args=[shadow.pk, photograph.sha256]),
    ):
        assert client.get(allowed)["Content-Type"] == "image/jpeg", allowed
    for forbidden in (
        reverse("console:photograph", args=[other.sha256, "thumb"]),
        reverse("console:counter", args=[other.pk, other.sha256]),
    ):
        assert client.get(forbidden).status_code == 403
    assert (
        as_("agent").get(reverse("console:shadow_counter", args=[shadow.pk, photograph.sha256])).status_code
        == 403
    )


def test_what_it_failed_at_and_what_waits_is_told(as_, trial):
    from rasd.channels.jobs import defer

    photograph = trial.both_read("04521", "04571")
    photograph.shadows.update(seen=None, error="RuntimeError: no memory")
    defer(jobs.shadow, photograph_id=photograph.pk)
    page = page_of(as_("supervisor"))
    assert "RuntimeError: no memory" in page
    assert "Photographs that it has still to read:" in page
    assert ProcrastinateJob.objects.get(queue_name="shadow").priority == jobs.LAST


def test_a_page_holds_twenty(as_, trial):
    for n in range(23):
        trial.both_read(f"045{n:02}", f"046{n:02}")
    client = as_("supervisor")
    assert len(client.get(reverse("console:eye")).context["rows"]) == 20
    assert len(client.get(reverse("console:eye") + "?page=2").context["rows"]) == 3


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_in_a_browser_it_fits_the_screen_and_the_keyboard_does_everything(
    monkeypatch, person, trial, language, size
):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    trial.fill()
    EyeService.begin(SERVICE, trial.utility.now)
    user, place = person("supervisor"), "phone" if size == PHONE else "desktop"
    with served() as url, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        page = stack.enter_context(
            opened(playwright, url, user, language=language, size=size, dark=language == "ar")
        )
        wrong = errors_of(page)
        page.goto("/eye/")
        expect(page.locator(".pair")).to_have_count(13)
        page.wait_for_load_state("networkidle")
        assert not page.evaluate(WIDER_THAN_THE_SCREEN)
        shoot(page, f"eye-{language}-{place}")
        page.locator(".finding").scroll_into_view_if_needed()
        shoot(page, f"eye-finding-{language}-{place}")
        page.locator(".pair").nth(9).scroll_into_view_if_needed()
        page.wait_for_timeout(800)  # pictures are fetched as they come near
        shoot(page, f"eye-pairs-{language}-{place}")
        page.keyboard.press("j")
        page.keyboard.press("j")
        assert (
            page.evaluate("[...document.querySelectorAll('.pair .open')].indexOf(document.activeElement)")
            == 1
        )
        page.keyboard.press("k")
        assert (
            page.evaluate("[...document.querySelectorAll('.pair .open')].indexOf(document.activeElement)")
            == 0
        )
        page.keyboard.press("3")
        expect(page.locator(".pair")).to_have_count(1)
        expect(page.locator(".pair mark").first).to_have_text("3")
        page.keyboard.press("1")
        expect(page.locator(".pair")).to_have_count(13)
        assert not wrong
