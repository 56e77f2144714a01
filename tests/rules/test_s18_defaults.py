"""Defaults: what holds where nothing is said (S18)."""

import pytest

from bots.base import BotSettings
from bots.coin_flip import CoinFlipBot
from bots.trend_following import TrendFollowingBot
from data.instruments import AssetClass
from engine.config.sections import SimulationSection
from engine.market import Market, SessionPolicy
from exits.atr import FixedRatioExit, TrailingATRExit
from tests.rules.table import made
from tests.scenarios import kernel

pytestmark = pytest.mark.rule("S18")

BASE = {
    "risk_pct": 0.01, "max_margin_pct": 0.5, "max_quantity": None, "min_atr": 0.0, "atr_period": 14,
    "max_positions_open": None, "max_daily_loss_pct": None, "enforce_sessions": False,
    "flatten_before_maintenance": None, "flatten_minutes": 5.0, "enable_online_learning": True,
}  # fmt: skip


def test_the_simulation_is_a_worst_case_where_nothing_is_said() -> None:
    assert SimulationSection().model_dump() == {
        "path": "worst_case",
        "limit_fill": "touch",
        "market_fill": "this_open",
        "liquidation": "losers_first",
        "liquidation_price": "close",
        "liquidate_on_finish": False,
    }


@pytest.mark.parametrize("settings", [BotSettings, CoinFlipBot.Settings, TrendFollowingBot.Settings])
def test_every_bot_has_the_defaults_of_the_base_bot(settings: type[BotSettings]) -> None:
    values = settings().model_dump()

    assert {name: values[name] for name in BASE} == BASE


def test_bots_and_exits_have_their_own_defaults() -> None:
    own = [CoinFlipBot.Settings(), TrendFollowingBot.Settings(), TrailingATRExit.Settings(), FixedRatioExit.Settings()]
    given = {name: value for settings in own[:2] for name, value in settings.model_dump().items() if name in BASE}

    assert own[0].model_dump().keys() - given.keys() == {"p_buy", "regular_hours_from", "regular_hours_to"}
    assert (own[0].p_buy, own[1].ema_span, own[1].breakout_atr) == (0.5, 50, 1.5)
    assert own[2].model_dump() == {"atr_multiple": 3.0, "atr_period": 14}
    assert own[3].model_dump() == {"atr_multiple": 2.0, "atr_period": 14, "r_multiple": 2.0}


@pytest.mark.parametrize(
    ("asset_class", "calendar", "minutes", "flattens"),
    [
        (AssetClass.FUTURE, "CME_Equity_Index", 1, True),
        (AssetClass.FUTURE, "CME_Equity_Index", 60, True),
        (AssetClass.FUTURE, "CME_Equity_Index", 61, False),
        (AssetClass.FUTURE, None, 1, False),
        (AssetClass.EQUITY, "NYSE", 1, False),
    ],
)
def test_futures_with_a_calendar_and_bars_up_to_an_hour_are_flattened(
    asset_class: AssetClass, calendar: str | None, minutes: int, flattens: bool
) -> None:
    market = kernel.market_of(made([(1, 1, 1, 1)], (), 1.0, {"asset_class": asset_class, "calendar": calendar}))
    series = kernel.series_of("A", [0], [[1.0] * 4], minutes * kernel.MINUTE_NS)

    assert Market(market.instruments, [series]).flattens(0, SessionPolicy()) is flattens
