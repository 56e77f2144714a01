"""What a synthetic market is made of: legal bars, sessions, seeds, hidden regimes, and what they are worth."""

from dataclasses import replace

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from data.errors import SourceError
from data.sessions import SessionCalendar
from data.synthetic import (
    FAIR_REGIMES,
    HIDDEN_REGIMES,
    MarketSettings,
    Regime,
    SyntheticMarket,
    generate,
    generate_many,
)
from data.synthetic.market import _in_price
from data.synthetic.walk import _walk, walk

SETTINGS = MarketSettings(symbol="AB_SYN", sessions=60, volatility_ticks=3.0, regimes=HIDDEN_REGIMES)
MULTIPLES = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


def arrays(market: SyntheticMarket) -> list[NDArray[np.generic]]:
    series = market.series
    prices = [series.open, series.high, series.low, series.close]
    return [series.time_ns, *prices, series.volume, market.regime, market.drift]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    """S14."""
    first, again, other = generate(SETTINGS, 1), generate(SETTINGS, 1), generate(SETTINGS, 2)

    assert [a.tobytes() for a in arrays(first)] == [a.tobytes() for a in arrays(again)]
    assert first.series.digest == again.series.digest
    assert first.series.digest != other.series.digest
    assert not np.array_equal(first.series.close[:500], other.series.close[:500])


def test_a_symbol_does_not_depend_on_the_others_and_moves_on_its_own() -> None:
    settings = replace(SETTINGS, regimes=FAIR_REGIMES, mean_volume=1e6)
    pair = (replace(settings, symbol="A"), replace(settings, symbol="B"))

    both, turned = generate_many(pair, 1), generate_many(pair[::-1], 1)

    assert both["A"].series.digest == turned["A"].series.digest == generate(pair[0], 1).series.digest
    moves = [np.diff(market.series.close) for market in both.values()]
    assert abs(np.corrcoef(*moves)[0, 1]) < 0.02


def test_bars_are_legal_on_the_grid_and_say_that_they_are_synthetic() -> None:
    """S3.4, S2.1."""
    series = generate(replace(SETTINGS, tick_size=0.1), 3).series

    assert series.source == "SYNTHETIC"
    assert (np.diff(series.time_ns) > 0).all()
    assert (series.high >= np.maximum(series.open, series.close)).all()
    assert (series.low <= np.minimum(series.open, series.close)).all()
    assert (series.volume > 0).all()
    for prices in (series.open, series.high, series.low, series.close):
        assert all(float(f"{price:.1f}") == price for price in np.unique(prices))


@pytest.mark.parametrize(
    ("tick", "ticks", "price"), [(0.1, 3, 0.3), (0.25, 5, 1.25), (5e-05, 22153, 1.10765), (1.0, -2, -2.0)]
)
def test_prices_are_the_numbers_a_file_would_give(tick: float, ticks: int, price: float) -> None:
    """S2.1: three ticks of 0.1 are 0.3, not 0.30000000000000004."""
    assert _in_price(np.array([ticks]), tick)[0] == price


def test_every_bar_lies_in_its_exchange_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """S7.4: sixty sessions over the end of summer time."""
    time_ns = generate(SETTINGS, 1).series.time_ns
    table = SessionCalendar.named("CME_Equity_Index", cache_dir=tmp_path_factory.mktemp("kept")).table(time_ns)

    assert table.in_session.all()
    assert len(np.unique(table.trading_day)) == 60


def test_a_worked_bar_comes_out_as_by_hand() -> None:
    """A leap of +2, then the steps + + - - - -, the first of them before the open: 13, 14, 10, 10."""
    state, out = np.array([10, 10]), np.zeros((1, 4), np.int64)
    coins = np.array([0.1, 0.2, 0.9, 0.7, 0.6, 0.5], np.float32)
    one, no = np.ones(1), np.zeros(1)

    walk(state, np.array([6]), one * 6, no, no, np.array([False]), np.array([2]), np.array([True]), coins, out)

    assert out.tolist() == [[13, 14, 10, 10]]
    assert state.tolist() == [10, 12]


def test_the_compiled_walk_is_the_written_one() -> None:
    rng = np.random.default_rng(1)
    bars = 200
    steps = rng.poisson(9.0, bars)
    given = (
        steps,
        np.full(bars, 9.0),
        rng.normal(0, 0.5, bars),
        np.full(bars, 0.1),
        rng.random(bars) < 0.1,
        rng.integers(-3, 4, bars),
        rng.random(bars) < 0.3,
        rng.random(int(steps.sum()), dtype=np.float32),
    )
    results = []
    for function in (walk, _walk):
        state, out = np.array([100, 100]), np.zeros((bars, 4), np.int64)
        function(state, *given, out)
        results.append((state.tolist(), out.tolist()))

    assert results[0] == results[1]


def test_stays_last_as_documented_and_directions_balance() -> None:
    market = generate(replace(SETTINGS, sessions=1500, mean_volume=1e7, volatility_ticks=1.0), 4)
    starts = np.flatnonzero(np.diff(market.regime, prepend=-1))
    lengths = np.diff(starts)
    kinds = market.regime[starts[:-1]]

    for index, kind in enumerate(HIDDEN_REGIMES):
        stays = lengths[kinds == index]
        assert len(stays) > 500
        assert abs(stays.mean() / kind.mean_bars - 1) < 4 / np.sqrt(len(stays)), kind.name
    trend = market.drift[market.regime == 0]
    turns = np.count_nonzero(np.diff(np.sign(trend)))
    assert abs(np.abs(trend) - 0.35).max() == 0.0
    assert abs(trend.mean()) < 0.02
    assert abs(len(trend) / turns / 100 - 1) < 0.1


def test_the_hidden_drift_is_what_price_does() -> None:
    """A trend of 0.35 sigma a bar moves price by 0.35 sigma a bar along its direction."""
    trend = Regime(name="trend", mean_bars=500.0, drift=0.35, leg_bars=100.0)
    settings = MarketSettings(
        symbol="T", seasonal=False, volatility_spread=0.0, volatility_ticks=4.0, mean_volume=1e6, regimes=(trend,)
    )
    market = generate(settings, 5)
    along = (market.series.close - market.series.open) / 0.25 / 4.0 * np.sign(market.drift)
    steps = 1.0 - settings.opening_step / 16.0  # one step of sixteen comes before the open in three bars of ten

    assert abs(along.mean() - 0.35 * steps) < 3.5 * along.std() / np.sqrt(len(along))


def test_reversion_keeps_price_about_where_the_stay_began() -> None:
    """Stationary variance of a walk that loses a share k of its distance per bar: sigma^2 / (1 - (1 - k)^2)."""
    settings = MarketSettings(
        symbol="R",
        seasonal=False,
        volatility_spread=0.0,
        overnight_gap=0.0,
        jump_chance=0.0,
        volatility_ticks=4.0,
        mean_volume=1e6,
        regimes=(Regime(name="revert", reversion=0.1),),
    )
    distance = (generate(settings, 6).series.close - 5000.0) / 0.25 / 4.0

    assert abs(distance.mean()) < 0.05
    assert abs(distance.var() * (1 - 0.9**2) - 1) < 0.1


def trailing_r(market: SyntheticMarket, every: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """R of trailing stops (S12.1, S2.2, S6.2; no costs, flat at the session's end) of coin-flip entries.

    Returns R [entries, multiples] and the regime at each entry.
    """
    series, tick = market.series, 0.25
    atr = talib.ATR(series.high, series.low, series.close, 14)
    ends = np.flatnonzero(np.diff(series.time_ns, append=series.time_ns[-1] + 10**18) > 30 * series.bar_ns)
    last = ends[np.searchsorted(ends, np.arange(len(series)))]
    entry = np.arange(50, len(series), every)
    entry = entry[last[entry] - entry > 5]
    side = np.where(np.random.default_rng(seed).random(len(entry)) < 0.5, 1.0, -1.0)[:, None]
    price = series.open[entry][:, None]

    def stop_at(from_price: NDArray[np.float64], bar: NDArray[np.int64]) -> NDArray[np.float64]:
        raw = (from_price - side * MULTIPLES * atr[bar][:, None]) / tick
        return np.where(side > 0, np.floor(raw + 1e-6), np.ceil(raw - 1e-6)) * tick

    stop = stop_at(price, entry - 1)
    risk = np.abs(price - stop)
    result = np.full(stop.shape, np.nan)
    for age in range(int((last[entry] - entry).max()) + 1):
        bar = np.minimum(entry + age, last[entry])
        first = series.open[bar][:, None]
        if age > 0:
            closed = series.close[bar - 1][:, None]
            moved = stop_at(closed, bar - 1)
            tighter = ((closed - price) * side > 0) & ((moved - stop) * side > 0)
            gapped = (first - stop) * side <= 0
            stop = np.where(tighter & ~gapped, moved, stop)
            out = ((first - stop) * side <= 0) | (entry + age >= last[entry])[:, None]
            result = np.where(np.isnan(result) & out, (first - price) * side / risk, result)
        worst = np.where(side > 0, series.low[bar][:, None], series.high[bar][:, None])
        hit = (worst - stop) * side <= 0
        result = np.where(np.isnan(result) & hit, (stop - price) * side / risk, result)
        if not np.isnan(result).any():
            break
    return result, market.regime[entry]


def test_no_trailing_stop_earns_on_a_fair_market() -> None:
    """Every multiple's mean R lies within its interval around zero."""
    result, _ = trailing_r(generate(replace(SETTINGS, regimes=FAIR_REGIMES, sessions=150), 7), every=60, seed=1)

    score = result.mean(axis=0) / (result.std(axis=0) / np.sqrt(len(result)))
    assert len(result) > 3000
    assert (np.abs(score) < 3.0).all()


def test_who_sees_the_regime_beats_the_best_fixed_multiple() -> None:
    """In trends the wide stops earn more, in chop the tight ones; choosing by regime gains at least 0.15 R a trade."""
    result, regime = trailing_r(generate(replace(SETTINGS, sessions=150), 8), every=60, seed=1)
    half = len(result) // 2
    by_regime = np.array([result[:half][regime[:half] == index].mean(axis=0) for index in range(2)])
    fixed = int(result[:half].mean(axis=0).argmax())
    quiet_as_fixed = np.append(by_regime.argmax(axis=1), fixed)

    gain = result[half:][np.arange(len(result) - half), quiet_as_fixed[regime[half:]]] - result[half:, fixed]

    assert MULTIPLES[by_regime[0].argmax()] >= 4.0
    assert MULTIPLES[by_regime[1].argmax()] <= 1.5
    blocks = gain[: len(gain) // 60 * 60].reshape(-1, 60).mean(axis=1)
    assert gain.mean() - 2 * blocks.std() / np.sqrt(len(blocks)) > 0.15


@pytest.mark.parametrize(
    "wrong",
    [
        {"sessions": 0},
        {"bar_ns": 7 * 60_000_000_000},
        {"tick_size": 0.0},
        {"volatility_ticks": -1.0},
        {"mean_volume": 0.0},
        {"regimes": ()},
    ],
)
def test_settings_that_no_market_can_have_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SourceError, match="synthetic market AB_SYN"):
        replace(SETTINGS, **wrong)  # type: ignore[arg-type]
