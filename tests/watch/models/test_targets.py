"""``watch.yaml`` as rows: nothing of it is taken over while anything in it is wrong, and nothing is lost that leaves it."""

from datetime import timedelta
from pathlib import Path

import pytest

from rasd.watch.models import JourneyFile, Target
from rasd.watch.watchfile import NotAWatch, read_whole
from tests.watch.reports import NOON

ASK = "journey: ask\ntitle: Asks\ntarget: desk\nwho: {patience: 3m}\nsteps: [{open: /}]\ndone: [{see: Thanks}]\n"
LOOK = ASK.replace("journey: ask", "journey: look")
WATCH = """\
targets:
  desk:
    title: The desk
    url: http://127.0.0.1:9/
    visits_a_day: 8
    journeys: [journeys/*.yaml]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, ask=ASK, look=LOOK)
    return tmp_path


def write(folder: Path, watch: str = WATCH, **journeys: str) -> Path:
    (folder / "journeys").mkdir(exist_ok=True)
    for name, text in journeys.items():
        (folder / "journeys" / f"{name}.yaml").write_text(text)
    path = folder / "watch.yaml"
    path.write_text(watch)
    return path


@pytest.mark.django_db
def test_what_watch_yaml_says_becomes_targets_and_journeys(folder):
    Target.objects.take(read_whole(write(folder)), NOON)
    target = Target.objects.get()
    assert (target.name, target.title, target.visits_a_day) == ("desk", "The desk", 8)
    assert [each.journey.journey for each in target.journeys.all()] == ["ask", "look"]
    assert target.entry.journeys == ["journeys/*.yaml"]


@pytest.mark.django_db
def test_a_changed_wording_is_a_new_row_and_the_old_one_stays(folder):
    Target.objects.take(read_whole(write(folder)), NOON)
    changed = ASK.replace("Thanks", "Thank you")
    later = NOON + timedelta(hours=1)
    Target.objects.take(read_whole(write(folder, ask=changed)), later)
    wordings = JourneyFile.objects.filter(name="ask").order_by("added_at")
    assert [(each.text, each.added_at, each.gone_at) for each in wordings] == [
        (ASK, NOON, later),
        (changed, later, None),
    ]
    Target.objects.take(read_whole(write(folder, ask=ASK)), later + timedelta(hours=1))
    assert JourneyFile.objects.get(name="ask", gone_at=None).text == ASK


@pytest.mark.django_db
def test_a_target_that_left_the_file_is_gone_and_comes_back_as_itself(folder):
    Target.objects.take(read_whole(write(folder)), NOON)
    shop = WATCH.replace("desk:", "shop:").replace("journeys/*", "shop")
    (folder / "shop.yaml").write_text(ASK.replace("target: desk", "target: shop"))
    Target.objects.take(read_whole(write(folder, shop)), NOON + timedelta(hours=1))
    assert Target.objects.get(name="desk").gone_at == NOON + timedelta(hours=1)
    assert not JourneyFile.objects.filter(target__name="desk", gone_at=None).exists()
    Target.objects.take(read_whole(write(folder)), NOON + timedelta(hours=2))
    assert Target.objects.in_force().get().name == "desk"


@pytest.mark.parametrize(
    ("watch", "journeys", "says"),
    [
        (WATCH.replace("8", "5"), {}, r"watch.yaml:5:5: 5 visits a day cannot.*weeks: 5"),
        (WATCH.replace("/*", "/none"), {}, r"watch.yaml:6:16: no file is found by 'journeys/none.yaml'"),
        (WATCH, {"look": ASK}, r"watch.yaml:6:16: two files are the journey 'ask'"),
        (WATCH, {"ask": ASK.replace("target: desk", "target: shop")}, r"6:16: ask.yaml is a journey of 'shop'"),
        (WATCH, {"ask": ASK.replace("see", "sea")}, r"ask.yaml:6:8: 'sea' is no verb"),
        (WATCH.replace("title", "titel"), {}, r"watch.yaml:3:5: 'titel' is not known here"),
        ("targets: [", {}, "not YAML"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_file_line_and_column(folder, watch, journeys, says):
    with pytest.raises(NotAWatch, match=says):
        read_whole(write(folder, watch, **journeys))


def test_mistakes_of_several_files_are_named_at_once(folder):
    wrong = ASK.replace("see", "sea")
    with pytest.raises(NotAWatch) as error:
        read_whole(write(folder, WATCH.replace("8", "5"), ask=wrong, look=LOOK.replace("open", "opne")))
    assert len(error.value.wrong) == 3
