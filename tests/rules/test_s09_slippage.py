"""Slippage models: what each adds to the base price, out of closed bars alone (S9)."""

from dataclasses import replace

import numpy as np
import pytest

from engine.backtester import BacktesterEngine
from engine.market import Market
from engine.orders import OrderRequest, Side
from engine.slippage import (
    SLIPPAGE_MODELS,
    FixedSlippage,
    HybridSlippage,
    SlippageModel,
    SpreadSlippage,
    VolatilitySlippage,
    VolumeSlippage,
)
from tests.rules.table import CONTRACT
from tests.scenarios import kernel

pytestmark = pytest.mark.rule("S9")

# O is 100 and the true range 2 points, eight ticks of 0.25, in every bar.
BAR = [100.0, 101.0, 99.0, 100.0]


def bought_at(model: SlippageModel, quantity: float, volumes: list[float], **facts: float | None) -> list[float]:
    """What a buy of ``quantity`` costs at the open of each bar; bar t has volume ``volumes[t]``."""
    instrument = kernel.instrument_of("A", CONTRACT | facts, "USD")
    series = kernel.series_of("A", np.arange(len(volumes)) * kernel.MINUTE_NS, [BAR] * len(volumes), kernel.MINUTE_NS)
    market = Market([instrument], [replace(series, volume=np.array(volumes, dtype=np.float64))])
    engine = BacktesterEngine(market, slippage=[model])
    for bar in range(len(volumes)):
        engine.open_bar(bar)
        engine.place_order(OrderRequest(symbol="A", side=Side.BUY, quantity=quantity))
        engine.finish_bar()
    return [engine.scales[0].price(float(row["price"])) for row in engine.tables.rows("fills")]


def test_the_models_have_the_names_of_the_rulebook() -> None:
    assert list(SLIPPAGE_MODELS) == ["fixed", "spread", "volatility", "volume", "hybrid"]


def test_fixed_takes_the_instruments_ticks_or_fraction() -> None:
    """Two ticks are half a point; half a per cent of 100 is half a point."""
    fixed = FixedSlippage(FixedSlippage.Settings())

    assert bought_at(fixed, 1, [1], slippage_ticks=2) == [100.5]
    assert bought_at(fixed, 1, [1], slippage_ticks=None, slippage_pct=0.005) == [100.5]


def test_spread_takes_half_the_spread() -> None:
    assert bought_at(SpreadSlippage(SpreadSlippage.Settings(half_spread_ticks=3.0)), 1, [1, 1]) == [100.75, 100.75]


def test_volatility_takes_a_multiple_of_the_atr_of_closed_bars() -> None:
    """Half of the ATR of 2 points, once it is known: at the open of the third bar."""
    model = VolatilitySlippage(VolatilitySlippage.Settings(atr_multiple=0.5, atr_period=1))

    assert bought_at(model, 1, [1, 1, 1]) == [100.0, 100.0, 101.0]


def test_volume_grows_with_the_root_of_the_share_of_the_usual_volume() -> None:
    """8 ticks x sqrt(4 / 16) is one point; nothing before a bar has closed; (16 + 48) / 2 = 32, 2.83 ticks are 3."""
    model = VolumeSlippage(VolumeSlippage.Settings(tick_multiple=8.0))

    assert bought_at(model, 4, [16, 48, 16]) == [100.0, 101.0, 100.75]


def test_volume_is_averaged_over_the_last_twenty_closed_bars() -> None:
    """Five bars of 1600 and then twenty of 16: at the 26th open only those count. One before, 95.2 on average."""
    model = VolumeSlippage(VolumeSlippage.Settings(tick_multiple=8.0))

    prices = bought_at(model, 4, [1600.0] * 5 + [16.0] * 21)

    assert prices[25] == 101.0
    assert prices[24] == 100.5


def test_hybrid_adds_the_parts_and_has_the_constant_ones_alone_before_a_bar_has_closed() -> None:
    """1 + 1 ticks, half a per cent is 2; the ATR adds 4 ticks from the third bar on, the volume 4 from the second."""
    settings = HybridSlippage.Settings(
        ticks=1.0, half_spread_ticks=1.0, fraction=0.005, atr_multiple=0.5, atr_period=1, tick_multiple=8.0
    )

    assert bought_at(HybridSlippage(settings), 4, [16, 16, 16]) == [101.0, 102.0, 103.0]
