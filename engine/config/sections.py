"""The sections of a run configuration: every key, with its unit, bounds, default and help (S1, S3, S6, S7, S18)."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator

from data.instruments import AssetClass
from engine.config.places import Places
from engine.config.values import BarLength, ColumnNames, Currency, File, PlainMapping, Symbol, Zone, refused
from engine.errors import KeyPath
from engine.settings import Settings, check_settings, setting

PathPolicy = Literal["worst_case", "best_case", "proximity", "colour", "fine_bars"]
LimitFill = Literal["touch", "through"]
MarketFill = Literal["this_open", "next_open"]
Liquidation = Literal["losers_first", "all"]
LiquidationPrice = Literal["close", "breach"]
Repair = Literal["off", "drop", "fix"]
Stamp = Literal["open", "close"]
SettingsT = TypeVar("SettingsT", bound=Settings)


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused, no number out of a text or a bool."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True, hide_input_in_errors=True
    )

    def __eq__(self, other: object) -> bool:
        """Equal in every key; where the values were written does not count."""
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # mappings inside


class SimulationSection(Section):
    """How fills are decided where bars leave it open."""

    path: PathPolicy = setting(
        "worst_case", unit="", help="Way the price is taken to have gone inside a bar (S6.1 to S6.4)."
    )
    limit_fill: LimitFill = setting(
        "touch", unit="", help="A limit fills when touched, or only when price goes a tick through it (S6.7)."
    )
    market_fill: MarketFill = setting(
        "this_open", unit="", help="Market orders given at an open fill at that open, or at the next one (S5.3)."
    )
    liquidation: Liquidation = setting(
        "losers_first", unit="", help="After a margin call: losers first until margin suffices, or all (S7.2)."
    )
    liquidation_price: LiquidationPrice = setting(
        "close", unit="", help="Base price of a liquidation: the close, or the worst price of the bar (S7.2)."
    )
    liquidate_on_finish: bool = setting(
        False, unit="", help="Close what is open at the end of the data; otherwise it stays open and marked (S7.6)."
    )


class DataSection(Section):
    """How bar files are read; an asset's own key, or one below ``defaults``, goes before these."""

    cache: bool = setting(True, unit="", help="Keep a binary copy of each file read, for faster starts.")
    cache_dir: File | None = setting(None, unit="", help="Folder of these copies; empty: the system's cache folder.")
    repair: Repair | None = setting(
        None, unit="", help="Bad rows: off (an error), drop them, or fix what can be fixed; repairs are counted (S3.4)."
    )
    timestamp: Stamp | None = setting(
        None, unit="", help="Whether a row's time is the bar's open or close; empty: recognised from the layout (S3.1)."
    )
    timezone: Zone | None = setting(
        None, unit="", help="Zone of times without offset, such as America/New_York; empty: by the layout, else UTC."
    )
    bar_length: BarLength | None = setting(None, unit="", help="Length of a bar; empty: recognised from the times.")


class PartSection(Section):
    """A bot, an exit or a slippage model: which, from where, and its settings.

    ``settings`` stays a plain mapping here; ``check`` makes it typed once the part's own settings class is known.
    """

    name: str = setting("", unit="", help="Name in the catalog, or of the class in `module`.")
    module: str | None = setting(
        None, unit="", help="Python file (beside this file) or module that defines it; empty: the catalog's own."
    )
    settings: PlainMapping = Field(
        default_factory=dict, description="Its own settings; see its page, or --list.", json_schema_extra={"unit": ""}
    )
    _at: KeyPath = PrivateAttr(default=())
    _places: Places = PrivateAttr(default_factory=Places)

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name.strip():
            raise refused("a name is missing; --list shows the names there are")
        return name

    @property
    def module_file(self) -> Path | None:
        """The Python file that ``module`` names, beside the configuration's file; None for a dotted name."""
        if self.module is None or not self.module.endswith(".py"):
            return None
        return self._places.file(Path(self.module))

    def written_at(self, path: KeyPath, places: Places) -> None:
        """Take note of where this part was written; the configuration does so once it is complete."""
        self._at = path
        self._places = places

    def check(self, model: type[SettingsT]) -> SettingsT:
        """The settings as ``model``; files among them begin at the configuration's folder.

        Raises:
            ConfigError: listing unknown names and refused values with file, line and key path.
        """
        found = check_settings(model, self.settings, (*self._at, "settings"), self._places.where)
        files = {name: self._places.file(value) for name, value in found if isinstance(value, Path)}
        return found.model_copy(update=files) if files else found

    def place(self, *path: str | int) -> str:
        """Where a key was written, for errors: ``configs/x.yaml:30 bot.name``."""
        return self._places.shown((*self._at, *path))


class BotSection(PartSection):
    """Who decides to enter."""

    name: str = setting("TrendFollowing", unit="", help="Name in the catalog of bots, or of the class in `module`.")


class ExitSection(PartSection):
    """Who sets and moves the stop."""

    name: str = setting("TrailingATR", unit="", help="Name in the catalog of exits, or of the class in `module`.")


class SlippageSection(PartSection):
    """A slippage model in place of fixed ticks or a fixed fraction (S9)."""

    name: str = setting("fixed", unit="", help="fixed, spread, volatility, volume or hybrid (S9).")

    @property
    def stands_alone(self) -> bool:
        """Whether it is one of ours that takes nothing of slippage_ticks and slippage_pct."""
        return self.module is None and self.name != "fixed"


class ReaderSection(PartSection):
    """A reader of the user's own for the file of an asset (S3)."""

    name: str = setting("", unit="", help="Name of the class in `module`.")


class OutputSection(Section):
    """What a run leaves behind."""

    folder: File = setting(Path("runs"), unit="", help="Folder for run folders, from where the command is started.")
    report: bool = setting(True, unit="", help="Write report.html and equity.png into the run's folder.")


class DefaultsSection(Section):
    """Keys for all assets; an asset's own value goes before these, and these before the contract table (S1.3)."""

    contract: str | None = setting(
        None, unit="", help="Root in the contract table whose facts fill what is not given; empty: by the symbol."
    )
    file: File | None = setting(None, unit="", help="Bars: CSV (.gz too) or Parquet, from this file's folder.")
    fine_file: File | None = setting(None, unit="", help="Finer bars of the same symbol for path: fine_bars (S6.4).")
    reader: ReaderSection | None = setting(None, unit="", help="Reader of your own for `file`; empty: by its layout.")
    ticker: str | None = setting(None, unit="", help="Column group of a file that holds several symbols.")
    columns: ColumnNames | None = setting(
        None, unit="", help="Names of the file's columns in their order, where no header says them; empty: it does."
    )
    timestamp: Stamp | None = setting(None, unit="", help="As data.timestamp.")
    timezone: Zone | None = setting(None, unit="", help="As data.timezone.")
    bar_length: BarLength | None = setting(None, unit="", help="As data.bar_length.")
    repair: Repair | None = setting(None, unit="", help="As data.repair.")
    factor_file: File | None = setting(None, unit="", help="Split and dividend factors to adjust prices with (S3.4).")
    split_adjust: bool | None = setting(None, unit="", help="Apply the split factors of factor_file; empty: yes.")
    dividend_adjust: bool | None = setting(None, unit="", help="Apply the dividend factors of factor_file; empty: yes.")
    use_adjusted_close: bool | None = setting(
        None, unit="", help="Adjust prices by the file's column of adjusted closes; empty: no."
    )
    asset_class: Annotated[AssetClass, Field(strict=False)] | None = setting(
        None, unit="", help="Kind of instrument; empty: the table's, else future."
    )
    tick_size: float | None = setting(None, unit="price", gt=0, help="Smallest step of the price (S1.1).")
    tick_value: float | None = setting(
        None, unit="money per tick and contract", gt=0, help="Money one tick makes; with tick_size the point value."
    )
    contract_size: float | None = setting(
        None, unit="units", gt=0, help="Units of the underlying; for information, never used for money (S1.2)."
    )
    lot_size: float | None = setting(None, unit="contracts", gt=0, help="Step of quantities; empty: 1.")
    initial_margin: float | None = setting(None, unit="money per contract", ge=0, help="To open (S8.4).")
    maintenance_margin: float | None = setting(None, unit="money per contract", ge=0, help="To hold (S7.2).")
    initial_margin_rate: float | None = setting(
        None, unit="fraction of notional", ge=0, help="To open, in place of initial_margin; 1.0 is fully paid."
    )
    maintenance_margin_rate: float | None = setting(
        None, unit="fraction of notional", ge=0, help="To hold, in place of maintenance_margin."
    )
    commission_per_contract: float | None = setting(
        None, unit="money per contract and fill", ge=0, help="Empty: 0, and the report warns."
    )
    fee_per_trade: float | None = setting(None, unit="money per fill", ge=0, help="Empty: 0, and the report warns.")
    slippage_ticks: float | None = setting(
        None, unit="ticks per fill", ge=0, help="Fixed slippage; 1 where neither is given (S2.4, S18)."
    )
    slippage_pct: float | None = setting(
        None, unit="fraction of price", ge=0, lt=1, help="Fixed slippage in place of slippage_ticks; 0.0005 is 5 bp."
    )
    slippage_model: SlippageSection | None = setting(None, unit="", help="Slippage model; empty: fixed.")
    currency: Currency | None = setting(
        None, unit="", help="Currency of its money; empty: the table's, else the account's."
    )
    exchange: str | None = setting(None, unit="", help="Exchange, for information.")
    calendar: str | None = setting(None, unit="", help="Session calendar; empty: the table's, else none (UTC days).")

    @field_validator("slippage_pct", "initial_margin_rate", "maintenance_margin_rate")
    @classmethod
    def _one_of_two(cls, value: float | None, info: ValidationInfo) -> float | None:
        name = info.field_name or ""
        other = ALTERNATIVES[name]
        if value is not None and info.data.get(other) is not None:
            raise refused(f"{other} and {name} are both given; give one of them")
        return value

    @field_validator("slippage_model")
    @classmethod
    def _one_slippage(cls, model: SlippageSection | None, info: ValidationInfo) -> SlippageSection | None:
        given = [name for name in FIXED_SLIPPAGE if info.data.get(name) is not None]
        if model is not None and model.stands_alone and given:
            raise refused(f"{given[0]} is given too, of which {model.name} takes nothing; give one of them, or hybrid")
        return model

    @field_validator("maintenance_margin", "maintenance_margin_rate")
    @classmethod
    def _not_above_initial(cls, value: float | None, info: ValidationInfo) -> float | None:
        name = (info.field_name or "").replace("maintenance", "initial")
        initial = info.data.get(name)
        if value is not None and initial is not None and value > initial:
            raise refused(f"{value:g} is above {name}, {initial:g}; a position could not be held as it is opened")
        return value


FIXED_SLIPPAGE = ("slippage_ticks", "slippage_pct")
ALTERNATIVES = {
    "slippage_pct": "slippage_ticks",
    "slippage_ticks": "slippage_pct",
    "initial_margin_rate": "initial_margin",
    "initial_margin": "initial_margin_rate",
    "maintenance_margin_rate": "maintenance_margin",
    "maintenance_margin": "maintenance_margin_rate",
}


class AssetSection(DefaultsSection):
    """One symbol: its file, how to read it, and its contract facts."""

    symbol: Symbol = Field(description="Name of the symbol in the run.", json_schema_extra={"unit": ""})

    def given(self) -> dict[str, Any]:
        """The keys that have a value, without the symbol."""
        return {name: value for name in DefaultsSection.model_fields if (value := getattr(self, name)) is not None}

    def takes_the_place_of(self, name: str, value: Any) -> bool:
        """Whether what this asset gives itself excludes ``value``, which ``defaults`` gives for ``name`` (S1.1)."""
        if name == "slippage_model":
            return value.stands_alone and any(getattr(self, own) is not None for own in FIXED_SLIPPAGE)
        if name in FIXED_SLIPPAGE and self.slippage_model is not None and self.slippage_model.stands_alone:
            return True
        return name in ALTERNATIVES and getattr(self, ALTERNATIVES[name]) is not None
