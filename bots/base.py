"""The base bot: gates, sizes, enters and trails by rulebook S11; a strategy only decides the side."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo, field_validator

from data.errors import CalendarError
from data.session_rules import parse_clock
from data.sessions import REGULAR_HOURS
from engine import settings as typed
from engine.backtester import BacktesterEngine
from engine.config.values import refused
from engine.environment import TradingEnvironment
from engine.errors import CatalogError
from engine.kernel import loops
from engine.kernel.schema import Reject
from engine.kernel.state import EXIT_OUTSIDE, FLATTEN
from engine.market import Market, SessionPolicy
from engine.orders import Side
from engine.settings import setting
from exits.atr import TrailingATRExit
from exits.base import ExitContext, ExitStrategy, Levels

SideArray = NDArray[np.int8]
_SIDES = frozenset((-1, 0, 1))
ATR_PERIOD = 14  # of exits that have no setting for it (S18)


class BotSettings(typed.Settings):
    """Settings that every bot has (S18)."""

    risk_pct: float = setting(0.01, unit="fraction of equity", gt=0, le=1, help="Money risked per trade; 0.01 is 1 %.")
    max_margin_pct: float = setting(
        0.5, unit="fraction of available equity", gt=0, le=1, help="Most that the margin of an entry may take."
    )
    max_quantity: float | None = setting(None, unit="contracts", gt=0, help="Most per entry; empty: no cap.")
    min_atr: float = setting(0.0, unit="price", ge=0, help="No entries while the ATR is below it.")
    atr_period: int = setting(14, unit="bars", ge=1, help="Period of the ATR of the entry gate.")
    max_positions_open: int | None = setting(None, unit="positions", ge=1, help="Most at a time; empty: no cap.")
    max_daily_loss_pct: float | None = setting(
        None,
        unit="fraction of equity",
        gt=0,
        le=1,
        help="No entries once the trading day has lost this; empty: no cap.",
    )
    enforce_sessions: bool = setting(False, unit="", help="Enter in regular hours only.")
    regular_hours_from: str = setting(REGULAR_HOURS[0], unit="HH:MM", help="Regular hours begin, New York time.")
    regular_hours_to: str = setting(REGULAR_HOURS[1], unit="HH:MM", help="Regular hours end, New York time.")
    flatten_before_maintenance: bool | None = setting(
        None, unit="", help="Close before the session ends; empty: for futures with bars up to an hour."
    )
    flatten_minutes: float = setting(5.0, unit="minutes", gt=0, help="How long before the session's end.")
    enable_online_learning: bool = setting(True, unit="", help="Let the exit learn from closed trades.")

    @field_validator("regular_hours_from", "regular_hours_to")
    @classmethod
    def _time_of_day(cls, text: str, info: ValidationInfo) -> str:
        try:
            time_of_day = parse_clock(text, "it")
        except CalendarError as error:
            raise refused(str(error).removeprefix("it: ").removesuffix(".")) from None
        begins = info.data.get("regular_hours_from")  # of the end; the beginning stands alone
        if begins is not None and time_of_day <= parse_clock(begins, "it"):
            raise refused(f"{text} is not after regular_hours_from, {begins}; give the earlier time first")
        return text


class BaseStrategyBot:
    """Base of bots. A strategy writes exactly one of ``decide_side`` and ``sides``, or overrides ``on_bar`` whole.

    Attributes:
        Settings: class of the settings, derived from BotSettings.
        exit: the exit strategy that sets and moves the stops.

    Example:
        >>> class Mondays(BaseStrategyBot):
        ...     def decide_side(self, env, symbol):
        ...         return Side.BUY if env.bar(symbol).open > env.bar(symbol).last_close else None
    """

    Settings: ClassVar[type[BotSettings]] = BotSettings

    def __init__(self, settings: BotSettings | None = None, exit: ExitStrategy | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.exit = exit if exit is not None else TrailingATRExit()
        self._drives_itself = _overrides(self, "on_bar", BaseStrategyBot)
        written = [_overrides(self, name, BaseStrategyBot) for name in ("decide_side", "sides")]
        self.decides_by_array = written == [False, True]
        if sum(written) != 1 and not self._drives_itself:
            both = "both decide_side and sides" if all(written) else "neither decide_side nor sides"
            raise CatalogError(f"{type(self).__name__} defines {both}; define exactly one of them, or on_bar")

    # What a strategy writes

    def decide_side(self, env: TradingEnvironment, symbol: str) -> Side | None:
        """Buy, sell or nothing, for a flat symbol whose gates are open, at OPEN of its bar (S11.3)."""
        raise NotImplementedError

    def sides(self, market: Market) -> SideArray:
        """Sides for all bars at once, int8[n_bars, n_symbols]: 1 buy, -1 sell, 0 none.

        A function of settings and market alone: runs of a sweep that differ in nothing else share the array.
        The side at t may depend on O of t and on bars up to t-1 only; ``check_lookahead`` and a prefix test see to it.
        """
        raise NotImplementedError

    def on_close(self, env: TradingEnvironment) -> None:
        """CLOSE of a bar; orders given here wait for the next one (S5.6)."""

    def get_state(self) -> dict[str, Any] | None:
        """What a snapshot must keep, as plain data; None: unknown, a rewind replays from the start."""
        return None

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to what ``get_state`` gave."""

    # How the engine drives it

    @property
    def acts_at_close(self) -> bool:
        """Whether it has an ``on_close`` of its own, which costs a second call per bar."""
        return _overrides(self, "on_close", BaseStrategyBot)

    @property
    def compilable(self) -> bool:
        """Whether the compiled drive can run it: sides as an array, an exit the kernel knows, no hook in Python."""
        return (
            self.decides_by_array
            and self.exit.in_kernel
            and not self._drives_itself
            and not (self.acts_at_close or (self.learns and not self.exit.learns_in_kernel))
        )

    @property
    def prepares_by_settings(self) -> bool:
        """Whether ``prepare`` is the base's, which needs nothing of an engine but its tables: a batch can call it."""
        of_exit = type(self.exit).prepare is ExitStrategy.prepare
        return of_exit and not _overrides(self, "prepare", BaseStrategyBot)

    @property
    def learns(self) -> bool:
        """Whether the exit takes in closed trades in Python (S7.5)."""
        taught = type(self.exit).ingest_trade_log is not ExitStrategy.ingest_trade_log
        return taught and self.settings.enable_online_learning

    @property
    def session_policy(self) -> SessionPolicy:
        """What the settings ask of sessions (S11.1)."""
        own = self.settings
        return SessionPolicy(
            flatten=own.flatten_before_maintenance,
            minutes=own.flatten_minutes,
            enforce=own.enforce_sessions,
            regular_hours=(own.regular_hours_from, own.regular_hours_to, REGULAR_HOURS[2]),
        )

    def prepare(self, engine: BacktesterEngine) -> None:
        """Hand the settings of bot and exit to the kernel, before the first bar."""
        self._engine = engine
        engine.keep_sessions(self.session_policy)
        tables, own, market = engine.tables, self.settings, engine.market
        account = tables.account[0]
        account["risk_pct"], account["max_margin_pct"] = own.risk_pct, own.max_margin_pct
        account["max_daily_loss_pct"] = np.inf if own.max_daily_loss_pct is None else own.max_daily_loss_pct
        account["max_positions"] = own.max_positions_open or np.iinfo(np.int64).max
        for column, scale in enumerate(engine.scales):
            row = tables.instruments[column]
            row["min_atr"] = own.min_atr / scale.tick_size
            row["max_lots"] = np.inf if own.max_quantity is None else scale.lots(own.max_quantity)
        tables.attach("atr_a", market.indicator_in_ticks("atr", period=own.atr_period))
        self._prepare_exit(engine)
        if self.decides_by_array:
            key = (type(self), own)
            tables.attach("sides_a", engine.shared(key, lambda: checked_sides(self, market)))

    def _prepare_exit(self, engine: BacktesterEngine) -> None:
        account = engine.tables.account[0]
        account["exit_kind"] = self.exit.kernel_kind if self.exit.in_kernel else EXIT_OUTSIDE
        if not self.exit.in_kernel:
            self.exit.prepare(engine, self.settings.enable_online_learning)
            return
        exit_settings: Any = self.exit.settings
        account["atr_multiple"] = getattr(exit_settings, "atr_multiple", np.nan)
        account["r_multiple"] = getattr(exit_settings, "r_multiple", np.nan)
        engine.tables.symbols["exit_multiple"] = account["atr_multiple"]
        period = getattr(exit_settings, "atr_period", ATR_PERIOD)
        engine.tables.attach("exit_atr_a", engine.market.indicator_in_ticks("atr", period=period))
        self.exit.prepare(engine, self.settings.enable_online_learning)

    def on_bar(self, env: TradingEnvironment) -> None:
        """OPEN of a bar: first pass positions, second pass entries (S11)."""
        engine = self._engine
        if self.exit.in_kernel and self.decides_by_array:
            engine.tables.call(loops.base_bar)
        else:
            self._passes(env, len(engine.market.symbols))

    def _passes(self, env: TradingEnvironment, stop: int) -> None:
        """Both passes, the second one up to the symbol in column ``stop``."""
        engine = self._engine
        if self.exit.in_kernel:
            column = engine.tables.call(loops.manage_positions)
        else:
            self._manage_outside(engine, env)
            column = engine.tables.call(loops.next_candidate, 0)
        while column < stop:
            column = self._decide(engine, env, column)

    def _manage_outside(self, engine: BacktesterEngine, env: TradingEnvironment) -> None:
        """First pass with an exit in Python: flatten, else offer the stop to the exit (S11.1, S11.5)."""
        for column, symbol in enumerate(engine.market.symbols):
            position = engine.position(symbol)
            if position is None:
                _cancel_in_window(engine, column)
            elif engine.tables.call(loops.flatten_if_due, column) == 0 and env.bar(symbol).real:
                stop = self.exit.update_stop(position, self._context(env, symbol))
                if stop is not None:
                    engine.tighten_stop_loss(symbol, stop)

    def _decide(self, engine: BacktesterEngine, env: TradingEnvironment, column: int) -> int:
        """Second pass at one symbol: side, levels, size, order; returns the next column to look at."""
        side = self.side_at(env, column)
        if side == 0 or self.exit.in_kernel:
            return engine.tables.call(loops.decide, column, side)
        return engine.tables.call(loops.decide_levels, column, side, *self._levels_outside(env, column, side))

    def _levels_outside(self, env: TradingEnvironment, column: int, side: int) -> tuple[float, float]:
        """Levels of an exit in Python, in ticks, not rounded; NaN for none."""
        symbol, scale = self._engine.market.symbols[column], self._engine.scales[column]
        context = self._context(env, symbol)
        atr = env.indicator("atr", symbol, period=self.settings.atr_period)
        levels: object = self.exit.initial_levels(Side(side), context.open, atr, context)
        if not isinstance(levels, Levels):
            told = f"{type(self.exit).__name__}.initial_levels gave {levels!r}"
            raise CatalogError(f"{told}; give Levels(stop_loss=...), with a stop of NaN for no entry")
        return scale.ticks(levels.stop_loss), scale.ticks(levels.take_profit)

    # For inspection

    def act_before(self, env: TradingEnvironment, column: int) -> None:
        """OPEN up to the decision on the symbol in ``column``."""
        if not self._drives_itself:
            self._passes(env, column)

    def side_at(self, env: TradingEnvironment, column: int) -> int:
        """The side decided on for a symbol now: 1 buy, -1 sell, 0 none."""
        if self.decides_by_array:
            return int(self._engine.tables.attached["sides_a"][self._engine.bar, column])
        if self._drives_itself:
            return 0
        side = self.decide_side(env, self._engine.market.symbols[column])
        if side is None:
            return 0
        if side not in _SIDES:
            raise CatalogError(
                f"{type(self).__name__}.decide_side gave {side!r}; give Side.BUY (1), Side.SELL (-1) or None"
            )
        return int(side)

    def levels_at(self, env: TradingEnvironment, column: int, side: int) -> tuple[float, float]:
        """Stop and target of an entry now, in ticks, rounded as the broker does; NaN for none."""
        stop, target = self._levels_outside(env, column, side)
        return loops.round_against(stop, -side), -loops.round_against(-target, -side)

    def _context(self, env: TradingEnvironment, symbol: str) -> ExitContext:
        bar = env.bar(symbol)
        return ExitContext(env=env, symbol=symbol, open=bar.open, last_close=bar.last_close)


def _overrides(bot: BaseStrategyBot, name: str, base: type) -> bool:
    """Whether the bot's class, or one between it and the base, defines a method itself."""
    method: Callable[..., Any] = getattr(type(bot), name)
    return method is not getattr(base, name)


def _cancel_in_window(engine: BacktesterEngine, column: int) -> None:
    """Cancel what works for a flat symbol before its session ends (S11.1), as the kernel's first pass does."""
    tables = engine.tables
    if not (tables.flags.item(engine.bar, column) & FLATTEN and tables.account["flatten_on"][0]):
        return
    for order in engine.get_orders():
        if order.symbol == engine.market.symbols[column]:
            tables.call(loops.cancel_order, order.id, int(Reject.FLATTENED))


def checked_sides(bot: BaseStrategyBot, market: Market) -> SideArray:
    """A bot's array of sides, checked for shape and values.

    Raises:
        CatalogError: naming the bot and what is wrong.
    """
    sides, name = np.asarray(bot.sides(market)), type(bot).__name__
    shape = (len(market), len(market.symbols))
    if sides.shape != shape:
        raise CatalogError(f"{name}: sides has shape {sides.shape}, not {shape} (bars, symbols); give one per bar")
    if not _are_sides(sides):
        raise CatalogError(f"{name}: sides holds values other than 1 (buy), -1 (sell) and 0 (none)")
    return np.ascontiguousarray(sides, dtype=np.int8)


def _are_sides(values: NDArray[Any]) -> bool:
    """Whether all values are -1, 0 or 1; of whole numbers the extremes tell, ten times as fast."""
    if np.issubdtype(values.dtype, np.integer) and values.size:
        return bool(values.min() >= -1 and values.max() <= 1)
    return bool(np.isin(values, (-1, 0, 1)).all())
