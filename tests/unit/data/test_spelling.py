"""Which known name a mistyped one stands for, and how it is said."""

import pytest

from data.spelling import alike, nearest, nearest_or_all

NAMES = ("ema", "Bollinger", "bollinger_upper", "rsi", "ES")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("bolinger", "; the nearest is Bollinger"),
        ("EMA", "; the nearest is ema"),
        ("EX", "; the nearest is ES"),  # half of two letters
        (12, ""),
        ("volume", ""),
    ],
)
def test_the_nearest_name_is_said_whatever_the_case(word: object, said: str) -> None:
    assert nearest(word, NAMES) == said


def test_several_are_said_nearest_first() -> None:
    assert nearest("bollinger_up", NAMES, most=2) == "; the nearest are bollinger_upper, Bollinger"


def test_where_nothing_is_near_all_are_said() -> None:
    assert nearest_or_all("volume", ["b", "a"]) == "; known are a, b"
    assert nearest_or_all("volume", []) == ""
    assert nearest_or_all("emo", NAMES) == "; the nearest is ema"


def test_what_is_near_enough_can_be_set() -> None:
    assert alike("rsx", ["rsi"], likeness=0.8) == []
    assert alike("rsx", ["rsi"], likeness=0.6) == ["rsi"]
