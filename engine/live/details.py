"""Instruments of live symbols: the asset's own keys, over what the service says, over the contract table (S1.3)."""

from collections.abc import Mapping

from data.contracts import build_instrument, contract, instrument_warnings
from data.errors import InstrumentError
from data.instruments import Instrument
from data.tradestation.rest import TradeStationClient
from data.tradestation.symbols import SymbolFacts
from engine.config import BacktestConfig
from engine.errors import ConfigError

_SAID = ("tick_size", "tick_value", "currency", "exchange", "calendar")


def live_instruments(config: BacktestConfig, facts: Mapping[str, SymbolFacts]) -> tuple[list[Instrument], list[str]]:
    """The instruments of a configuration, and sentences about facts that nobody gave.

    Raises:
        ConfigError: a fact is missing or contradicts another one, or a currency has no rate (S1.4).
    """
    made: list[Instrument] = []
    warnings: list[str] = []
    for symbol in config.symbols:
        given = config.asset(symbol).given()
        said = _from_service(facts[symbol])
        _check_tick(symbol, given, said)
        try:
            instrument = build_instrument(symbol, given, said)
        except InstrumentError as error:
            raise ConfigError(f"{error}; the service does not say it") from None
        if instrument.currency != config.currency and instrument.currency not in config.fx_rates:
            raise ConfigError(
                f"{symbol}: its money is in {instrument.currency}, the account's in {config.currency}, and fx_rates "
                f"has no rate; add fx_rates: {{{instrument.currency}: <rate>}}"
            )
        made.append(instrument)
        warnings += instrument_warnings(symbol, given, said)
    return made, warnings


def _check_tick(symbol: str, given: Mapping[str, object], said: Mapping[str, object]) -> None:
    """Refuse a tick of one's own with the service's money per tick, or the reverse (S1.2)."""
    stated = [key for key in ("tick_size", "tick_value") if key in given]
    if len(stated) == 1 and given[stated[0]] != said[stated[0]]:
        raise ConfigError(
            f"{symbol}: {stated[0]} is {given[stated[0]]}, the service says a tick of {said['tick_size']} worth "
            f"{said['tick_value']}; give both tick_size and tick_value, or neither"
        )


def ask_instruments(config: BacktestConfig, client: TradeStationClient) -> tuple[list[Instrument], list[str]]:
    """The same, the service asked now; LiveDataError and its kinds where it does not answer."""
    return live_instruments(config, client.symbols(list(config.symbols)))


def _from_service(facts: SymbolFacts) -> dict[str, object]:
    said = facts.instrument()
    known = {name: getattr(said, name) for name in _SAID}
    # A symbol such as ES_SYN has its margins in the table by its root alone.
    root = {"contract": facts.root} if contract(facts.root) is not None and said.asset_class == "future" else {}
    return known | root | {"asset_class": said.asset_class.value}
