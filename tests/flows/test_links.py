"""The address of an account's page: opens that account's only, cannot be guessed, dies by age, by hand, and with the number."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rasd.channels.models import Address, Channel
from rasd.flows.models import LinkRevocation
from rasd.flows.models.links import ALPHABET, LASTS, LENGTH, contact_of, token_of
from rasd.ledger.models import Entry
from rasd.metering.models import Account, AccountContact
from tests.flows.conftest import NOON


@pytest.fixture
def contact(db):
    account = Account.objects.create(number="1", holder_name="x")
    return AccountContact.objects.create(
        account=account, identifier="tel:+96890000001", since=NOON - timedelta(days=90)
    )


def test_it_opens_for_sixty_two_days(contact):
    token = token_of(contact, NOON)
    assert token.isalnum()
    assert len(token) == LENGTH
    assert contact_of(token, NOON + LASTS) == contact
    assert contact_of(token, NOON + LASTS + timedelta(seconds=1)) is None


def test_a_revoked_one_opens_nothing_and_one_made_later_does(contact):
    old = token_of(contact, NOON)
    LinkRevocation.make(contact, at=NOON + timedelta(hours=1), actor="customer:x", why="sent on by mistake")
    new = token_of(contact, NOON + timedelta(hours=2))
    assert [contact_of(each, NOON + timedelta(hours=3)) for each in (old, new)] == [None, contact]
    assert Entry.objects.get(action="account.links_revoked").subject == "account:1"


def test_it_dies_with_the_contact_and_when_the_number_moves_to_another_person(contact):
    token = token_of(contact, NOON)
    address = Address.objects.create(channel=Channel.WHATSAPP, phone="+96890000001")
    assert contact_of(token, NOON) == contact
    address.phone_moved_at = NOON + timedelta(days=1)
    address.save()
    assert contact_of(token, NOON + timedelta(days=2)) is None
    address.delete()
    contact.delete()
    assert contact_of(token, NOON) is None


def test_it_dies_when_its_contact_row_becomes_another_accounts(contact):
    token = token_of(contact, NOON)
    contact.account = Account.objects.create(number="2", holder_name="y")
    contact.save()
    assert contact_of(token, NOON) is None


class TestGuessing(TestCase):
    @given(place=st.integers(0, LENGTH - 1), letter=st.sampled_from(ALPHABET))
    def test_no_letter_of_it_can_be_changed(self, place, letter):
        account = Account.objects.create(number="1", holder_name="x")
        AccountContact.objects.bulk_create(
            AccountContact(account=account, identifier=f"tel:+{n}", since=NOON) for n in range(3)
        )
        token = token_of(AccountContact.objects.first(), NOON)
        changed = token[:place] + letter + token[place + 1 :]
        assert changed == token or contact_of(changed, NOON) is None

    @given(st.text(max_size=40))
    def test_no_other_text_opens_anything_or_breaks(self, text):
        assert contact_of(text, NOON) is None
