"""Which file an asset's bars come from and how it is read, as the data layer wants to know it."""

from pathlib import Path
from typing import Any

from data.loading import SourceSettings
from engine.config.model import BacktestConfig
from engine.config.sections import AssetSection
from engine.errors import ConfigError, Problem
from engine.wording import nearest

_READING = (
    "timestamp", "timezone", "bar_length", "factor_file", "split_adjust", "dividend_adjust", "use_adjusted_close",
    "ticker",
)  # fmt: skip


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
    return SourceSettings(symbol=asset.symbol, file=file, session_calendar=calendar, **how)


def _existing(config: BacktestConfig, symbol: str, key: str, file: Path | None) -> Path:
    path = ("assets", config.symbols.index(symbol), key)
    where = config.places.where(path)
    if file is None:
        raise ConfigError.of([Problem(path, "is missing; the bars of this asset need a file", where)])
    if not file.is_file():
        beside = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
        raise ConfigError.of([Problem(path, f"{file} does not exist{nearest(file.name, beside)}", where)])
    return file
