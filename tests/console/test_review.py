from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import ImageChops, ImageStat

from bench import _files
from rasd.console.reading import Seen, turned
from rasd.ledger import evidence
from rasd.metering.models import Adoption, Review
from rasd.metering.models.reviews import LEASE, UNDO_WITHIN
from tests.console.making import photograph_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def decide(client, review: Review, decision: str = "accept", *, why: str = "", htmx: bool = True, **more):
    address = reverse("console:decide", args=[review.pk]) + (f"?why={why}" if why else "")
    return client.post(address, {"decision": decision, **more}, headers=HTMX if htmx else {})


def shown(answer) -> Review | None:
    return answer.context["review"]


def test_the_oldest_is_shown_with_each_digit_and_its_doubt(as_, utility):
    review = utility.review("04521")
    answer = as_("reviewer").get(reverse("console:review"))
    assert shown(answer) == review
    digits = answer.context["beside"].photographs[0].digits
    assert "".join(digit.digit for digit in digits) == "04521"
    assert [digit.tone for digit in digits] == ["sure", "sure", "guess", "sure", "sure"]
    assert digits[2].other == "8"
    page = answer.content.decode()
    assert page.count('class="heat"') == 5
    assert 'value="04521"' in page


def test_what_is_known_of_the_meter_stands_beside_it(as_, utility):
    utility.review("04521", point=utility.point(last=4100))
    beside = as_("reviewer").get(reverse("console:review")).context["beside"]
    assert beside.recent[0].value == 4100
    assert beside.expected.low < 4430 < beside.expected.high
    assert beside.last_year is not None
    assert abs(beside.last_year.taken_at - (utility.now - timedelta(days=365))) < timedelta(days=21)
    assert beside.consumption.value == 421


def test_a_single_day_is_a_single_day(as_, utility):
    point = utility.point(last=4100)
    last = point.readings.order_by("-taken_at").first()
    last.taken_at = utility.now - timedelta(days=1)
    last.save()
    utility.review("04521", point=point, hours_ago=0)
    client = as_("reviewer")
    assert "in 1 day, if" in client.get(reverse("console:review")).content.decode()
    arabic = client.get(reverse("console:review"), headers={"Accept-Language": "ar"}).content.decode()
    assert "خلال يوم واحد" in arabic


def test_what_is_expected_of_a_counter_near_its_end_rolls_over_with_it(as_, utility):
    utility.review("00210", point=utility.point(last=99_990))
    expected = as_("reviewer").get(reverse("console:review")).context["beside"].expected
    assert 0 < expected.low < 330 < expected.high < 1000


def test_round_numbers_are_written_as_people_write_them(as_, utility):
    review = utility.review("04500", point=utility.point(last=4200))
    client = as_("reviewer")
    page = client.get(reverse("console:review")).content.decode()
    assert '<bdi dir="ltr">300</bdi>' in page
    after = decide(client, review, value="04500").content.decode()
    assert '<bdi dir="ltr">4500</bdi>' in after
    assert "E+" not in page + after


def test_two_people_never_have_the_same_one(as_, utility):
    one, two = utility.review("04521"), utility.review("04522")
    first, second = as_("reviewer"), as_("administrator")
    assert shown(first.get(reverse("console:review"))) == one
    assert shown(second.get(reverse("console:review"))) == two
    assert shown(first.get(reverse("console:review"))) == one, "a reload keeps mine"


def test_enter_adopts_what_was_read_and_the_next_one_is_there(as_, utility):
    one, two = utility.review("04521"), utility.review("04522")
    client = as_("reviewer")
    client.get(reverse("console:review"))
    answer = decide(client, one, value="04521")
    assert shown(answer) == two
    assert answer.templates[0].name == "console/_review.html"
    one.refresh_from_db()
    assert one.outcome == "accepted"
    assert Adoption.objects.get().reading.value == 4521
    assert answer.context["today"] == 1


def test_other_digits_typed_correct_it(as_, utility):
    review = utility.review("04521")
    decide(as_("reviewer"), review, value="٠٤٥٢٧")
    review.refresh_from_db()
    assert (review.outcome, review.value) == ("corrected", Decimal(4527))


def test_all_the_digits_of_a_counter_with_decimals_typed_in_a_row_mean_what_they_show(as_, utility):
    review = utility.review("04521", point=utility.point(decimals=1))
    decide(as_("reviewer"), review, value="045217")
    review.refresh_from_db()
    assert review.value == Decimal("4521.7")


@pytest.mark.parametrize("typed", ["", "abc", "9999999", "-3"])
def test_what_the_counter_cannot_show_is_refused_with_words_and_stays_in_the_field(as_, utility, typed):
    review = utility.review("04521")
    answer = decide(as_("reviewer"), review, value=typed)
    assert answer.status_code == 422
    assert shown(answer) == review
    assert "Type its digits as they stand there" in answer.content.decode()
    assert not Adoption.objects.exists()


def test_r_asks_again_with_the_reason(as_, utility):
    review = utility.review("04521")
    decide(as_("reviewer"), review, "ask_again", why="blurred")
    review.refresh_from_db()
    assert review.outcome == "asked_again"
    assert review.submission.judgement.why == "blurred"


def test_a_reason_that_is_none_of_ours_is_no_reason(as_, utility):
    review = utility.review("04521")
    decide(as_("reviewer"), review, "ask_again", why="because")
    assert review.submission.judgement.why == "asked_again"


def test_n_says_that_it_is_not_a_meter(as_, utility):
    review = utility.review("04521")
    decide(as_("reviewer"), review, "not_a_meter")
    review.refresh_from_db()
    assert review.outcome == "not_a_meter"


def test_s_puts_it_aside_for_ten_minutes(as_, utility):
    one, two = utility.review("04521"), utility.review("04522")
    client = as_("reviewer")
    client.get(reverse("console:review"))
    assert shown(decide(client, one, "skip")) == two
    empty = decide(client, two, "skip")
    assert shown(empty) is None
    assert "skipped a moment ago" in empty.content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        assert shown(as_("administrator").get(reverse("console:review"))) == one


def test_u_takes_the_last_one_back(as_, utility):
    one = utility.review("04521")
    client = as_("reviewer")
    after = decide(client, one, value="04521")
    assert after.context["last"] == one
    back = client.post(reverse("console:undo_review", args=[one.pk]), headers=HTMX)
    assert shown(back) == one
    one.refresh_from_db()
    assert one.closed_at is None
    assert not Adoption.objects.filter(superseded_at=None).exists()


def test_taking_back_frees_the_one_that_came_next(as_, utility):
    one, two = utility.review("04521"), utility.review("04522")
    client = as_("reviewer")
    decide(client, one, value="04521")
    client.post(reverse("console:undo_review", args=[one.pk]), headers=HTMX)
    assert shown(as_("administrator").get(reverse("console:review"))) == two


def test_too_late_to_take_back_is_said(as_, utility):
    one = utility.review("04521")
    client = as_("reviewer")
    decide(client, one, value="04521")
    with time_machine.travel(timezone.now() + UNDO_WITHIN + timedelta(seconds=1)):
        answer = client.post(reverse("console:undo_review", args=[one.pk]), headers=HTMX)
    assert "cannot be taken back any more" in answer.content.decode()
    assert Adoption.objects.filter(superseded_at=None).exists()


def test_who_was_away_too_long_is_told_that_somebody_else_has_it(as_, utility):
    one = utility.review("04521")
    away, other = as_("reviewer"), as_("administrator")
    away.get(reverse("console:review"))
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        assert shown(other.get(reverse("console:review"))) == one
        answer = decide(away, one, value="04521")
    assert "somebody else has it now" in answer.content.decode()
    assert not Adoption.objects.exists()


def test_without_script_each_step_is_a_page(as_, utility):
    one = utility.review("04521")
    answer = decide(as_("reviewer"), one, value="04521", htmx=False)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("console:review")


def test_an_empty_queue_says_so(as_):
    assert (
        "Every photograph has been looked at"
        in as_("reviewer").get(reverse("console:review")).content.decode()
    )


def test_the_next_photographs_are_fetched_ahead_but_claimed_by_nobody(as_, utility):
    utility.review("04521")
    two = utility.review("04522")
    answer = as_("reviewer").get(reverse("console:review"))
    assert [each.submission_id for each in answer.context["next_photographs"]] == [two.submission_id]
    assert '<link rel="prefetch"' in answer.content.decode()
    two.refresh_from_db()
    assert two.claimed_by is None


def test_a_typed_number_and_an_unknown_meter_can_be_looked_at_too(as_, utility):
    typed = utility.submission(point=utility.point(), typed="4555")
    Review.objects.create(submission=typed, why="typed_unusual")
    answer = as_("reviewer").get(reverse("console:review"))
    assert "Typed by the customer" in answer.content.decode()
    Review.objects.all().delete()
    Review.objects.create(submission=utility.submission("04521"), why="unknown_sender")
    client = as_("administrator")
    answer = client.get(reverse("console:review"))
    assert "not known whose meter" in answer.content.decode()
    refused = decide(client, shown(answer), value="04521")
    assert refused.status_code == 422
    assert "cannot be adopted" in refused.content.decode()


# Photographs


def test_the_counter_is_cut_out_and_kept_by_the_browser(as_, utility):
    photograph = utility.review("04521").submission.photographs.get()
    answer = as_("reviewer").get(reverse("console:counter", args=[photograph.pk, photograph.sha256]))
    assert answer["Content-Type"] == "image/jpeg"
    assert "immutable" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    from io import BytesIO

    from PIL import Image

    width, height = Image.open(BytesIO(answer.content)).size
    assert abs(width - 1200 * 0.6 * 1.24) <= 2
    assert abs(height - 900 * 0.16 * 2) <= 2


def test_an_agent_sees_photographs_of_conversations_and_none_of_others(as_, utility):
    conversation = utility.conversation()
    in_chat = utility.sends_photograph(conversation, "01111").incoming.media.sha256
    elsewhere = utility.review("02222").submission.photographs.get().sha256
    agent = as_("agent")
    assert agent.get(reverse("console:photograph", args=[in_chat, "thumb"])).status_code == 200
    assert agent.get(reverse("console:photograph", args=[elsewhere, "thumb"])).status_code == 403
    assert as_("supervisor").get(reverse("console:photograph", args=[in_chat, "thumb"])).status_code == 403


def test_a_file_that_is_no_photograph_says_so_in_a_picture(as_, utility):
    photograph = utility.review("04521").submission.photographs.get()
    photograph.sha256, _size = evidence.keep([b"no picture at all"], limit=100)
    photograph.save()
    answer = as_("reviewer").get(reverse("console:photograph", args=[photograph.sha256, "whole"]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert b"not a photograph" in answer.content


def test_a_photograph_that_came_in_a_pdf_is_shown_as_a_picture_whole_and_its_counter_cut_out(as_, utility):
    """Sent as a document; decoded in a process of its own, and only our JPEG of it reaches the browser."""
    from io import BytesIO

    from PIL import Image

    photograph = utility.review("04521").submission.photographs.get()
    picture = Image.open(BytesIO(photograph_of("04521")))
    photograph.sha256, _size = evidence.keep([_files.pdf(picture)], limit=10_000_000)
    photograph.save()
    client = as_("reviewer")
    page = client.get(reverse("console:review")).content.decode()
    whole = reverse("console:photograph", args=[photograph.sha256, "whole"])
    cut = reverse("console:counter", args=[photograph.pk, photograph.sha256])
    for address, light in ((whole, picture), (cut, None)):
        assert f'src="{address}"' in page
        answer = client.get(address)
        assert answer["Content-Type"] == "image/jpeg"
        shown = Image.open(BytesIO(answer.content))
        if light is not None:
            difference = ImageChops.difference(shown.convert("L"), picture.convert("L").resize(shown.size))
            assert ImageStat.Stat(difference).mean[0] < 6, "the photograph, not the paper round it"
        else:
            assert shown.width >= 800


def test_of_an_album_each_photograph_s_counter_is_shown_with_what_was_read_in_it(as_, utility):
    submission = utility.review("04521").submission
    other = utility.submission("04599").photographs.get()
    other.submission = submission
    other.save()
    page = as_("reviewer").get(reverse("console:review")).content.decode()
    for one in submission.photographs.all():
        assert f'src="{reverse("console:counter", args=[one.pk, one.sha256])}"' in page
    assert "Photograph 2" in page
    assert '<b class="figures" dir="ltr">04599</b>' in page


def test_an_upright_picture_is_shown_whatever_way_the_phone_was_held(as_, utility):
    from io import BytesIO

    from PIL import Image

    lying = Image.open(BytesIO(photograph_of("04521"))).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera says: turn a quarter clockwise
    out = BytesIO()
    lying.save(out, "JPEG", exif=exif)
    photograph = utility.review("04521").submission.photographs.get()
    photograph.sha256, _size = evidence.keep([out.getvalue()], limit=10_000_000)
    photograph.save()
    answer = as_("reviewer").get(reverse("console:photograph", args=[photograph.sha256, "whole"]))
    assert Image.open(BytesIO(answer.content)).size == (1200, 900)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_counter_that_stands_on_its_head_is_turned_so_that_picture_and_digits_agree(as_, utility, turns):
    """``turns``: by how many quarters, clockwise, the photograph is turned; its digits are read in their own order."""
    from io import BytesIO

    from PIL import Image

    review = utility.review("04521")
    photograph = review.submission.photographs.get()
    client = as_("reviewer")
    address = reverse("console:counter", args=[photograph.pk, photograph.sha256])
    upright = Image.open(BytesIO(client.get(address).content)).convert("L")
    placed = [digit.left for digit in Seen(photograph).digits]

    out = BytesIO()
    Image.open(BytesIO(photograph_of("04521"))).rotate(-90 * turns, expand=True).save(out, "PNG")
    photograph.sha256, _size = evidence.keep([out.getvalue()], limit=10_000_000)
    for one in [photograph.seen, *photograph.seen["digit_readings"]]:
        name = "counter_box" if "counter_box" in one else "box"
        one[name] = turned(one[name], (4 - turns) % 4)
    photograph.save()
    address = reverse("console:counter", args=[photograph.pk, photograph.sha256])
    again = Image.open(BytesIO(client.get(address).content)).convert("L")
    assert [digit.left for digit in Seen(photograph).digits] == pytest.approx(placed)
    difference = ImageChops.difference(upright, again.resize(upright.size))
    assert ImageStat.Stat(difference).mean[0] < 3


def test_a_step_asks_the_database_no_more_with_a_long_queue_behind_it(as_, utility):
    """Decide, and have the next one: a thousand a day."""
    client, asked = as_("reviewer"), []
    for more in (3, 40):
        for n in range(more):
            utility.review(f"{4400 + n:05}")
        current = shown(client.get(reverse("console:review")))
        with CaptureQueriesContext(connection) as step:
            decide(client, current, value=f"{int(current.submission.judgement.value):05}")
        asked.append(len(step))
    assert asked[1] <= asked[0]


def test_each_digit_shows_how_likely_all_ten_are_and_the_point_is_marked_once(as_, utility):
    review = utility.review("045213", doubt_at=2, point=utility.point(decimals=1))
    photograph = review.submission.photographs.get()
    photograph.seen["digit_readings"][-1]["decimal"] = True
    photograph.save()
    answer = as_("reviewer").get(reverse("console:review"))
    digits = answer.context["beside"].photographs[0].digits
    assert [len(digit.all) for digit in digits] == [10] * 6
    assert [digit.point for digit in digits] == [False] * 5 + [True]
    page = answer.content.decode()
    assert page.count('class="heat"') == 6
    assert page.count("after the point</span>") == 1
