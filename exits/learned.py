"""Exits that choose their multiple of the ATR when they enter, and then trail as TrailingATRExit does (rulebook S12.3).

Base of the learned exits: it gives the compiled code one record with everything it reads (features, weights, the
state of a learner), the same in both drives. Decisions are made by engine.kernel.choosing, at the entries taken.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from data.errors import ModelError
from engine import settings as typed
from engine.backtester import BacktesterEngine
from engine.kernel import loops
from engine.kernel.learned import FEATURES, LEARNED, MOST_ARMS
from engine.orders import Side
from engine.settings import setting
from engine.views import Position
from exits.base import ExitContext, ExitStrategy, Levels
from exits.compiling import ensure_compiled
from exits.features import ATR_PERIOD, feature_tables
from exits.parity import SCRATCH
from models.store import Model


class LearnedExit(ExitStrategy):
    """Base: features in, a multiple out; one record for the kernel.

    A model that is missing or does not fit is an error at start, unless ``fallback_multiple`` is given: then that
    multiple is served, and the report says so.
    """

    class Settings(typed.Settings):
        """Settings of every learned exit."""

        fallback_multiple: float | None = setting(
            None, unit="ATR", gt=0, help="Multiple to serve where the model cannot be used; empty: that is an error."
        )

    settings: Settings
    network: ClassVar[int] = 0

    def __init__(self, settings: typed.Settings | None = None) -> None:
        super().__init__(settings)
        self.record = np.zeros(1, LEARNED)
        self.tables: dict[str, NDArray[Any]] = {}
        self.fallback: str | None = None

    # What a learned exit writes

    def model(self) -> Model | None:
        """Its trained model, checked; None where it has none.

        Raises:
            ModelError: where it cannot be used.
        """
        return None

    def arms(self, model: Model | None) -> tuple[float, ...]:
        """The multiples it chooses from: those that its model was trained on."""
        return model.multiples if model is not None else ()

    def fill_record(self, engine: BacktesterEngine, model: Model | None, learning: bool) -> None:
        """Add what is its own to the record and the tables."""

    # How the engine drives it

    @property
    def requirements(self) -> tuple[tuple[str, dict[str, int]], ...]:
        """The indicators behind the features."""
        return (("atr", {"period": ATR_PERIOD}), ("atr", {"period": 100}), ("ema", {"period": 50}))

    def prepare(self, engine: BacktesterEngine, learning: bool) -> None:
        """Make the record and hand it to the kernel."""
        ensure_compiled()
        try:
            model = self.model()
        except ModelError as error:
            self._fall_back(engine, error)
            return
        engine.tables.attach("exit_atr_a", engine.market.indicator_in_ticks("atr", period=ATR_PERIOD))
        multiples = self.arms(model)
        if not 2 <= len(multiples) <= MOST_ARMS:
            raise ModelError(f"{len(multiples)} multiples; a learned exit chooses from 2 to {MOST_ARMS}")
        self._fill_common(engine, multiples, lookback_of(model))
        if model is not None:
            self._fill_network(model)
        self.fill_record(engine, model, learning)
        self._attach(engine)
        if learning and self.learns_in_kernel and not self.in_kernel:
            engine.note(
                f"{type(self).__name__} is called in Python and decides with what {type(self).__mro__[1].__name__} "
                "knows, but it does not learn: entries of a derived class are not told to the learner"
            )

    def _fall_back(self, engine: BacktesterEngine, error: ModelError) -> None:
        """Serve the fallback multiple, and say so; without one the error stands."""
        multiple = self.settings.fallback_multiple
        if multiple is None:
            raise error
        self.fallback = f"{type(self).__name__} serves its fallback_multiple {multiple:g} at every entry: {error}"
        engine.note(self.fallback)
        engine.tables.account[0]["hook_a"] = 0
        engine.tables.account[0]["atr_multiple"] = multiple
        engine.tables.symbols["exit_multiple"] = multiple

    def _fill_common(self, engine: BacktesterEngine, multiples: tuple[float, ...], lookback: int) -> None:
        made = feature_tables(engine, lookback)
        calibration = np.zeros((2, MOST_ARMS))
        calibration[1] = 1.0
        self.tables = {
            "closed": made.closed,
            "clock": made.clock,
            "sequence": made.sequence,
            "multiples": np.array(multiples),
            "scratch": np.zeros(SCRATCH, np.float32),
            "x": np.zeros(FEATURES),
            "values": np.zeros(MOST_ARMS),
            "widths": np.zeros(MOST_ARMS),
            "prior": np.zeros(MOST_ARMS),
            "lots": np.zeros(MOST_ARMS),
            "calibration": calibration,
        }
        self.record[0] = np.zeros(1, LEARNED)[0]
        row = self.record[0]
        row["account_a"], row["arms"], row["arm"] = engine.tables.address, len(multiples), -1
        row["lookback"] = lookback

    def _fill_network(self, model: Model) -> None:
        row, arrays = self.record[0], model.arrays
        self.tables["weights"] = np.ascontiguousarray(arrays["weights"], np.float32)
        self.tables["sizes"] = np.ascontiguousarray(arrays["sizes"], np.int64)
        self.tables["calibration"][:, : len(arrays["multiples"])] = arrays["calibration"]
        row["network"], row["layers"] = self.network, len(arrays["sizes"])
        row["hidden"] = int(arrays["hidden"]) if "hidden" in arrays else 0

    def _attach(self, engine: BacktesterEngine) -> None:
        from engine.kernel.choosing import HOOK_ADDRESS

        row = self.record[0]
        for name, table in self.tables.items():
            row[f"{name}_a"] = table.ctypes.data
        engine.tables.attach("learned_a", self.record)
        engine.tables.account[0]["hook_a"] = HOOK_ADDRESS

    # The same decisions for a class derived from a learned exit, which Python calls

    def initial_levels(self, side: Side, entry_price: float, atr: float, market: ExitContext) -> Levels:
        """Stop at the chosen multiple; NaN, and with it no entry, while the features are not all there."""
        multiple = self.choose(market, side)
        self._engine_of(market).tables.symbols["exit_multiple"][self._column(market)] = multiple
        own = market.indicator("atr", period=ATR_PERIOD)
        return Levels(stop_loss=loops.atr_level(entry_price, side, multiple, own))

    def update_stop(self, position: Position, market: ExitContext) -> float | None:
        """The same distance behind the last close, once that lies beyond the average entry in favour."""
        later = market.env.bar_index > position.entry_bar
        if not later or not (market.last_close - position.average) * position.side > 0:
            return None
        multiple = float(self._engine_of(market).tables.symbols["exit_multiple"][self._column(market)])
        own = market.indicator("atr", period=ATR_PERIOD)
        return loops.atr_level(market.last_close, position.side, multiple, own)

    def choose(self, market: ExitContext, side: Side) -> float:
        """The multiple that it would serve for an entry now."""
        return self.multiple_for(self._engine_of(market), self._column(market), int(side))

    def multiple_for(self, engine: BacktesterEngine, column: int, side: int) -> float:
        """The multiple for an entry at the OPEN where the account stands."""
        if self.fallback is not None:
            return float(engine.tables.account[0]["atr_multiple"])
        from engine.kernel.choosing import ask

        return ask(self.record.ctypes.data, column, side)

    @staticmethod
    def _engine_of(market: ExitContext) -> Any:
        return market.env.api

    @staticmethod
    def _column(market: ExitContext) -> int:
        return market.env.api.market.column(market.symbol)

    def get_state(self) -> dict[str, Any] | None:
        """Nothing to keep: a network does not change while it serves."""
        return {}


def lookback_of(model: Model | None) -> int:
    """Closed bars that a model looks at as a sequence; 1 without one."""
    return int(model.arrays["lookback"]) if model is not None and "lookback" in model.arrays else 1
