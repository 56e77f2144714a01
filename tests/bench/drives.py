"""What a bar costs in both drives, as ratios to the C loop and to backtesting.py on the same work."""

import tempfile
from collections.abc import Callable, Iterator
from ctypes import CDLL
from pathlib import Path
from typing import Any

from bots.base import BaseStrategyBot
from engine.backtester import BacktesterEngine
from engine.environment import TradingEnvironment
from engine.market import Market
from engine.orders import OrderRequest, Side
from engine.run import Drive, Run
from tests.bench import c_loop
from tests.bench.markets import market
from tests.bench.measuring import Series, Timed, cpu_seconds, in_turns
from tests.bench.rows import Row
from tests.proof import reference_work as work

COMPILED_RATIO, STEP_RATIO = 2.5, {1: 130.0, 8: 90.0}
STEP_MICROSECONDS = {1: 1.2, 8: 0.8}
BACKTESTING_BARS = 20_000
GAP = 3.0  # points, as jumps and sessions' first bars have it


class DecidesEachBar(BaseStrategyBot):
    """Looks at open and last close of every symbol on every bar, and now and then turns its position round."""

    def prepare(self, engine: BacktesterEngine) -> None:
        """Full control: nothing of the base bot is used."""
        self.held: dict[str, int] = dict.fromkeys(engine.market.symbols, 0)

    def on_bar(self, env: TradingEnvironment) -> None:
        """Buys what opens above its last close, sells what opens below, unless it holds that already."""
        look = env.bar
        for symbol, held in self.held.items():
            bar = look(symbol)
            gap = bar.open - bar.last_close
            if (gap >= GAP and held <= 0) or (gap <= -GAP and held >= 0):
                side = Side.BUY if gap > 0 else Side.SELL
                env.place_order(OrderRequest(symbol=symbol, side=side, quantity=1 + abs(held)))
                self.held[symbol] = int(side)


def fresh(bars: Market, drive: Drive) -> Callable[[], Timed]:
    """The reference work from a new account on; only the bars are measured."""

    def prepare() -> Timed:
        return work.run_here(bars, drive).complete

    return prepare


def deciding(bars: Market) -> Callable[[], Timed]:
    """A bot in Python that decides on every bar."""

    def prepare() -> Timed:
        return Run(BacktesterEngine(bars, initial_cash=work.CASH), DecidesEachBar()).complete

    return prepare


def compared(bars: Market, library: CDLL | None, turns: int) -> Series:
    """Both drives and the C loop over one market, in turns."""
    works: dict[str, Callable[[], Timed]] = {"compiled": fresh(bars, "compiled"), "step": fresh(bars, "step")}
    works["deciding"] = deciding(bars)
    if library is not None:
        loop = c_loop.CLoop(library, bars)
        works["C"] = lambda: loop.trade
        works["C with indicators"] = lambda: lambda: (loop.signals(), loop.trade())
        works["everything"] = lambda: (
            lambda: work.run_here(Market(bars.instruments, bars.series, timeline=bars.timeline)).complete()
        )
    return in_turns(works, turns)


def to_c(found: Series, name: str, other: str = "C") -> tuple[float | None, str]:
    """Ratio to the C loop, and how to say it."""
    if other not in found.seconds:
        return None, "no gcc"
    ratio = found.ratio(name, other)
    return ratio, f"{ratio:.3g} x the C loop"


def of_symbols(symbols: int, library: CDLL | None, asset_bars: int, turns: int) -> Iterator[Row]:
    """Rows of one number of symbols."""
    found = compared(market(symbols, asset_bars // symbols), library, turns)
    label = f"{symbols} symbol{'s' if symbols > 1 else ''}"
    each = {name: found.typical(name) / asset_bars for name in found.seconds}
    ratio, told = to_c(found, "compiled")
    yield Row(f"compiled drive, {label}", each["compiled"] * 1e9, "ns per asset-bar", None, told)
    if ratio is not None:
        yield Row(f"compiled drive, {label}, to the C loop", ratio, "x", COMPILED_RATIO)
        _, whole = to_c(found, "everything", "C with indicators")
        yield Row(f"with market, indicators and set-up, {label}", each["everything"] * 1e9, "ns per asset-bar", None,
                  whole + " with its indicators")  # fmt: skip
    yield Row(f"step drive, base bot, {label}", each["step"] * 1e6, "us per asset-bar", STEP_MICROSECONDS.get(symbols),
              to_c(found, "step")[1])  # fmt: skip
    yield Row(f"step drive, Python bot each bar, {label}", each["deciding"] * 1e6, "us per asset-bar",
              STEP_MICROSECONDS.get(symbols), to_c(found, "deciding")[1])  # fmt: skip


def beside_backtesting(turns: int) -> Iterator[Row]:
    """The same trades in backtesting.py."""
    bars = market(1, BACKTESTING_BARS)
    theirs: Any = work.backtest_there(bars)
    found = in_turns(
        {"here": fresh(bars, "compiled"), "step": fresh(bars, "step"), "there": lambda: lambda: work.run_there(theirs)},
        turns,
    )
    same = work.traded_here(_done(bars)) == work.traded_there(bars)
    beside = (
        f"{found.ratio('there', 'here'):.0f} x the compiled drive, {found.ratio('there', 'step'):.0f} x the step drive"
    )
    yield Row(
        "backtesting.py, same work", found.typical("there") / BACKTESTING_BARS * 1e9, "ns per asset-bar", None,
        f"{beside}; {'the same' if same else 'OTHER'} trades",
    )  # fmt: skip


def _done(bars: Market) -> Run:
    run = work.run_here(bars)
    run.complete()
    return run


def with_more_trades(asset_bars: int, turns: int) -> Iterator[Row]:
    """Late bars cost what early ones do, though thousands of trades lie between; a bot asks for everything it may."""

    class Asks(DecidesEachBar):
        def on_bar(self, env: TradingEnvironment) -> None:
            if env.bar_index % 2:
                env.place_order(OrderRequest(symbol="S0", side=Side.BUY, quantity=1))
            else:
                env.close_position("S0")
            env.get_portfolio()
            env.get_orders()
            env.get_positions()

    ratios, trades = [], 0
    tenth = asset_bars // 10
    for _ in range(turns):
        run = Run(BacktesterEngine(market(1, asset_bars), initial_cash=work.CASH), Asks())
        run.advance(tenth)
        early = cpu_seconds(lambda run=run: run.advance(2 * tenth))
        run.advance(9 * tenth)
        late = cpu_seconds(lambda run=run: run.advance(10 * tenth))
        ratios.append(late / early)
        trades = run.engine.tables.count("trades")
    yield Row("time per bar, last tenth to second tenth", sorted(ratios)[len(ratios) // 2], "x", 1.25,
              f"{trades:,} trades between; portfolio, orders and positions asked for on every bar")  # fmt: skip


def rows(asset_bars: int, turns: int) -> Iterator[Row]:
    """All rows about drives."""
    with tempfile.TemporaryDirectory() as folder:
        library = c_loop.build(Path(folder)) if c_loop.compiler() else None
        for symbols in (1, 2, 8):
            yield from of_symbols(symbols, library, asset_bars, turns)
    yield from beside_backtesting(max(turns // 2, 1))
    yield from with_more_trades(min(asset_bars, 50_000), max(turns // 2, 1))
