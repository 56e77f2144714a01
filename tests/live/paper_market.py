"""A market told by hand: what a feed would say of two symbols, minute by minute, without a network; and an account."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bots.base import BaseStrategyBot
from bots.catalog import BOTS as BOTS_BY_NAME
from bots.catalog import make_bot
from data.instruments import Instrument
from data.tradestation.bars import Interval, LiveBar, parse_time
from data.tradestation.events import (
    BarClosed,
    BarUpdated,
    CloseReason,
    Event,
    FeedState,
    FeedStatus,
    HistoryLoaded,
    StatusChanged,
)
from engine.backtester import BacktesterEngine
from engine.config import BacktestConfig
from engine.config.sources import instrument_of
from engine.journal import Words, journal_of
from engine.paper import PaperAccount, PaperSettings
from engine.paper.replay import replay
from exits.catalog import EXITS as EXITS_BY_NAME

MINUTE = Interval(1)
MINUTE_NS = MINUTE.bar_ns
NS = 10**9
START = parse_time("2024-03-06T14:00:00Z")
SYMBOLS = ("ESH24", "NQH24")
BOTS = tuple(BOTS_BY_NAME)
EXITS = tuple(EXITS_BY_NAME)
# All bots with all exits; of a script, which asks no exit, most are left to the slow tests.
PAIRS = [
    pytest.param(bot, exit, marks=pytest.mark.slow) if bot == "Scripted" and exit != "TrailingATR" else (bot, exit)
    for bot in BOTS
    for exit in EXITS
]
WARM = 200  # bars until every exit decides
_SCRIPTS = tempfile.TemporaryDirectory(prefix="triphase-scripts-")  # gone when the interpreter ends


def config(bot: str = "CoinFlip", exit: str = "TrailingATR", symbols: Sequence[str] = SYMBOLS) -> BacktestConfig:
    """An account over the symbols, around the clock, with costs."""
    assets = [{"symbol": s, "commission_per_contract": 2.0, "calendar": "24/7"} for s in symbols]
    settings: dict[str, object] = {"flatten_before_maintenance": False, "risk_pct": 0.004, "atr_period": 5}
    if bot == "Scripted":
        settings = {"actions_file": str(script_of(symbols))}
    if bot == "TrendFollowing":
        settings |= {"ema_span": 8, "breakout_atr": 0.5}
    exit_settings = {"atr_multiple": 1.5, "atr_period": 5} if exit in ("TrailingATR", "FixedRatio") else {}
    return BacktestConfig(
        initial_cash=500_000,
        seed=3,
        assets=assets,
        bot={"name": bot, "settings": settings},
        exit={"name": exit, "settings": exit_settings},
    )


def script_of(symbols: Sequence[str]) -> Path:
    """Records for a scripted bot: every third bar an order of some type with a bracket, and now and then a close."""
    kinds = ("market", "limit", "stop")
    records: list[dict[str, object]] = []
    for bar in range(22, 300, 3):
        symbol, side = symbols[bar % len(symbols)], ("buy", "sell")[bar // 3 % 2]
        records.append({"bar": bar, "phase": ("OPEN", "CLOSE")[bar % 2], "type": "close", "symbol": symbol})
        order = {"bar": bar, "phase": ("OPEN", "CLOSE")[bar // 2 % 2], "symbol": symbol, "side": side, "qty": 2}
        kind = kinds[bar // 3 % 3]
        level = {"limit": {"limit": 5_002.0}, "stop": {"stop": 4_998.0}}.get(kind, {})
        records.append(order | {"type": kind} | level)
    file = Path(_SCRIPTS.name) / f"{len(symbols)}.json"
    file.write_text(json.dumps(records), encoding="utf-8")
    return file


def instruments(given: BacktestConfig) -> list[Instrument]:
    return [instrument_of(given, symbol)[0] for symbol in given.symbols]


def bars_of(symbol: str, count: int, seed: int = 1, start_ns: int = START) -> list[LiveBar]:
    """A walk on the tick grid, one bar a minute."""
    rng = np.random.default_rng((seed, *symbol.encode()))
    made = []
    last = 20_000
    for number in range(count):
        prices = last + np.cumsum(np.rint(rng.normal(0.0, 6.0, 6)))
        open_, *_, close = prices.tolist()
        last = close
        figures = (open_ / 4, prices.max() / 4, prices.min() / 4, close / 4, float(rng.integers(1, 900)))
        begin = start_ns + number * MINUTE_NS
        made.append(LiveBar(begin, begin + MINUTE_NS, *figures, ticks=6, closed=True))
    return made


@dataclass(frozen=True, slots=True)
class Told:
    """An event and when it was told, server time."""

    at_ns: int
    event: Event


def history_of(symbol: str, bars: Sequence[LiveBar], at_ns: int) -> list[Told]:
    live = FeedStatus(symbol, FeedState.LIVE)
    return [Told(at_ns, HistoryLoaded(symbol, tuple(bars), None)), Told(at_ns, StatusChanged(symbol, live))]


def live_bar(symbol: str, bar: LiveBar, *, first_s: float = 0.5, late_s: float = 0.2) -> list[Told]:
    """A bar as it happens: first print, halfway, closed a little after its end."""
    begin = replace(bar, high=bar.open, low=bar.open, close=bar.open, volume=1.0, closed=False)
    middle = replace(bar, close=bar.high, low=min(bar.open, bar.high), volume=bar.volume / 2, closed=False)
    closing = bar.close_ns + int(late_s * NS)
    return [
        Told(bar.open_ns + int(first_s * NS), BarUpdated(symbol, begin)),
        Told(bar.open_ns + 30 * NS, BarUpdated(symbol, middle)),
        Told(closing, BarClosed(symbol, bar, CloseReason.STATUS, False, True, closing)),
    ]


def backfilled(symbol: str, bar: LiveBar, at_ns: int) -> Told:
    return Told(at_ns, BarClosed(symbol, bar, CloseReason.HISTORY, True, False, at_ns))


def market(
    symbols: Sequence[str] = SYMBOLS, history: int = 20, live: int = 40, seed: int = 1
) -> tuple[dict[str, list[LiveBar]], list[Told]]:
    """All bars by symbol, and an undisturbed feed: history, then live bars, the second symbol a little behind."""
    bars = {symbol: bars_of(symbol, history + live, seed) for symbol in symbols}
    begun_ns = START + history * MINUTE_NS
    told = [one for symbol in symbols for one in history_of(symbol, bars[symbol][:history], begun_ns)]
    for place, symbol in enumerate(symbols):
        for bar in bars[symbol][history:]:
            told += live_bar(symbol, bar, first_s=0.5 + 0.4 * place, late_s=0.2 + 0.3 * place)
    return bars, in_time(told)


def in_time(told: Sequence[Told]) -> list[Told]:
    return sorted(told, key=lambda one: one.at_ns)


def ticking(told: Sequence[Told], step_s: float = 1.0) -> Iterator[tuple[int, Event | None]]:
    """The events with the passing of time between them."""
    now_ns = told[0].at_ns
    for one in told:
        while now_ns + int(step_s * NS) < one.at_ns:
            now_ns += int(step_s * NS)
            yield now_ns, None
        now_ns = one.at_ns
        yield now_ns, one.event


def account(folder: Path, given: BacktestConfig | None = None, **patience: float) -> PaperAccount:
    given = config() if given is None else given
    return PaperAccount(given, instruments(given), MINUTE, lambda: fresh_bot(given), folder, PaperSettings(**patience))


def fresh_bot(given: BacktestConfig) -> BaseStrategyBot:
    return make_bot(given.bot, given.exit)


def play(one: PaperAccount, told: Sequence[Told]) -> None:
    for now_ns, event in ticking(told):
        if event is None:
            one.pass_time(now_ns)
        else:
            one.take(event, now_ns)


def journal_bytes(engine: BacktesterEngine, bars: int) -> dict[str, bytes]:
    """Every column of the journal as bytes, by name."""
    found = {}
    for name, table in journal_of(engine, bars).tables.items():
        for column, values in table.items():
            if isinstance(values, Words):
                found[f"{name}.{column}.names"] = repr(values.names).encode()
                values = values.codes
            found[f"{name}.{column}"] = (
                values.astype(str).astype("S").tobytes() if values.dtype.hasobject else values.tobytes()
            )
    return found


def bytes_of(one: PaperAccount) -> dict[str, bytes]:
    assert one.run is not None
    return journal_bytes(one.run.engine, one.run.next_bar)


def replayed_bytes(folder: Path, given: BacktestConfig) -> dict[str, bytes]:
    run = replay(folder, given, instruments(given), MINUTE, lambda: fresh_bot(given))
    return journal_bytes(run.engine, run.next_bar)


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return [name for name in one | other if one.get(name) != other.get(name)]
