"""The address that customers are told: looked at before one of them is."""

import pytest
from pydantic import ValidationError

from rasd.config.check import customers_pages
from rasd.config.options import Options


def test_without_it_customers_are_told_no_page_and_the_mend_is_named():
    assert "set RASD_PUBLIC_URL" in customers_pages("", ["localhost"]).mend


def test_one_that_is_not_served_is_found():
    assert "add service.example.om" in customers_pages("https://service.example.om", ["localhost"]).mend


@pytest.mark.parametrize("hosts", [["service.example.om"], [".example.om"], ["*"]])
def test_one_that_is_served_is_well(hosts: list[str]):
    assert not customers_pages("https://service.example.om", hosts).mend


@pytest.mark.parametrize(
    "url", ["service.example.om", "https://", "https://x.om/t", "ftp://x.om", "https://x.om?y"]
)
def test_what_is_no_sites_address_is_refused_by_name(url: str):
    with pytest.raises(ValidationError, match="public_url"):
        Options(public_url=url)


def test_a_slash_at_its_end_does_not_double():
    assert Options(public_url="https://x.om/").public_url == "https://x.om"
