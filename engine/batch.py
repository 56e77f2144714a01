"""Many settings on one market: compiled, without a journal, the same figures as one run after the other.

A batch shares the bars, the flags of the sessions and the indicators; each run has its own account. The bots and exits
say what they want of the kernel through the same ``prepare`` as in a run of their own.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.backtester import BacktesterEngine
from engine.kernel.batch import BLOCK, LANE, run_lanes
from engine.kernel.schema import EQUITY
from engine.market import Market, SessionPolicy
from engine.run import Run, RunnableBot
from engine.scale import Scale
from engine.statistics import Statistics, StatisticsInputs, days_per_year, portfolio_statistics, totals_of
from engine.statistics.compute import Curve, statistics_of, years_between
from engine.statistics.loops import daily_returns
from engine.tables import RunTables

Records = NDArray[Any]
Flags: TypeAlias = dict[SessionPolicy, tuple[NDArray[np.uint8], bool]]

_SHARED_BYTES = 64 * 2**20
_NOT_YET = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What is kept of one run of a batch.

    Attributes:
        statistics: figures of the portfolio (S13).
        ambiguous_trades: trades that the path policy may have decided (S6.9).
        status: completed or bankrupt.
        daily_equity: equity at the close of each trading day, float64[days].
        digest: SHA-256 of daily equity and closed trades, 16 characters: equal results, equal digests.
    """

    statistics: Statistics
    ambiguous_trades: int
    status: str
    daily_equity: FloatArray
    digest: str


class Bench:
    """A market made ready for batches under one configuration: rules, costs and slippage are the engine's.

    Args:
        make_engine: makes a connected engine before its first bar, told whether it keeps rows; the first one's tables
            are read, never changed.
        flags: flags of the sessions by policy; given to several benches of one market, they are computed once.
    """

    def __init__(self, make_engine: Callable[[bool], BacktesterEngine], flags: Flags | None = None) -> None:
        self.fresh_engine, self.engine = make_engine, make_engine(False)
        self.beginning = self.engine.tables.copy_state()
        self.market = self.engine.market
        self.liquidates = self.engine.rules.liquidate_on_finish
        day = self.market.trading_day
        ends = np.append(np.flatnonzero(day[1:] != day[:-1]), len(day) - 1)
        self.day_ends = np.append(ends, _NOT_YET).astype(np.int64)
        self.time_ns = np.ascontiguousarray(self.market.time_ns)
        self.years = years_between(self.time_ns)
        self.days_per_year = days_per_year(facts.asset_class for facts in self.market.instruments)
        self._shared: dict[object, NDArray[Any]] = {}
        self._flags: Flags = {} if flags is None else flags

    def shared(self, key: object, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """What ``make`` gave for an equal ``key``, if that is not too long ago; what cannot be a key is made anew."""
        try:
            found = self._shared.pop(key, None)
        except TypeError:
            return make()
        table = make() if found is None else found
        self._shared[key] = table
        held = sum(each.nbytes for each in list(self._shared.values()))
        for old in list(self._shared)[:-1]:
            if held <= _SHARED_BYTES:
                break
            dropped = self._shared.pop(old, None)
            held -= 0 if dropped is None else dropped.nbytes
        return table

    @property
    def days(self) -> int:
        """Trading days of the market."""
        return len(self.day_ends) - 1

    def sessions(self, policy: SessionPolicy) -> tuple[NDArray[np.uint8], bool]:
        """Flags of all bars under a policy, and whether any symbol is flattened; computed once."""
        if policy not in self._flags:
            flattens = any(self.market.flattens(column, policy) for column in range(len(self.market.symbols)))
            self._flags[policy] = self.market.flags(policy), flattens
        return self._flags[policy]

    def run(self, bots: Sequence[RunnableBot]) -> list[BatchResult]:
        """Run fresh bots that ``can_batch``, all in one pass over the bars.

        Raises:
            TriphaseError: where a bot or exit refuses the market; whatever a bot's ``sides`` raises.
        """
        return self.run_seats([Seat(self, bot) for bot in bots])

    def run_seats(self, seats: "Sequence[Seat]") -> list[BatchResult]:
        """The same for bots that have been prepared already."""
        lanes = run_seats(self, seats)
        return [seat.result(lane) for seat, lane in zip(seats, lanes, strict=True)]


class Seat:
    """One run's place in a batch; to the bot that is being prepared it is the engine.

    Attributes:
        market, scales, tables: as the engine's.
        closes: equity at the close of each trading day, filled by the kernel.
    """

    def __init__(self, bench: Bench, bot: RunnableBot) -> None:
        self._bench = bench
        self.market: Market = bench.market
        self.scales: list[Scale] = bench.engine.scales
        whole = bench.engine.tables
        facts = whole.instruments.copy()
        self.tables = RunTables(whole.bars, whole.flags, facts, 0.0, keep_equity=False, begin=bench.beginning)
        self.tables.attached.update(whole.attached)
        self.closes = np.zeros(bench.days)
        bot.prepare(self)  # type: ignore[arg-type]  # what prepare uses of an engine is here

    def keep_sessions(self, policy: SessionPolicy) -> None:
        """Set the session flags that the base bot's gates read (S11.1)."""
        flags, flattens = self._bench.sessions(policy)
        self.tables.attach("flags_a", flags)
        self.tables.account[0]["flatten_on"] = flattens

    def shared(self, key: object, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """What several runs of the bench may share."""
        return self._bench.shared(key, make)

    def result(self, lane: Any) -> BatchResult:
        """What the run came to, once its lane has run all bars."""
        bench, account, trades = self._bench, self.tables.account[0], self.tables.rows("trades")
        totals = LaneTotals(bench, self, lane)
        curve = Curve(
            final_equity=float(account["equity"]),
            bars=len(bench.market),
            years=bench.years,
            drawdown=float(lane["drawdown"]),
            drawdown_fraction=float(lane["drawdown_fraction"]),
            drawdown_ns=int(lane["drawdown_ns"]),
            worst=float(lane["worst"]),
            worst_fraction=float(lane["worst_fraction"]),
            returns=daily_returns(self.closes, totals.initial_cash),
        )
        return BatchResult(
            statistics=statistics_of(trades, curve, totals),
            ambiguous_trades=int(np.count_nonzero(trades["ambiguous"])),
            status="bankrupt" if account["bankrupt"] else "completed",
            daily_equity=self.closes,
            digest=digest_of(self.closes, trades),
        )


class LaneTotals:
    """Costs and counts of one lane, as the statistics ask for them."""

    __slots__ = (
        "bars_in_position", "commission", "days_per_year", "fees", "initial_cash", "margin_calls", "slippage_cost",
        "turnover",
    )  # fmt: skip

    def __init__(self, bench: Bench, seat: Seat, lane: Any) -> None:
        self.initial_cash = float(seat.tables.account[0]["initial_cash"])
        self.bars_in_position, self.margin_calls = int(lane["in_position"]), int(lane["margin_calls"])
        self.turnover, self.commission = float(lane["turnover"]), float(lane["commission"])
        self.fees, self.slippage_cost = float(lane["fees"]), float(lane["slippage_cost"])
        self.days_per_year = bench.days_per_year


def can_batch(bot: RunnableBot) -> bool:
    """Whether a batch can run the bot: what the compiled drive can, unless it prepares itself in a way of its own."""
    return bot.compilable and bool(getattr(bot, "prepares_by_settings", False))


def digest_of(daily_equity: FloatArray, trades: Records) -> str:
    """What a result is known by: SHA-256 of daily equity and of what closed trades came to, 16 characters."""
    digest = hashlib.sha256(np.ascontiguousarray(daily_equity).tobytes())
    for name in ("entry_bar", "exit_bar", "net"):
        digest.update(np.ascontiguousarray(trades[name]).tobytes())
    return digest.hexdigest()[:16]


def run_alone(bench: Bench, bot: RunnableBot) -> BatchResult:
    """A run of its own on the bench's market, with the same outcome: for bots that need Python on every bar.

    Raises:
        StrategyError: what the bot or exit raised.
    """
    run = Run(bench.fresh_engine(True), bot)
    status = run.complete()
    if run.error is not None:
        raise run.error
    if status == "interrupted":
        raise KeyboardInterrupt
    tables, market = run.engine.tables, bench.market
    trades, totals = tables.rows("trades"), totals_of(tables.rows("fills"), run.bars, tables.instruments["tick_money"])
    inputs = StatisticsInputs(
        initial_cash=run.engine.initial_cash,
        time_ns=market.time_ns,
        trading_day=market.trading_day,
        equity=tables.equity["equity"].copy(),
        worst_equity=tables.equity["worst_equity"].copy(),
        trades=trades,
        bars_in_position=totals.bars_in_position,
        turnover=totals.turnover,
        commission=totals.commission,
        fees=totals.fees,
        slippage_cost=totals.slippage_cost,
        margin_calls=tables.count("calls"),
        days_per_year=bench.days_per_year,
    )
    closes = inputs.equity[bench.day_ends[:-1]]
    return BatchResult(
        statistics=portfolio_statistics(inputs),
        ambiguous_trades=int(np.count_nonzero(trades["ambiguous"])),
        status=str(status),
        daily_equity=closes,
        digest=digest_of(closes, trades),
    )


def run_seats(bench: Bench, seats: Sequence[Seat]) -> Records:
    """Run all bars of all seats; returns their LANE records."""
    lanes = np.zeros(len(seats), LANE)
    for lane, seat in zip(lanes, seats, strict=True):
        lane["account_a"], lane["closes_a"] = seat.tables.address, seat.closes.ctypes.data
        lane["peak"] = seat.tables.account[0]["initial_cash"]
        lane["peak_ns"] = bench.time_ns[0]
        lane["liquidate"] = bench.liquidates
    rows = np.zeros(BLOCK, EQUITY)
    addresses = (bench.time_ns.ctypes.data, bench.day_ends.ctypes.data, rows.ctypes.data)
    bars = len(bench.market)
    while run_lanes(lanes.ctypes.data, len(lanes), int(lanes["next_bar"].min()), bars, *addresses):
        for seat, lane in zip(seats, lanes, strict=True):
            if lane["next_bar"] < bars:
                seat.tables.grow()
    return lanes
