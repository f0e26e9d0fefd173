"""What the cuts of one counter say together."""

from rasd.vision import ctc, strip


def seen(decimals: int | None, point: float) -> ctc.Read:
    return ctc.Read((("04521", 0.9),), (), (), decimals, point)


def test_the_point_stands_where_the_cut_that_shows_it_clearest_has_it() -> None:
    assert strip._after([seen(None, 0.4), seen(1, 0.7)]) == 1
    assert strip._after([seen(2, 0.9), seen(1, 0.7)]) == 2


def test_where_no_cut_shows_a_point_there_is_none() -> None:
    assert strip._after([seen(None, 0.1), seen(None, 0.3)]) is None
