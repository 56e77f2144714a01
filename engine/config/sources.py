"""What an asset is and where its bars come from, as the data layer wants to know it."""

from pathlib import Path
from typing import Any

from data.contracts import build_instrument, contract, instrument_warnings
from data.errors import CalendarError, InstrumentError
from data.instruments import AssetClass, Instrument
from data.loading import SourceSettings
from data.sessions import SessionCalendar
from data.spelling import nearest_or_all
from engine.config.model import BacktestConfig
from engine.config.sections import AssetSection
from engine.errors import ConfigError, Problem
from engine.reading import OwnReader

_READING = (
    "timestamp", "timezone", "bar_length", "factor_file", "split_adjust", "dividend_adjust", "use_adjusted_close",
    "ticker",
)  # fmt: skip

_DATA_SUFFIXES = {".csv", ".gz", ".txt", ".parquet"}


def instrument_of(config: BacktestConfig, symbol: str) -> tuple[Instrument, tuple[str, ...]]:
    """The instrument of ``symbol``, and sentences for the report about facts that nobody gave (S18).

    Its currency is the asset's, else the contract table's, else the account's.

    Raises:
        ConfigError: where a fact is missing or contradicts another, or its currency has no rate (S1.4); with the place.
    """
    asset = config.asset(symbol)
    given = asset.given()
    if asset.currency is None and not _in_table(asset):
        given["currency"] = config.currency
    try:
        instrument = build_instrument(symbol, given, {})
        warnings = instrument_warnings(symbol, given, {})
    except InstrumentError as error:
        raise ConfigError(f"{_where(config, symbol)} {error}".strip()) from None
    try:
        SessionCalendar.named(instrument.calendar)
    except CalendarError as error:
        path = ("assets", config.symbols.index(symbol), "calendar")
        raise ConfigError.of([Problem(path, str(error), config.places.where(path))]) from None
    if instrument.currency != config.currency and instrument.currency not in config.fx_rates:
        raise ConfigError(
            f"{_where(config, symbol)} {symbol}: its money is in {instrument.currency}, the account's in "
            f"{config.currency}, and fx_rates has no rate; add fx_rates: {{{instrument.currency}: <rate>}}".strip()
        )
    return instrument, warnings


def fx_rate(config: BacktestConfig, currency: str) -> float:
    """Account money per unit of ``currency`` (S1.4); 1 for the account's own.

    Raises:
        KeyError: where there is no rate; ``instrument_of`` has refused such a symbol before.
    """
    return 1.0 if currency == config.currency else config.fx_rates[currency]


def _in_table(asset: AssetSection) -> bool:
    """Whether the contract table has a line for the asset; it holds futures only."""
    if asset.asset_class not in {None, AssetClass.FUTURE}:
        return False
    return asset.contract is not None or contract(asset.symbol) is not None


def _where(config: BacktestConfig, symbol: str) -> str:
    return config.places.where(("assets", config.symbols.index(symbol)))


def source_settings(config: BacktestConfig, symbol: str, calendar: str | None = None) -> SourceSettings:
    """How to load the bars of ``symbol``; ``calendar`` is its instrument's, to check the times against.

    Raises:
        ConfigError: where no file is given or it does not exist, with the place of the key.
    """
    asset = config.asset(symbol)
    return _settings(asset, _existing(config, symbol, "file", asset.file), calendar)


def fine_source_settings(config: BacktestConfig, symbol: str, calendar: str | None = None) -> SourceSettings | None:
    """How to load the finer bars of ``symbol`` (S6.4), None where it has none; their length is recognised.

    Raises:
        ConfigError: where the file does not exist, with the place of the key.
    """
    asset = config.asset(symbol)
    if asset.fine_file is None:
        return None
    file = _existing(config, symbol, "fine_file", asset.fine_file)
    return _settings(asset.model_copy(update={"bar_length": None}), file, calendar)


def _settings(asset: AssetSection, file: Path, calendar: str | None) -> SourceSettings:
    how: dict[str, Any] = {key: value for key in _READING if (value := getattr(asset, key)) is not None}
    if asset.repair in {"drop", "fix"}:
        how["repair"] = asset.repair
    if asset.columns is not None:
        how["columns"] = tuple(name.strip() for name in asset.columns.split(","))
    if asset.reader is not None:
        how["reader"] = OwnReader(asset.reader)
    return SourceSettings(symbol=asset.symbol, file=file, session_calendar=calendar, **how)


def _existing(config: BacktestConfig, symbol: str, key: str, file: Path | None) -> Path:
    path = ("assets", config.symbols.index(symbol), key)
    where = config.places.where(path)
    if file is None:
        raise ConfigError.of([Problem(path, "is missing; the bars of this asset need a file", where)])
    try:
        if file.is_file():
            return file
        found = file.parent.iterdir() if file.parent.is_dir() else ()
        beside = [other.name for other in found if other.suffix in _DATA_SUFFIXES]
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise ConfigError.of([Problem(path, f"{file} cannot be looked for: {error.strerror}", where)]) from None
    raise ConfigError.of([Problem(path, f"{file} does not exist{nearest_or_all(file.name, beside)}", where)])
