"""Things are found by what is written on them: exactly, then loosely; of two alike none is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.journeys.steps import Thing
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.finding import Trouble
from rasd.watch.players.normal import normal, within
from rasd.watch.players.pointing import find, not_there, to_choose, to_press, to_tick, to_type, tree

PAGE = """\
- generic [active] [ref=e1] [box=0,0,412,800]:
  - navigation [ref=e2]:
    - link "Contact us" [ref=e3] [cursor=pointer]:
      - /url: /contact
  - generic [ref=e4]:
    - heading "Send" [level=1] [ref=e5]
    - button "Send now" [ref=e6]
    - generic [ref=e7] [cursor=pointer]: Details
  - table [ref=e8]:
    - row [ref=e9]:
      - cell "رقم الحساب" [ref=e10]
      - cell [ref=e11]:
        - textbox [ref=e12]: "12: 3"
    - row [ref=e13]:
      - cell "الرمز" [ref=e14]
      - cell [ref=e15]:
        - textbox [ref=e16]
  - text: "E-mail:"
  - textbox "E-mail *" [ref=e17]:
    - /placeholder: name@example.org
  - textbox "اكتب رسالتك" [ref=e18]:
    - /placeholder: اكتب رسالتك
  - generic [ref=e19]:
    - checkbox [checked] [ref=e20]
    - text: I agree
  - 'button "a: \\"b\\"" [ref=e21]'
  - button "Tiny" [ref=e22] [box=5,5,1,1]
  - button "Beside" [ref=e23] [box=-900,5,100,30]
  - combobox "Service" [ref=e24]:
    - option "Water" [selected]
  - contentinfo [ref=e25]:
    - link "Contact us" [ref=e26] [cursor=pointer]:
      - /url: /contact
"""
ROOT = tree(PAGE)


def ref(sought, loosely: bool = False) -> str | None:
    node = find(ROOT, sought, loosely)
    return node.ref if node else None


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("رقم الحساب", "e12"),  # beside it, in a table
        ("الرّمـز:", "e16"),
        ("e-mail", "e17"),
        ("name@example.org", "e17"),
        ("اكتب رسالتك…", "e18"),
    ],
)
def test_a_field_is_found_by_its_label_by_what_is_in_it_and_by_the_words_beside_it(
    label: str, field: str
) -> None:
    assert ref(to_type(Thing(name=label))) == field


def test_a_button_is_pressed_though_a_heading_says_the_same_and_only_once_nothing_fits_better() -> None:
    assert ref(to_press(Thing(name="Send"))) is None
    assert ref(to_press(Thing(name="Send")), loosely=True) == "e6"
    assert ref(to_press(Thing(name="Details"))) == "e7"
    assert ref(to_press(Thing(name='A: "B"'))) == "e21"
    assert ref(to_tick(Thing(name="i agree"))) == "e20"
    assert ref(to_choose(Thing(name="Service"))) == "e24"


def test_two_links_to_one_place_are_one_thing_and_what_nobody_can_see_is_none() -> None:
    assert ref(to_press(Thing(name="Contact us"))) == "e3"
    assert ref(to_press(Thing(name="Tiny"))) is None
    assert ref(to_press(Thing(name="Beside"))) is None


def test_of_two_alike_none_is_taken_unless_the_journey_tells_which() -> None:
    root = tree(
        '- row [ref=e1]:\n  - text: January\n  - button "Pay" [ref=e2]\n'
        '- row [ref=e3]:\n  - text: February\n  - button "Pay" [ref=e4]\n'
    )
    with pytest.raises(CannotPlay, match="'Pay' in 'January'; button 'Pay' in 'February'") as error:
        find(root, to_press(Thing(name="pay")), False)
    assert error.value.trouble is Trouble.TWO_OF_THEM
    assert find(root, to_press(Thing(name="Pay", near="February")), False).ref == "e4"
    assert find(root, to_press(Thing(name="Pay", nth=2)), False).ref == "e4"
    with pytest.raises(CannotPlay, match="there are 2 of 'Pay'"):
        find(root, to_press(Thing(name="Pay", nth=3)), False)


def test_what_is_not_there_is_said_with_the_words_that_are() -> None:
    assert not_there(ROOT, to_press(Thing(name="Snd now"))) == (
        "nothing to press is called 'Snd now'; did you mean 'Send now'?"
    )
    assert not_there(ROOT, to_type(Thing(name="Zip"))) == "no field is called 'Zip'"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("إِرْسَـــالٌ", "ارسال"),
        ("أحمد إبراهيم آل ٱ", "احمد ابراهيم ال ا"),
        ("المدينة مستشفى", "المدينه مستشفي"),
        ("١٢٫٥٠٠ ريال", "12.500 ريال"),
        ("۴۵۶", "456"),
        ("  Submit\u00a0 a\nTicket › ", "submit a ticket"),
        ("\u200fالاسم *:", "الاسم"),
        ("→", "→"),
    ],
)
def test_what_reads_the_same_is_the_same(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@given(st.text(max_size=30))
def test_what_was_made_comparable_is_compared_as_it_stands(text: str) -> None:
    assert normal(normal(text)) == normal(text)


def test_words_are_found_as_words_and_not_within_others() -> None:
    assert within(normal("تم"), normal("تم الاستلام"))
    assert not within(normal("تم"), normal("اهتمام"))
    assert not within(normal("12"), normal("2012"))
