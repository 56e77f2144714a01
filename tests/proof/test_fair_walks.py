"""On a fair walk no exit earns anything but its costs, and a path that is kind to it is found out (S6, S14)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import backtester
from engine.kernel.state import BEST_CASE
from engine.market import Market
from exits.atr import FixedRatioExit, TrailingATRExit
from exits.base import ExitStrategy
from exits.catalog import EXITS
from tests.proof.fair_markets import ALLOWED, Earned, before_costs, earned, fair_market, pooled, run_on, trades_of

SEEDS = range(4)

# Exit -> settings to try: bars on which the order of events is known (None: minutes), and whether two levels rest.
TRAILING: dict[str, Callable[[], ExitStrategy]] = {
    "trailing 1": lambda: TrailingATRExit(TrailingATRExit.Settings(atr_multiple=1.0)),
    "trailing 3": TrailingATRExit,
}
RATIO: dict[str, Callable[[], ExitStrategy]] = {
    "tight": lambda: FixedRatioExit(FixedRatioExit.Settings(atr_multiple=0.4, r_multiple=1.0)),
    "far target": lambda: FixedRatioExit(FixedRatioExit.Settings(atr_multiple=0.4, r_multiple=1.5)),
    "near target": lambda: FixedRatioExit(FixedRatioExit.Settings(atr_multiple=0.7, r_multiple=0.6)),
}


def test_every_built_in_exit_with_plain_levels_is_tried() -> None:
    tried = {type(make()) for make in (TRAILING | RATIO).values()}
    assert {found for found in EXITS.values() if found.__module__ == "exits.atr"} == tried


def is_fair(found: Earned) -> bool:
    """Whether what was earned is nothing, as far as chance allows."""
    return abs(found.z) < ALLOWED


@pytest.mark.rule("S6.6")
@pytest.mark.parametrize("make_exit", TRAILING.values(), ids=TRAILING)
@pytest.mark.parametrize("path", ["worst_case", "best_case", "proximity", "colour"])
def test_a_trailing_stop_earns_its_costs_negative_whatever_the_path(
    make_exit: Callable[[], ExitStrategy], path: str
) -> None:
    found = pooled(path, None, make_exit(), SEEDS)

    assert found.trades > 2_000
    assert found.error < 0.05
    assert is_fair(found), found


@pytest.mark.rule("S6.4")
@pytest.mark.parametrize("make_exit", RATIO.values(), ids=RATIO)
def test_stop_and_target_on_the_walks_own_path_earn_their_costs_negative(
    make_exit: Callable[[], ExitStrategy],
) -> None:
    found = pooled("fine_bars", "15m", make_exit(), SEEDS)

    assert found.trades > 2_000
    assert found.error < 0.05
    assert is_fair(found), found


@pytest.mark.rule("S6.9")
@pytest.mark.parametrize("make_exit", RATIO.values(), ids=RATIO)
def test_worst_and_best_case_differ_from_the_known_path_in_ambiguous_trades_alone(
    make_exit: Callable[[], ExitStrategy],
) -> None:
    """Stop and target in one bar end the trade there whichever comes first: trade by trade the runs can be compared."""
    market = fair_market(0, "15m")
    runs = {path: trades_of(run_on(market, make_exit(), path)) for path in ("worst_case", "fine_bars", "best_case")}
    worst, known, best = (before_costs(trades) for trades in runs.values())
    unclear = runs["worst_case"]["ambiguous"] == 1

    for trades in runs.values():
        for name in ("entry_bar", "exit_bar", "side", "entry_price", "ambiguous"):
            np.testing.assert_array_equal(trades[name], runs["worst_case"][name])
    np.testing.assert_array_equal(worst[~unclear], known[~unclear])
    np.testing.assert_array_equal(worst[~unclear], best[~unclear])
    assert unclear.sum() > 10
    assert np.all(worst[unclear] < best[unclear])
    assert np.all(((known == worst) | (known == best))[unclear])
    assert worst.mean() < known.mean() < best.mean()


@pytest.mark.rule("S6.9")
def test_the_bounds_of_a_tight_bracket_lie_far_on_either_side_of_nothing() -> None:
    worst, best = (pooled(path, "15m", RATIO["tight"](), SEEDS) for path in ("worst_case", "best_case"))
    assert worst.z < -10
    assert best.z > 10


@pytest.mark.rule("S8.8")
def test_net_is_what_was_earned_less_the_costs_to_the_cent() -> None:
    trades = trades_of(run_on(fair_market(0, None), TrailingATRExit(), "worst_case"))
    np.testing.assert_allclose(trades["net"], trades["gross"] - trades["commission"] - trades["fees"], atol=1e-6)
    assert set(np.round(trades["commission"], 9)) == {4.5}
    assert set(np.round(trades["fees"], 9)) == {1.0}
    assert trades["net"].mean() < 0.0


def on_other_bars(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> Earned:
    """What a tight trailing stop earns where the simulator sees changed bars, and decisions the true ones."""
    true_bars = Market._bars_in_ticks
    markets = [fair_market(seed, None) for seed in SEEDS]

    def changed(market: Market) -> Any:
        bars = true_bars(market)
        change(bars)
        return bars

    monkeypatch.setattr(Market, "_bars_in_ticks", changed)
    seen = [Market(one.instruments, one.series, seed=one.seed) for one in markets]
    return earned(
        np.concatenate([before_costs(trades_of(run_on(one, TRAILING["trailing 1"](), "colour"))) for one in seen])
    )


# A path that is kind to whoever holds a position must not pass for a fair one.


def test_a_path_that_takes_the_target_first_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backtester.PATHS, "fine_bars", BEST_CASE)
    found = pooled("fine_bars", "15m", RATIO["tight"](), SEEDS)
    assert not is_fair(found)
    assert found.mean > 0


def test_stops_that_are_not_seen_by_the_wicks_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path from O straight to C: a stop is met only where the bar ends beyond it, and then fills at its level."""

    def without_wicks(bars: Any) -> None:
        bars["h"], bars["l"] = np.maximum(bars["o"], bars["c"]), np.minimum(bars["o"], bars["c"])

    found = on_other_bars(monkeypatch, without_wicks)

    assert not is_fair(found)
    assert found.mean > 0


def test_stops_that_fill_at_their_level_through_a_gap_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars that open where the last one closed hide the gaps: a stop in the gap fills at a price never traded."""

    def without_gaps(bars: Any) -> None:
        bars["o"][1:] = bars["c"][:-1]
        bars["h"], bars["l"] = np.maximum(bars["h"], bars["o"]), np.minimum(bars["l"], bars["o"])

    found = on_other_bars(monkeypatch, without_gaps)

    assert not is_fair(found)
    assert found.mean > 0
