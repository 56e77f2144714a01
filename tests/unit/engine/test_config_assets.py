"""From an asset's keys to its instrument: what the table adds, and whose place an error names."""

from pathlib import Path
from typing import Any

import pytest

from engine.config import BacktestConfig, fx_rate, instrument_of, load_config
from engine.errors import ConfigError

OWN = {"tick_size": 0.5, "tick_value": 5, "initial_margin": 1000, "maintenance_margin": 900}


def config(*assets: dict[str, Any], **keys: Any) -> BacktestConfig:
    return BacktestConfig(assets=list(assets), **keys)


def test_the_contract_table_fills_what_is_not_given() -> None:
    """S1.1, S1.3."""
    made = config({"symbol": "ES_SYN", "contract": "ES", "slippage_pct": 0.001}, defaults={"slippage_ticks": 2})

    instrument, warnings = instrument_of(made, "ES_SYN")

    assert (instrument.symbol, instrument.tick_size, instrument.tick_value) == ("ES_SYN", 0.25, 12.5)
    assert (instrument.slippage_ticks, instrument.slippage_pct, instrument.currency) == (None, 0.001, "USD")
    assert any("commission_per_contract" in warning for warning in warnings)


@pytest.mark.rule("S18")
def test_slippage_is_one_tick_where_neither_is_given() -> None:
    """S18."""
    instrument, _ = instrument_of(config({"symbol": "ES"}), "ES")

    assert (instrument.slippage_ticks, instrument.slippage_pct) == (1.0, None)


def test_a_contract_outside_the_table_is_in_the_accounts_currency() -> None:
    own, _ = instrument_of(config({"symbol": "X1"} | OWN, currency="EUR"), "X1")
    table, _ = instrument_of(config({"symbol": "ES"}, currency="EUR", fx_rates={"USD": 0.9}), "ES")

    assert (own.currency, table.currency) == ("EUR", "USD")


@pytest.mark.rule("S1.4")
def test_a_currency_without_a_rate_is_an_error_with_its_line(tmp_path: Path) -> None:
    """S1.4."""
    path = tmp_path / "x.yaml"
    path.write_text("assets:\n  - {symbol: NQ}\n  - {symbol: ES, currency: EUR}\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        instrument_of(load_config(path), "ES")

    assert str(caught.value) == (
        f"{path}:3 ES: its money is in EUR, the account's in USD, and fx_rates has no rate; "
        "add fx_rates: {EUR: <rate>}"
    )


@pytest.mark.rule("S1.4")
def test_a_constant_rate_converts_to_the_accounts_currency() -> None:
    """S1.4."""
    made = config({"symbol": "ES", "currency": "EUR"}, fx_rates={"EUR": 1.08})

    assert (fx_rate(made, "EUR"), fx_rate(made, "USD")) == (1.08, 1.0)
    assert instrument_of(made, "ES")[0].currency == "EUR"


def test_a_missing_fact_is_an_error_with_its_line(tmp_path: Path) -> None:
    """S1.1."""
    path = tmp_path / "x.yaml"
    path.write_text("assets:\n  - symbol: X1\n    tick_size: 0.5\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"{path}:2 X1: tick_value, .* not given"):
        instrument_of(load_config(path), "X1")


@pytest.mark.rule("S1.1")
@pytest.mark.parametrize(
    "given",
    [{"slippage_ticks": 2}, {"slippage_pct": 0.001}, {"slippage_ticks": 0, "slippage_model": {"name": "volume"}}],
)
def test_fixed_slippage_beside_a_model_that_takes_nothing_of_it_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"assets\[0\]\.slippage_model: slippage_\w+ is given too, of which"):
        config({"symbol": "ES", "slippage_model": {"name": "spread"}} | given)


@pytest.mark.rule("S1.3")
@pytest.mark.parametrize(
    ("own", "shared", "ticks", "model"),
    [
        ({"slippage_ticks": 3}, {"slippage_model": {"name": "spread"}}, 3.0, None),
        ({"slippage_pct": 0.01}, {"slippage_model": {"name": "spread"}}, None, None),
        ({"slippage_model": {"name": "spread"}}, {"slippage_ticks": 3}, None, "spread"),
        ({"slippage_model": {"name": "fixed"}}, {"slippage_ticks": 3}, 3.0, "fixed"),
        ({"slippage_ticks": 3}, {"slippage_model": {"name": "fixed"}}, 3.0, "fixed"),
        ({"slippage_ticks": 3}, {"slippage_model": {"name": "Thin", "module": "thin.py"}}, 3.0, "Thin"),
        ({}, {"slippage_model": {"name": "spread"}}, None, "spread"),
    ],
)
def test_an_assets_own_slippage_goes_before_that_of_all(
    own: dict[str, Any], shared: dict[str, Any], ticks: float | None, model: str | None
) -> None:
    """S1.3: a model of the user's own may use the asset's ticks."""
    asset = config({"symbol": "ES"} | own, defaults=shared).asset("ES")

    found = None if asset.slippage_model is None else asset.slippage_model.name
    assert (asset.slippage_ticks, found) == (ticks, model)


def test_a_calendar_that_nobody_knows_is_an_error_with_its_key(tmp_path: Path) -> None:
    """S1.1."""
    path = tmp_path / "x.yaml"
    path.write_text("assets:\n  - symbol: ES\n    calendar: CMEGlobx_GC\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"{path}:3 assets\[0\]\.calendar: calendar 'CMEGlobx_GC' is unknown; .*GC"):
        instrument_of(load_config(path), "ES")


@pytest.mark.rule("S3.1")
@pytest.mark.parametrize("section", ["data", "defaults"])
def test_a_zone_that_nobody_knows_is_an_error_with_its_key(section: str) -> None:
    with pytest.raises(ConfigError, match=rf"{section}\.timezone: timezone 'Mars/Olympus' is not known; give an IANA"):
        config({"symbol": "ES"}, **{section: {"timezone": "Mars/Olympus"}})
