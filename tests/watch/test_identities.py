"""Made-up people are ordinary, are nobody, and are the same again from the same seed."""

from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.identities import NOBODYS_BRITISH, NOBODYS_OMANI, secrets, somebody

SEEDS = st.text("0123456789abcdef", min_size=1, max_size=64)


@given(SEEDS, st.sampled_from(["ar", "en"]))
def test_the_same_seed_is_the_same_person_in_both_scripts(seed, language):
    person = somebody(seed, language)

    assert person == somebody(seed, language)
    assert person["name"] == person[f"name_{language}"] == f"{person['first']} {person['last']}"
    assert person["name_en"].isascii()
    assert not any(each.isascii() for each in person["name_ar"].replace(" ", ""))


@given(SEEDS)
def test_no_number_or_address_of_theirs_can_be_anybodys(seed):
    omani, british = somebody(seed), somebody(seed, zone="Europe/London")

    assert omani["phone"].startswith(NOBODYS_OMANI)
    assert len(omani["phone"]) == len("+968") + 8
    assert british["phone"].startswith(NOBODYS_BRITISH)
    assert len(british["phone"]) == len("+44") + 10
    assert omani["email"].endswith("@example.org")
    assert omani["account"].startswith("000")


def test_each_visit_has_a_box_of_its_own_in_the_mailbox():
    one, other = (somebody(seed, mailbox="watch@example.com")["email"] for seed in "12")

    assert one != other
    assert one.startswith("watch+")
    assert one.endswith("@example.com")


def test_secrets_come_from_the_environment_by_their_names():
    environment = {"RASD_WATCH_SECRET_DOOR_CODE": "1234", "RASD_WATCH_SECRET_EMPTY": "", "HOME": "/"}

    assert secrets(environment) == {"door_code": "1234"}
