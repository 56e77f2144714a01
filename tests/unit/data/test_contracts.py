"""Instruments: the asset's keys over the file's defaults over the shipped table, each one checked (S1)."""

import json
from pathlib import Path

import pytest

from data.contracts import build_instrument, contract, contract_table, instrument_warnings
from data.errors import InstrumentError
from data.instruments import AssetClass

OWN = {"tick_size": 1.0, "tick_value": 10.0, "initial_margin": 4000, "maintenance_margin": 3500}


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("ES", "ES"), ("@ES", "ES"), ("ESZ3", "ES"), ("ESZ25", "ES"), ("ESZ2025", "ES"), ("ES=F", "ES"),
        ("@ES=107XC", "ES"), ("@ES.D", "ES"), ("es", "ES"), ("6EH4", "6E"), ("@EC", "6E"), ("ECH24", "6E"),
        ("@US", "ZB"), ("TYZ24", "ZN"), ("MESZ5", "MES"), ("SIL", "SIL"), ("SILZ5", "SIL"), ("SIZ5", "SI"),
        ("M2KZ5", "M2K"),
    ],
)  # fmt: skip
def test_a_contract_is_found_by_any_of_its_names(name: str, root: str) -> None:
    found = contract(name)

    assert found is not None
    assert found.root == root


@pytest.mark.parametrize("name", ["AAPL", "EC", "US", "TY", "BTC", "", "@", "Z5", "SPY"])
def test_what_may_be_a_share_is_no_contract(name: str) -> None:
    assert contract(name) is None


def test_the_table_says_what_the_contract_specifications_say(shared_dir: Path) -> None:
    """S1.2: all seventeen, to the last digit."""
    stated = json.loads((shared_dir / "data" / "contract_specs.json").read_text())["contracts"]

    assert set(contract_table()) == set(stated)
    for root, facts in contract_table().items():
        one = stated[root]
        assert (facts.tick_size, facts.tick_value) == (one["tick_size"], one["tick_value"])
        assert facts.point_value == pytest.approx(one["point_value"], rel=1e-12)
        assert (facts.exchange, facts.tradestation_root) == (one["exchange"], one["tradestation_root"])
        margins = one["margin_lean"]
        assert (facts.initial_margin, facts.maintenance_margin) == (margins["initial"], margins["maintenance"])
        assert facts.margin_date.replace("-", "") == margins["effective"]


def test_a_future_of_the_table_needs_no_facts() -> None:
    """S1.1"""
    instrument = build_instrument("ESZ25", {}, {})

    assert (instrument.symbol, instrument.tick_size, instrument.point_value) == ("ESZ25", 0.25, 50.0)
    assert (instrument.initial_margin, instrument.maintenance_margin) == (11880.0, 10800.0)
    assert (instrument.exchange, instrument.calendar) == ("CME", "CME Globex Equity")
    assert (instrument.slippage_ticks, instrument.slippage_pct) == (1.0, None)


def test_a_symbol_of_ones_own_name_takes_the_facts_of_the_contract_it_names() -> None:
    assert build_instrument("GC_SYN", {"contract": "GC"}, {}).point_value == pytest.approx(100.0)
    with pytest.raises(InstrumentError, match="contract 'ESS' is not in the table; the nearest are ES, "):
        build_instrument("X", {"contract": "ESS"}, {})


def test_the_assets_keys_go_before_the_defaults_and_these_before_the_table() -> None:
    """S1.3"""
    given = {"commission_per_contract": 2.5, "initial_margin": 20000}
    defaults = {"commission_per_contract": 1.0, "fee_per_trade": 0.5, "maintenance_margin": 15000, "initial_margin": 1}

    instrument = build_instrument("ES", given, defaults)

    assert (instrument.commission_per_contract, instrument.fee_per_trade) == (2.5, 0.5)
    assert (instrument.initial_margin, instrument.maintenance_margin) == (20000.0, 15000.0)


def test_one_of_a_pair_at_a_higher_level_replaces_the_other_one_below() -> None:
    """S1.1, S1.3"""
    instrument = build_instrument("ES", {"slippage_pct": 0.0005}, {"slippage_ticks": 2})
    rated = build_instrument("ES", {"initial_margin_rate": 0.1, "maintenance_margin_rate": 0.08}, {})

    assert (instrument.slippage_ticks, instrument.slippage_pct) == (None, 0.0005)
    assert (rated.initial_margin, rated.initial_margin_rate) == (None, 0.1)


def test_a_slippage_of_zero_is_given() -> None:
    assert build_instrument("ES", {"slippage_ticks": 0}, {"slippage_ticks": 2}).slippage_ticks == 0.0


def test_shares_are_fully_paid_in_cents_where_nothing_else_is_said() -> None:
    """S1.1"""
    share = build_instrument("AAPL", {"asset_class": "equity"}, {})

    assert share.asset_class is AssetClass.EQUITY
    assert (share.tick_size, share.tick_value, share.point_value) == (0.01, 0.01, 1.0)
    assert (share.initial_margin_rate, share.maintenance_margin_rate) == (1.0, 0.0)
    assert share.initial_margin is None


def test_a_share_named_like_a_contract_takes_nothing_from_the_table() -> None:
    assert build_instrument("ES", {}, {"asset_class": "equity"}).exchange is None


def test_a_coins_tick_value_follows_from_its_tick_size() -> None:
    coin = build_instrument("BTC", {"asset_class": "crypto", "tick_size": 0.5, "lot_size": 0.001}, {})

    assert (coin.point_value, coin.lot_size) == (1.0, 0.001)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"slippage_ticks": 1, "slippage_pct": 0.001}, "both slippage_ticks (1) and slippage_pct (0.001) are given"),
        ({"initial_margin": 1, "initial_margin_rate": 0.1}, "both initial_margin (1) and initial_margin_rate (0.1)"),
        ({"initial_margin": -1}, "initial_margin is -1; it must not be negative"),
        ({"maintenance_margin": 5000}, "maintenance_margin 5000 is above initial_margin 4000"),
        ({"tick_size": 0}, "tick_size is 0; it must be above 0"),
        ({"tick_value": float("nan")}, "tick_value is nan; it must be a finite number"),
        ({"lot_size": float("inf")}, "lot_size is inf; it must be a finite number"),
        ({"commission_per_contract": -0.1}, "commission_per_contract is -0.1; it must not be negative"),
        ({"fee_per_trade": "2"}, "fee_per_trade is '2'; it must be a finite number"),
        ({"tick_size": True}, "tick_size is True; it must be a finite number"),
        ({"asset_class": "bond"}, "asset_class 'bond' is not known; it is one of future, equity, crypto, fx"),
    ],
)
def test_a_wrong_fact_names_symbol_key_and_value(given: dict[str, object], words: str) -> None:
    """S1.1"""
    with pytest.raises(InstrumentError) as caught:
        build_instrument("FESX", OWN | given, {})

    assert str(caught.value).startswith(f"FESX: {words}")


def test_an_unknown_future_lists_what_is_missing() -> None:
    with pytest.raises(
        InstrumentError, match="FESX: tick_value, maintenance_margin or maintenance_margin_rate not given"
    ):
        build_instrument("FESX", {"tick_size": 1, "initial_margin": 3000}, {})


def test_a_tick_size_of_ones_own_does_not_mix_with_the_tables_tick_value() -> None:
    """S1.2: 12.50 per tick of 0.5 would halve the money per point."""
    with pytest.raises(InstrumentError, match="give both tick_size and tick_value"):
        build_instrument("ES", {"tick_size": 0.5}, {})
    assert build_instrument("ES", {"tick_size": 0.25}, {}).point_value == 50.0
    assert build_instrument("ES", {"tick_size": 0.5, "tick_value": 25}, {}).point_value == 50.0


@pytest.mark.rule("S18")
def test_costs_and_margins_that_nobody_gave_are_told() -> None:
    """S18"""
    told = instrument_warnings("ES", {}, {})

    assert told[0] == "ES: neither commission_per_contract nor fee_per_trade is given; both are taken as 0"
    assert "of 2022-01-21 (11880 initial, 10800 maintenance)" in told[1]
    assert instrument_warnings("ES", {"fee_per_trade": 0.0, "initial_margin": 1}, {}) == ()
    assert instrument_warnings("A", {"asset_class": "equity"}, {"commission_per_contract": 0}) == ()
