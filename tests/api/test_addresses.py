"""What has no address in the API is told so as everything else is: as a problem, not as a page."""

import pytest
from django.test import Client


@pytest.mark.parametrize("address", ["", "nothing", "conversations/%0A", "a%0Ab/c"])
def test_what_is_nowhere_is_told_as_a_problem(address: str) -> None:
    answer = Client().get(f"/api/v1/{address}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
