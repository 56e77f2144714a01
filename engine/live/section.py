"""What a live configuration holds beside a run's: service, bars, history, patience, the account's folder.

A live configuration is a run's configuration whose assets need no files, with one more section, ``live``.
"""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from data.tradestation.bars import Interval
from engine.config import BacktestConfig
from engine.config.loading import config_text
from engine.config.places import Places
from engine.config.sections import Section
from engine.config.values import File
from engine.config.yaml_source import read_yaml
from engine.errors import ConfigError
from engine.settings import setting
from engine.wording import problems_of


class LiveSection(Section):
    """Keys of the section ``live``."""

    host: Literal["sim", "live"] = setting("sim", unit="", help="TradeStation's simulated or its real accounts.")
    minutes: int = setting(1, unit="minutes", ge=1, le=1440, help="Length of a bar.")
    history_bars: int = setting(5_000, unit="bars", ge=2, le=57_600, help="Bars to load before the live ones.")
    session_template: str | None = setting(None, unit="", help="USEQPre, USEQPost, ...: US shares only.")
    open_grace: float = setting(2.0, unit="seconds", ge=0, help="How long OPEN waits for the other symbols (S17.1).")
    patience: float = setting(
        30.0, unit="seconds", ge=1, help="How long a bar waits for a symbol whose line is down (S17.2)."
    )
    folder: File = setting(Path("paper"), unit="", help="Folder of the account: recording, state, journal, log.")

    @property
    def interval(self) -> Interval:
        """Length of the bars."""
        return Interval(self.minutes)


def load_live_config(path: str | Path) -> tuple[BacktestConfig, LiveSection]:
    """The run's configuration and the section ``live`` of a YAML file.

    Raises:
        ConfigError: as ``load_config``; every problem of the section too, with its key path.
    """
    file = Path(path)
    text = read_yaml(config_text(file), str(path))
    values = {"name": file.stem} | dict(text.values)
    own = values.pop("live", None) or {}
    if not isinstance(own, dict):
        raise ConfigError(f"{file}: live is no mapping; it holds keys such as host and minutes")
    places = Places(str(path), file.parent.resolve(), text.lines)
    return BacktestConfig.placed(values, places), _section(own, places)


def _section(values: dict[str, object], places: Places) -> LiveSection:
    try:
        return LiveSection(**values)  # type: ignore[arg-type]  # checked by the model itself
    except ValidationError as error:
        problems = [type(one)(("live", *one.path), one.text) for one in problems_of(error, LiveSection)]
        raise ConfigError.of([places.placed(one) for one in problems]) from None
