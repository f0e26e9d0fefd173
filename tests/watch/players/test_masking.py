"""No secret in evidence, whatever hand wrote it down."""

import html
import io
import json
import zipfile
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rasd.watch.players.masking import MASK, covered, mask, without_secrets

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=4, max_size=16)
WRITTEN = {
    "as it is": str,
    "in an address": lambda text: quote(text, safe=""),
    "in an address, as browsers do": lambda text: quote(text, safe="&=?/:@!$'()*+,;~"),
    "in a form": quote_plus,
    "in HTML": html.escape,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON, with its letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in JSON within JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@settings(max_examples=40)
@given(secret=SECRETS)
def test_a_secret_is_masked_however_it_is_written(written, secret: str) -> None:
    assert mask(f"<{written(secret)}>", [secret]) == f"<{MASK}>"


def test_a_number_is_masked_in_groups_and_in_the_digits_of_the_country() -> None:
    for written in ("12345678", "1234 5678", "1234-5678", "١٢٣٤٥٦٧٨", "١٢٣٤ ٥٦٧٨", "۱۲۳۴۵۶۷۸"):
        assert mask(f"No. {written}.", ["12345678"]) == f"No. {MASK}."
    assert mask("1 2 3 4", ["1234"]) == "1 2 3 4"  # four digits apart are four numbers


def test_the_longest_secret_goes_first_and_an_empty_one_masks_nothing() -> None:
    assert mask("pass password", ["pass", "password", ""]) == f"{MASK} {MASK}"


def test_a_trace_stays_readable_and_has_no_secret() -> None:
    secret = "4521&ü"
    entries = [{"type": "before", "startTime": 4521.5, "params": {"value": secret}, "_sha1": "4521.html"}]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as trace:
        trace.writestr("trace.trace", "\n".join(map(json.dumps, entries)))
        trace.writestr("resources/a.html", f"<input value='{html.escape(secret)}'>")
        trace.writestr("resources/b.dat", urlencode({"pin": secret}))
        trace.writestr("resources/c.bin", b"\xff\xfe" + secret.encode())
        trace.writestr("resources/d.png", b"\x89PNG\xff")
    with zipfile.ZipFile(io.BytesIO(without_secrets(packed.getvalue(), [secret]))) as trace:
        parts = {name: trace.read(name) for name in trace.namelist()}
    assert json.loads(parts["trace.trace"]) == entries[0] | {"params": {"value": MASK}}
    assert parts["resources/a.html"].decode() == f"<input value='{MASK}'>"
    assert parts["resources/b.dat"].decode() == f"pin={MASK}"
    assert parts["resources/c.bin"] == b""
    assert parts["resources/d.png"] == b"\x89PNG\xff"


def test_a_picture_is_covered_where_it_must_be_and_else_the_same() -> None:
    out = io.BytesIO()
    Image.new("RGB", (200, 100), "white").save(out, "JPEG")
    picture = out.getvalue()
    assert covered(picture, [(10, 10, 10, 40)], 100) == picture  # nothing of it is drawn
    image = Image.open(io.BytesIO(covered(picture, [(10, 10, 50, 40)], 100)))
    assert max(image.getpixel((60, 50))) < 20  # of a window of 100, a picture of 200 is twice as wide
    assert min(image.getpixel((150, 50))) > 235
