"""The market: longer timeframes, flags of sessions and days, finer bars, and where tables stand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data.instruments import AssetClass
from data.series import BarSeries
from data.sessions import SessionCalendar
from data.timeline import Timeline
from engine.errors import ConfigError
from engine.indicators import IndicatorBars, compute
from engine.kernel.state import DAY_FIRST, DAY_LAST, ENTRY_OK, FLATTEN, REAL, SESSION_FIRST
from engine.market import Market, SessionPolicy, to_ticks
from tests.unit.engine.small_runs import MINUTE_NS, flat_rows, instrument, market, series

HOUR_NS = 60 * MINUTE_NS
# Friday 2024-03-08 21:50 UTC: ten minutes before the CME closes for the week.
BEFORE_CLOSE_NS = 1_709_934_600_000_000_000


def wave(n: int, start_ns: int = BEFORE_CLOSE_NS, gaps: tuple[int, ...] = ()) -> BarSeries:
    """Minute bars of a wave; minutes in ``gaps`` are missing."""
    at = np.array([minute for minute in range(n) if minute not in gaps], np.int64)
    close = 100 + 5 * np.sin(at / 7.0)
    opening = np.concatenate(([100.0], close[:-1]))
    return replace(
        series("ES", [(100.0, 101.0, 99.0, 100.0)]),
        time_ns=start_ns + at * MINUTE_NS,
        open=opening,
        high=np.maximum(opening, close) + 0.5,
        low=np.minimum(opening, close) - 0.5,
        close=close,
        volume=np.ones(len(at)),
    )


def market_of(one: BarSeries, calendar: str | None = None, **facts: Any) -> Market:
    return Market([instrument("ES", **facts)], [one], None, [SessionCalendar.named(calendar)])


@pytest.mark.rule("S3.6")
def test_a_longer_timeframe_shows_closed_bars_of_it_only() -> None:
    """At OPEN of minute t, the value is that of the last 5-minute bar that is over by then."""
    one = wave(60, start_ns=1_709_899_200_000_000_000, gaps=(14, 15, 31))
    known = Market.before(market_of(one).indicator("sma", "5m", period=2))[:, 0]

    closes: dict[int, float] = {}
    for time_ns, close in zip(one.time_ns.tolist(), one.close.tolist(), strict=True):
        closes[time_ns // (5 * MINUTE_NS)] = close
    for t, opens in enumerate(one.time_ns.tolist()):
        over = [close for bucket, close in closes.items() if (bucket + 1) * 5 * MINUTE_NS <= opens]
        expected = np.nan if len(over) < 2 or t == 0 else (over[-1] + over[-2]) / 2
        assert known[t] == pytest.approx(expected, nan_ok=True), t


@pytest.mark.rule("S3.6", "S10.2")
def test_a_longer_timeframe_is_the_same_whatever_comes_later() -> None:
    one = wave(200)
    whole = market_of(one).indicator("ema", "15m", period=3)
    for n in (16, 31, 46, 100, 199):
        part = market_of(wave(n)).indicator("ema", "15m", period=3)
        # The last row of the part looks to a next open that is not there; all before it are settled.
        assert part[: n - 1].tobytes() == whole[: n - 1].tobytes()


@pytest.mark.rule("S3.3", "S10.1")
def test_indicators_are_computed_on_real_bars_and_carried_over_synthetic_ones() -> None:
    two = market({"A": flat_rows(12), "B": [None if i % 3 == 1 else row for i, row in enumerate(flat_rows(12))]})
    table = two.indicator("sma", period=3)[:, 1]
    own = compute("sma", IndicatorBars.from_series(two.series[1]), period=3)

    assert np.array_equal(table[two.timeline.real[:, 1]], own, equal_nan=True)
    synthetic = np.flatnonzero(~two.timeline.real[:, 1])
    assert np.array_equal(table[synthetic], table[synthetic - 1], equal_nan=True)


@pytest.mark.rule("S11.1")
def test_the_window_before_the_maintenance_break_flattens_and_forbids_entries() -> None:
    """21:55 to 22:00 UTC is the last five minutes before 17:00 New York."""
    flags = market_of(wave(10), "CME Globex Equity").flags(SessionPolicy())[:, 0]

    assert [bool(bit & FLATTEN) for bit in flags] == [False] * 5 + [True] * 5
    assert [bool(bit & ENTRY_OK) for bit in flags] == [True] * 5 + [False] * 5


@pytest.mark.rule("S11.1")
def test_the_first_real_bar_after_the_break_begins_a_session() -> None:
    after = np.concatenate((np.arange(5), 49 * 60 + 10 + np.arange(3)))  # Sunday 23:00 UTC, summer time has begun
    one = wave(8)
    moved = replace(one, time_ns=BEFORE_CLOSE_NS + after * MINUTE_NS)
    flags = market_of(moved, "CME Globex Equity").flags(SessionPolicy())[:, 0]

    assert [bool(bit & SESSION_FIRST) for bit in flags] == [False] * 5 + [True] + [False] * 2
    assert [bool(bit & DAY_FIRST) for bit in flags] == [True] + [False] * 4 + [True] + [False] * 2
    assert [bool(bit & DAY_LAST) for bit in flags] == [False] * 4 + [True] + [False] * 2 + [True]


@pytest.mark.rule("S11.1", "S18")
@pytest.mark.parametrize(
    ("facts", "bar_ns", "calendar", "flattens"),
    [
        ({}, MINUTE_NS, "CME Globex Equity", True),
        ({"asset_class": AssetClass.EQUITY}, MINUTE_NS, "NYSE", False),
        ({}, 2 * HOUR_NS, "CME Globex Equity", False),
        ({}, MINUTE_NS, None, False),
    ],
)
def test_futures_with_short_bars_and_a_calendar_flatten_by_default(
    facts: dict[str, Any], bar_ns: int, calendar: str | None, flattens: bool
) -> None:
    one = replace(wave(3), bar_ns=bar_ns)
    assert market_of(one, calendar, **facts).flattens(0, SessionPolicy()) is flattens


@pytest.mark.rule("S11.1")
@pytest.mark.parametrize("policy", [SessionPolicy(flatten=True), SessionPolicy(enforce=True)])
def test_sessions_cannot_be_kept_on_bars_longer_than_an_hour(policy: SessionPolicy) -> None:
    one = replace(wave(3), bar_ns=2 * HOUR_NS)
    with pytest.raises(ConfigError, match="longer than an hour"):
        market_of(one, "CME Globex Equity").flattens(0, policy)


@pytest.mark.rule("S11.1")
def test_regular_hours_are_kept_with_holidays() -> None:
    """14:25 to 14:35 UTC in winter: the NYSE opens at 14:30; on Christmas it does not."""
    day = 1_702_650_300_000_000_000  # Friday 2023-12-15 14:25 UTC
    christmas = day + 10 * 24 * HOUR_NS
    for start, expected in ((day, [False] * 5 + [True] * 5), (christmas, [False] * 10)):
        flags = market_of(wave(10, start), "CME Globex Equity").flags(SessionPolicy(enforce=True))[:, 0]
        assert [bool(bit & ENTRY_OK) for bit in flags] == expected


@pytest.mark.rule("S3.2")
def test_a_synthetic_bar_has_the_last_close_and_nothing_else() -> None:
    rows = flat_rows(4)
    two = market({"A": rows, "B": [None, rows[1], None, rows[3]]})
    bars = two.bars[:, 1]

    assert np.isnan([bars["o"][0], bars["h"][0], bars["c"][0]]).all()
    assert np.isnan([bars["o"][2], bars["h"][2], bars["l"][2]]).all()
    assert bars["c"][2] == bars["c"][1]
    assert two.volume[:, 1].tolist() == [0.0, 11.0, 0.0, 13.0]
    assert [bool(bit & REAL) for bit in two.flags()[:, 1]] == [False, True, False, True]


@pytest.mark.rule("S6.4")
def test_finer_bars_that_do_not_make_up_their_bar_count_as_none() -> None:
    rows = flat_rows(3)
    finer = replace(
        series("ES", [rows[0]]),
        time_ns=np.array([0, 30, 60, 90, 120], np.int64) * 1_000_000_000 + series("ES", rows).time_ns[0],
        open=np.array([100.0, 100.5, 100.5, 101.0, 101.0]),
        high=np.array([101.0, 100.5, 101.5, 101.0, 101.5]),
        low=np.array([99.0, 100.5, 99.5, 101.0, 100.0]),
        close=np.array([100.5, 100.5, 101.0, 101.0, 101.5]),
        volume=np.ones(5),
        bar_ns=30_000_000_000,
    )
    calendars = [SessionCalendar.named(None)]
    made, start = Market([instrument("ES")], [series("ES", rows)], {"ES": finer}, calendars).fine_table()

    assert np.diff(start).tolist() == [2, 2, 0]  # the third bar's high is not reached
    assert made["o"].tolist() == (np.array([100.0, 100.5, 100.5, 101.0]) * 4).tolist()


@pytest.mark.rule("S2.1")
def test_prices_within_a_millionth_of_a_tick_are_on_the_grid() -> None:
    ticks = to_ticks(np.array([0.3, 0.1 * 3, 0.30000001, 0.35, -0.0]), 0.1)
    assert ticks.tolist()[:3] == [3.0, 3.0, 3.0]
    assert ticks[3] == pytest.approx(3.5)
    assert np.copysign(1.0, ticks[4]) == 1.0


def test_a_cut_market_is_the_market_of_the_cut_bars() -> None:
    one = wave(30)
    whole = market_of(one)
    part = whole.cut(int(one.time_ns[10]), int(one.time_ns[20]))

    assert part.time_ns.tolist() == one.time_ns[10:20].tolist()
    assert part.bars.tobytes() == whole.bars[10:20].tobytes()


@pytest.mark.rule("S17.2")
def test_a_live_bar_that_stands_at_two_master_bars_is_at_both_though_as_many_stand_at_none() -> None:
    """As many own bars as master bars, all real, and yet not one for one."""
    one = wave(3)
    rows = np.array([[0], [0], [2]], np.int32)
    timeline = Timeline(("ES",), one.time_ns, np.ones((3, 1), np.bool_), rows)
    made = Market([instrument("ES")], [one], None, [SessionCalendar.named(None)], timeline)

    expected = to_ticks(one.close, made.instruments[0].tick_size)
    assert made.bars["c"][:, 0].tolist() == [expected[0], expected[0], expected[2]]
    assert made.indicator("sma", period=1)[:, 0].tolist() == [one.close[0], one.close[0], one.close[2]]
