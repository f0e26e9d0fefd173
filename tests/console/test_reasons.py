"""Why the machine did something is told in the reader's language; what a person wrote stands as it is."""

import pytest
from django.utils import translation

from rasd.console import reasons


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("waited in الخط الأول", "انتظر في الخط الأول"),
        ("the shift is over", "انتهت المناوبة"),
        ("the channel could not deliver the closing answer", "تعذّر إيصال الرد"),
        ("she knows him 100%", "she knows him 100%"),
    ],
)
def test_a_reason_of_the_machine_is_told_in_arabic(written, told):
    with translation.override("ar"):
        assert reasons.told(written) == told
