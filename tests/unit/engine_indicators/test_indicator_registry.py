"""Names, parameters and errors of the indicator catalogue."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.series import BarSeries, FloatArray
from engine.errors import CatalogError, ConfigError
from engine.indicators import (
    Indicator,
    IndicatorBars,
    IndicatorCatalogue,
    Where,
    compute,
    compute_all,
    describe,
    names,
    outputs,
    register_indicator,
    warm_up,
)
from engine.indicators.definition import Outputs


def test_the_named_indicators_are_there() -> None:
    named = {"ema", "sma", "rsi", "atr", "bollinger", "macd", "adx", "donchian", "session_vwap", "true_range", "rma"}

    assert named <= set(names())
    assert {"sar", "cci", "stoch", "obv", "cdlengulfing", "ht_trendline"} <= set(names())
    assert "mavp" not in names()


def test_every_indicator_describes_itself_for_a_dialog() -> None:
    for name in names():
        indicator = describe(name)
        assert indicator.title
        assert indicator.help
        for parameter in indicator.parameters:
            assert parameter.help, (name, parameter.name)
            assert parameter.check(name, parameter.default) == parameter.default


def test_a_joined_name_an_output_and_all_outputs_agree(walk: IndicatorBars) -> None:
    together = compute_all("bollinger", walk, period=10)

    assert outputs("bollinger") == ("upper", "middle", "lower") == tuple(together)
    np.testing.assert_array_equal(compute("bollinger_lower", walk, period=10), together["lower"])
    np.testing.assert_array_equal(compute("bollinger", walk, period=10, output="lower"), together["lower"])
    np.testing.assert_array_equal(compute("bollinger", walk, period=10), together["upper"])


def test_price_says_what_goes_in(walk: IndicatorBars) -> None:
    expected = np.convolve((walk.high + walk.low) / 2.0, np.full(4, 0.25), mode="valid")

    np.testing.assert_allclose(compute("sma", walk, period=4, price="hl2")[3:], expected, rtol=1e-12)
    np.testing.assert_array_equal(compute("sma", walk, period=1, price="high"), walk.high)
    np.testing.assert_allclose(
        compute("sma", walk, period=1, price="ohlc4"),
        (walk.open + walk.high + walk.low + walk.close) / 4.0,
        rtol=1e-15,
    )


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("ema", {"period": 50}, 49),
        ("atr", {}, 14),
        ("rsi", {"period": 7}, 7),
        ("bollinger_upper", {"period": 20}, 19),
        ("macd_signal", {}, 33),
        ("adx", {"period": 14}, 27),
        ("session_vwap", {}, 0),
    ],
)
def test_warm_up_is_the_number_of_bars_without_a_value(name: str, parameters: dict[str, object], expected: int) -> None:
    assert warm_up(name, **parameters) == expected


def test_fewer_bars_than_the_warm_up_give_nan_only(walk: IndicatorBars) -> None:
    for length in (0, 1, 13):
        values = compute("atr", walk.prefix(length))
        assert values.shape == (length,)
        assert np.isnan(values).all()


@pytest.mark.parametrize(
    ("name", "cure"),
    [("bolinger", "nearest is bollinger;"), ("EMA", "nearest is ema;"), ("macd_signl", "nearest is macd_signal;")],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, cure: str, walk: IndicatorBars) -> None:
    with pytest.raises(CatalogError, match=cure):
        compute(name, walk)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ema", {"perod": 5}, "no parameter perod; the nearest is period"),
        ("ema", {"period": 0}, "period is 0; allowed is from 1 to 100000"),
        ("ema", {"period": 2.5}, "period is 2.5; allowed is a whole number"),
        ("ema", {"period": True}, "period is True; allowed is a whole number"),
        ("ema", {"period": "10"}, "period is '10'; allowed is a whole number"),
        ("ema", {"price": "typical"}, "price is 'typical'; allowed is one of close, open"),
        ("bollinger", {"deviations": float("nan")}, "deviations is nan; allowed is a finite number"),
        ("bollinger", {"output": "top"}, "no output 'top'; it has: upper, middle, lower"),
        ("adx", {"period": 1}, "TA-Lib refuses period 1"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(
    name: str, parameters: dict[str, object], message: str, walk: IndicatorBars
) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        compute(name, walk, **parameters)


def test_numpy_and_whole_float_parameters_are_taken(walk: IndicatorBars) -> None:
    expected = compute("ema", walk, period=5)

    np.testing.assert_array_equal(compute("ema", walk, period=np.int64(5)), expected)
    np.testing.assert_array_equal(compute("ema", walk, period=5.0), expected)


def test_a_users_function_is_asked_for_like_any_other(walk: IndicatorBars) -> None:
    @register_indicator(
        "test_share_of_range",
        overlay=True,
        outputs=("up", "down"),
        warm_up=lambda period, scale: period,
        bounds={"scale": (0.5, 2.0)},
        help_texts={"scale": "Factor on the result"},
    )
    def share(bars: IndicatorBars, period: int = 2, scale: float = 1.0) -> Outputs:
        """Share of the range."""
        up = bars.high * scale
        up[:period] = np.nan
        return up, -up

    indicator = describe("test_share_of_range")
    assert indicator.where is Where.OVERLAY
    assert indicator.help == "Share of the range."
    assert warm_up("test_share_of_range", period=4) == 4
    np.testing.assert_array_equal(compute("test_share_of_range_down", walk, scale=2)[2:], -2.0 * walk.high[2:])
    with pytest.raises(ConfigError, match=r"scale is 3; allowed is from 0\.5 to 2"):
        compute("test_share_of_range", walk, scale=3)


def test_a_name_that_is_taken_is_refused_but_the_same_function_may_come_again() -> None:
    def again(bars: IndicatorBars) -> FloatArray:
        return bars.close

    register_indicator("test_again")(again)
    register_indicator("test_again")(again)
    with pytest.raises(CatalogError, match="indicator ema exists already"):
        register_indicator("ema")(again)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (np.zeros(3), r"returned float64\[3\] for value; float64\[240\] is needed"),
        (np.zeros(240, dtype=np.float32), r"returned float32\[240\]"),
        ([0.0] * 240, "returned list for value"),
        ((np.zeros(240), np.zeros(240)), "returned 2 arrays where it declares 1"),
    ],
)
def test_a_function_that_returns_something_else_is_named(result: FloatArray, message: str, walk: IndicatorBars) -> None:
    def broken(bars: IndicatorBars) -> FloatArray:
        return result

    catalogue_name = "test_broken"
    register_indicator(catalogue_name)(broken)
    with pytest.raises(CatalogError, match=message):
        compute(catalogue_name, walk)


def test_a_parameter_without_a_usable_default_is_refused() -> None:
    def bare(bars: IndicatorBars, period: int) -> FloatArray:
        return bars.close

    def worded(bars: IndicatorBars, kind: str = "fast") -> FloatArray:
        return bars.close

    with pytest.raises(CatalogError, match="parameter period needs a default that is a number"):
        register_indicator("test_bare")(bare)
    with pytest.raises(CatalogError, match="choices of kind do not hold 'fast'"):
        register_indicator("test_worded")(worded)


def test_a_catalogue_of_ones_own_knows_talib_but_not_others_names() -> None:
    catalogue = IndicatorCatalogue(())

    found, output = catalogue.find("macd_histogram")
    assert isinstance(found, Indicator)
    assert output == "histogram"
    with pytest.raises(CatalogError):
        catalogue.find("session_vwap")


def test_bars_of_a_series_are_shared_not_copied() -> None:
    column = np.arange(4.0)
    series = BarSeries(
        symbol="X",
        time_ns=np.arange(4, dtype=np.int64),
        open=column,
        high=column,
        low=column,
        close=column,
        volume=column,
        bar_ns=1,
        source="made",
        digest="0",
    )

    bars = IndicatorBars.from_series(series)

    assert bars.close is column
    assert len(bars.prefix(3)) == 3


def test_compiled_indicators_do_without_pandas(repo_root: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from engine.indicators import IndicatorBars, compute\n"
        "x = np.arange(60.0)\n"
        "b = IndicatorBars(open=x, high=x, low=x, close=x, volume=x, time_ns=np.arange(60))\n"
        "for name in ('ema', 'sma', 'rma', 'rsi', 'atr', 'bollinger_upper', 'donchian', 'session_vwap'):\n"
        "    compute(name, b)\n"
        "sys.exit('pandas' in sys.modules or 'talib' in sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=repo_root, timeout=120, check=False)

    assert done.returncode == 0
