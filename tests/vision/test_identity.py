"""Barcodes, QR codes and print on a face that we drew, and how near they come to a serial number."""

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from rasd.vision import ocr, open_photograph
from rasd.vision.identity import Closeness, closeness, identify, numbers_in, read_barcodes
from rasd.vision.photograph import Picture
from rasd.vision.rendered import font, render_meter


def face(
    barcode: str = "", printed: str = "", *, kind: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.Code128
) -> Picture:
    """A white face with a barcode and a line of print."""
    picture = Image.new("RGB", (1000, 700), "#e9e9e4")
    if barcode:
        code = zxingcpp.create_barcode(barcode, kind).to_image(scale=4)
        picture.paste(Image.fromarray(np.array(code)).convert("RGB"), (120, 380))
    if printed:
        ImageDraw.Draw(picture).text((120, 120), printed, fill="#222", font=font(56))
    return np.asarray(picture)


@pytest.mark.parametrize("kind", [zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode], ids=str)
def test_a_barcode_is_read_with_its_place(kind):
    [code] = read_barcodes(face("E00000001", kind=kind))
    assert code.text == "E00000001"
    left, top, width, height = code.box
    assert 0.1 < left < 0.2
    assert 0.5 < top < 0.65
    assert width > 0.05
    assert height > 0.0


def test_print_is_not_read_where_a_barcode_answers(monkeypatch):
    monkeypatch.setattr(ocr, "find_lines", lambda picture: pytest.fail("print was read"))
    found = identify(
        face("https://example.com/m/E00000001", kind=zxingcpp.BarcodeFormat.QRCode), expected=["E00000001"]
    )
    assert "E00000001" in found.serials


def test_print_is_not_read_where_nothing_is_expected(monkeypatch):
    monkeypatch.setattr(ocr, "find_lines", lambda picture: pytest.fail("print was read"))
    assert identify(face("12345678")).serials == ("12345678",)


def test_print_is_read_where_the_barcode_says_something_else():
    found = identify(face("99887766", "No. 2041 7735"), expected=["20417735"])
    assert found.serials[0] == "99887766"
    assert any(closeness(text, "20417735") is not None for text in found.serials)


def test_the_serial_number_of_a_rendered_meter_is_seen_and_its_counter_is_none():
    picture = open_photograph(render_meter(45213, serial="OM 20417735", seed=3))
    found = identify(picture, expected=["OM20417735"], counter="045213")
    assert any(closeness(text, "OM20417735") is not None for text in found.serials)
    assert "045213" not in found.serials


@pytest.mark.parametrize(
    ("seen", "serial", "near"),
    [
        ("E00000001", "E00000001", Closeness.EXACT),
        ("e-0000 0001", "E00000001", Closeness.EXACT),
        ("KFM/20417735/2019", "20417735", Closeness.EXACT),
        ("2O4I773S", "20417735", Closeness.LOOK_ALIKE),
        ("20417785", "20417735", Closeness.ONE_LETTER),
        ("2041773", "20417735", Closeness.ONE_LETTER),
        ("204177350", "20417735", Closeness.EXACT),
        ("20414785", "20417735", None),
        ("20471735", "20417735", None),
        ("12345", "1234", None),  # too short to be looked for inside a longer number
        ("", "20417735", None),
        ("20417735", "", None),
    ],
)
def test_how_near_a_number_comes_to_a_serial_number(seen, serial, near):
    assert closeness(seen, serial) == near


def test_numbers_that_a_gap_parts_are_joined_and_ratings_are_none():
    assert numbers_in("No. 2041 7735") == ["20417735", "NO20417735"]
    assert "OM20417735" in numbers_in("OM 20417735")
    assert numbers_in("5(20)A 220V 50Hz") == []
    assert numbers_in("SN: ab-123456") == ["AB-123456"]
