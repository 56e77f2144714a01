"""Typed settings: what they refuse, what they tell about themselves."""

from enum import StrEnum
from typing import Any, Literal

import pytest

from bots.base import BotSettings
from engine.errors import ConfigError
from engine.settings import Settings, check_settings, describe, setting


class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"


class Sample(Settings):
    span: int = setting(50, unit="bars", ge=2, le=500, help="Span.")
    factor: float = setting(3, unit="ATR", gt=0, help="Factor.")
    cap: float | None = setting(None, unit="lots", gt=0, help="Cap.")
    on: bool = setting(True, unit="", help="On.")
    side: Literal["both", "long"] = setting("both", unit="", help="Side.")
    mode: Mode = setting(Mode.FAST, unit="", help="Mode.")
    arms: tuple[float, ...] = setting((1, 2), unit="ATR", help="Arms.")


def test_an_integer_is_a_fine_number_and_a_list_a_fine_tuple() -> None:
    made = check_settings(Sample, {"factor": 2, "mode": "slow", "arms": [1, 1.5]})

    assert (made.factor, made.mode, made.arms) == (2.0, Mode.SLOW, (1.0, 1.5))
    assert isinstance(made.factor, float)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"span": True}, "span: true is not a whole number"),
        ({"span": 1}, "span: 1 is not >= 2"),
        ({"span": 501}, "span: 501 is not <= 500"),
        ({"span": 2.5}, "span: 2.5 is not a whole number"),
        ({"span": None}, "span: null is not a whole number"),
        ({"factor": "3"}, 'factor: "3" is not a number; write it without quotes'),
        ({"factor": "wide"}, 'factor: "wide" is not a number'),
        ({"factor": float("nan")}, "factor: nan is not a finite number"),
        ({"cap": 0}, "cap: 0 is not > 0"),
        ({"on": 1}, "on: 1 is not true or false"),
        ({"on": "True"}, 'on: "True" is not true or false; write it without quotes'),
        ({"side": "lomg"}, 'side: "lomg" is not one of both, long; the nearest is long'),
        ({"mode": "medium"}, 'mode: "medium" is not one of fast, slow'),
        ({"arms": [1, True]}, "arms[1]: true is not a number"),
        ({"arms": 3}, "arms: 3 is not a list"),
        ({"spam": 3}, "spam: unknown key; the nearest is span"),
        ({"zzz": 3}, "zzz: unknown key; known are arms, cap, factor, mode, on, side, span"),
    ],
)
def test_a_refused_value_is_named_with_what_is_allowed(values: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(Sample, values)

    assert str(caught.value) == text


def test_all_problems_are_listed_with_their_place() -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(Sample, {"span": 1, "spam": 2}, ("bot", "settings"), lambda path: f"x.yaml:{len(path)}")

    assert str(caught.value) == (
        "2 problems:\n"
        "  x.yaml:3 bot.settings.span: 1 is not >= 2\n"
        "  x.yaml:3 bot.settings.spam: unknown key; the nearest is span"
    )
    assert [problem.path for problem in caught.value.problems] == [
        ("bot", "settings", "span"),
        ("bot", "settings", "spam"),
    ]


def test_creating_settings_directly_raises_the_same_error() -> None:
    with pytest.raises(ConfigError, match="span: 1 is not >= 2"):
        Sample(span=1)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Sample().span = 3  # type: ignore[misc]


def test_settings_describe_themselves_for_forms_and_pages() -> None:
    infos = {info.name: info for info in describe(Sample)}

    assert list(infos) == ["span", "factor", "cap", "on", "side", "mode", "arms"]
    assert [info.type for info in infos.values()] == ["int", "float", "float", "bool", "choice", "choice", "list"]
    span, factor, cap = infos["span"], infos["factor"], infos["cap"]
    assert (span.unit, span.default, span.lower, span.upper, span.help) == ("bars", 50, 2, 500, "Span.")
    assert (span.lower_open, span.upper_open, span.optional, span.required) == (False, False, False, False)
    assert (factor.lower, factor.lower_open, factor.upper) == (0, True, None)
    assert (cap.default, cap.optional, cap.lower, cap.lower_open) == (None, True, 0, True)
    assert infos["side"].choices == ("both", "long")
    assert infos["mode"].choices == ("fast", "slow")
    assert [infos[name].allowed() for name in ("span", "factor", "side", "on")] == [
        ">= 2, <= 500",
        "> 0",
        "both, long",
        "",
    ]


@pytest.mark.rule("S11.1")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"regular_hours_from": "25:00"},
            "regular_hours_from: '25:00' is no clock time; write it in quotes, as \"09:30\"",
        ),
        ({"regular_hours_to": "9"}, "regular_hours_to: '9' is no clock time; write it in quotes, as \"09:30\""),
        (
            {"regular_hours_from": "16:00"},
            "regular_hours_to: 16:00 is not after regular_hours_from, 16:00; give the ear",
        ),
        ({"regular_hours_to": "08:00"}, "regular_hours_to: 08:00 is not after regular_hours_from, 09:30; give the ear"),
    ],
)
def test_regular_hours_that_are_none_are_refused_at_their_key(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        BotSettings(**given)

    assert told in str(caught.value)
