"""Paper accounts: the backtest's bytes, replays, restarts, late bars, corrections, orders by hand, full disks (S17)."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.errors import SourceError
from data.tradestation.bars import LiveBar
from data.tradestation.events import (
    BarClosed,
    BarCorrected,
    BarUpdated,
    FeedState,
    FeedStatus,
    HistoryLoaded,
    StatusChanged,
)
from engine.config import BacktestConfig
from engine.errors import ConfigError
from engine.kernel.schema import OrderStatus, OrderType, Reason, Source
from engine.paper import PaperAccount
from engine.paper.growing import GrowingBars
from engine.paper.run import PaperRun
from engine.paper.steps import Closing, Opening
from engine.preparing import engine_of, prepare
from engine.run import Run
from tests.live.paper_market import (
    BOTS,
    EXITS,
    MINUTE_NS,
    NS,
    PAIRS,
    START,
    SYMBOLS,
    WARM,
    Told,
    account,
    backfilled,
    bars_of,
    bytes_of,
    config,
    differing,
    fresh_bot,
    history_of,
    in_time,
    instruments,
    journal_bytes,
    live_bar,
    market,
    play,
    replayed_bytes,
)


def frames(bars: dict[str, list[LiveBar]]) -> dict[str, Any]:
    import pandas as pd

    return {
        symbol: pd.DataFrame(
            [bar.figures for bar in own],
            columns=["open", "high", "low", "close", "volume"],
            index=pd.DatetimeIndex([bar.open_ns for bar in own], tz="UTC"),
        )
        for symbol, own in bars.items()
    }


@pytest.mark.parametrize(("bot", "exit"), PAIRS)
def test_bars_that_come_one_by_one_leave_the_bytes_of_a_backtest(bot: str, exit: str) -> None:
    """DESIGN: the same bot gives the same result to the last bit; S10.2."""
    given = config(bot, exit)
    count = 60 if exit in ("TrailingATR", "FixedRatio") else 60 + WARM
    bars = {symbol: bars_of(symbol, count) for symbol in SYMBOLS}
    del bars["NQH24"][-40:-35], bars["ESH24"][-20]
    run = Run(engine_of(given, prepare(given, frames(bars))), fresh_bot(given), drive="step")
    run.complete()
    paper = PaperRun(given, GrowingBars(instruments(given), MINUTE_NS, given.seed), fresh_bot(given))
    for time_ns in sorted({bar.open_ns for own in bars.values() for bar in own}):
        there = {s: bar for s, own in bars.items() for bar in own if bar.open_ns == time_ns}
        opens = {symbol: (time_ns, bar.open) for symbol, bar in there.items()}
        paper.take(Opening(time_ns=time_ns, opens=opens, decide=True))
        paper.take(Closing(figures={symbol: bar.figures for symbol, bar in there.items()}))

    assert run.engine.tables.count("fills") > 3
    assert differing(journal_bytes(run.engine, count), journal_bytes(paper.engine, paper.next_bar)) == []


@pytest.mark.rule("S17.3")
@pytest.mark.parametrize(("bot", "exit"), PAIRS)
def test_replaying_a_recording_gives_the_same_journal(bot: str, exit: str, tmp_path: Path) -> None:
    """S17.3."""
    given = config(bot, exit)
    one = account(tmp_path, given)
    _, told = market(history=20 if exit in ("TrailingATR", "FixedRatio") else WARM)
    play(one, told)
    one.close()

    assert one.run is not None
    assert one.run.engine.tables.count("fills") > 3
    assert differing(bytes_of(one), replayed_bytes(tmp_path, given)) == []


@pytest.mark.slow
@pytest.mark.rule("S17.3")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("bot", BOTS)
@pytest.mark.parametrize("exit", EXITS)
def test_a_recorded_day_session_replays_to_the_same_bytes(bot: str, exit: str, tmp_path: Path) -> None:
    """S17.3: 390 minutes of two symbols, a line that breaks every hour, a correction now and then."""
    given = config(bot, exit)
    one = account(tmp_path, given)
    bars, told = market(history=WARM, live=390)
    for minute in range(30, 390, 60):
        missed = bars["NQH24"][WARM + minute : WARM + minute + 4]
        told = [each for each in told if not (each.event.symbol == "NQH24" and is_of(each, missed))]
        told += [backfilled("NQH24", bar, missed[-1].close_ns + NS) for bar in missed]
        late = bars["ESH24"][WARM + minute]
        other = replace(late, close=late.high, volume=late.volume + 1.0)
        told.append(Told(late.close_ns + 150 * NS, BarCorrected("ESH24", late, other, late.close_ns + 150 * NS)))
    play(one, in_time(told))
    one.close()

    assert one.run is not None
    assert one.run.engine.tables.count("fills") > 10
    assert differing(bytes_of(one), replayed_bytes(tmp_path, given)) == []


def is_of(told: Told, bars: Sequence[LiveBar]) -> bool:
    """Whether an event is about one of the bars."""
    bar = getattr(told.event, "bar", None)
    return bar is not None and any(bar.open_ns == one.open_ns for one in bars)


def restarted(folder: Path, told: Sequence[Told], at_ns: int, given: BacktestConfig) -> PaperAccount:
    """The account as a new process finds it, told the history anew as a feed's first connection does."""
    one = account(folder, given)
    first = {s: told[0].event.bars if s == told[0].event.symbol else told[2].event.bars for s in SYMBOLS}
    for symbol in SYMBOLS:
        closed = [t.event.bar for t in told if isinstance(t.event, BarClosed) and t.event.symbol == symbol]
        known = tuple(bar for bar in (*first[symbol], *closed) if bar.close_ns <= at_ns)
        play(one, history_of(symbol, known, at_ns))
    return one


def killed_and_restarted(
    folder: Path, told: Sequence[Told], cuts: Sequence[int], given: BacktestConfig
) -> dict[str, bytes]:
    """The journal of an account that is dropped, as a crash drops it, at each of the cuts."""
    waiting = list(cuts)
    one = account(folder, given)
    for number, event in enumerate(told):
        if waiting and number >= waiting[0] and not one._phases._prints:  # a print that no OPEN has used is lost
            waiting.pop(0)
            one = restarted(folder, told, told[number - 1].at_ns, given)
        play(one, [event])
        if number in (38, 45):
            one.by_hand({"type": "limit", "symbol": "ESH24", "side": "buy", "qty": 1, "limit": 4000.0})
    one.close()
    assert not waiting
    return bytes_of(one)


FEW = (40, 85, 130, 166)
MANY = [pytest.param(cut, marks=pytest.mark.slow) for cut in range(41, 200, 3)]


@pytest.mark.parametrize("cut", [*FEW, *MANY])
def test_a_restart_goes_on_with_the_same_bytes(cut: int, tmp_path: Path) -> None:
    """Killed without a word, between bars or in their middle, with orders by hand before: as if nothing had been."""
    _, told = market()
    through = killed_and_restarted(tmp_path / "through", told, [], config())
    broken = killed_and_restarted(tmp_path / "broken", told, [cut, cut + 14], config())

    assert differing(through, broken) == []
    assert differing(broken, replayed_bytes(tmp_path / "broken", config())) == []


@pytest.mark.parametrize("exit", [name for name in EXITS if name not in ("TrailingATR", "FixedRatio")])
def test_a_learned_exit_goes_on_after_a_restart_with_what_it_has_learned(exit: str, tmp_path: Path) -> None:
    given = config(exit=exit)
    _, told = market(history=WARM)
    through = killed_and_restarted(tmp_path / "through", told, [], given)
    broken = killed_and_restarted(tmp_path / "broken", told, [100, 150], given)

    assert differing(through, broken) == []


def test_without_its_state_an_account_is_rebuilt_from_the_recording(tmp_path: Path) -> None:
    one = account(tmp_path)
    play(one, market()[1])
    one.close()
    (tmp_path / "state.npz").unlink()
    again = account(tmp_path)

    assert differing(bytes_of(one), bytes_of(again)) == []


def test_a_symbol_that_has_not_printed_within_the_grace_has_a_synthetic_bar(tmp_path: Path) -> None:
    """S17.1: its late first print opens nothing, its bar is known to the next OPEN's indicators only."""
    bars, _ = market(history=20, live=0)
    bars = {symbol: bars_of(symbol, 22) for symbol in SYMBOLS}
    _, told = market(history=20, live=0)
    for symbol, late in (("ESH24", 0.5), ("NQH24", 9.0)):
        told += live_bar(symbol, bars[symbol][20], first_s=late)
        told += live_bar(symbol, bars[symbol][21])
    one = account(tmp_path)
    play(one, in_time(told))

    assert one.run is not None
    assert one.run.bars._real.rows[-2:].tolist() == [[True, False], [True, True]]
    assert one.run.engine.get_asset_data("NQH24")["close"].iloc[-2] == bars["NQH24"][19].close
    assert one.run.env.history("NQH24", 2)["close"].tolist() == [bars["NQH24"][20].close, bars["NQH24"][21].close]
    one.close()
    assert differing(bytes_of(one), replayed_bytes(tmp_path, config())) == []


def status(symbol: str, state: FeedState, at_ns: int) -> Told:
    return Told(at_ns, StatusChanged(symbol, FeedStatus(symbol, state)))


def outage(symbols: tuple[str, ...], first: int, last: int) -> tuple[dict, list[Told]]:
    """A market in which the lines of ``symbols`` are down from the middle of one bar to that of another."""
    bars, told = market(history=20, live=20)
    down_ns, up_ns = (START + (20 + n) * MINUTE_NS + 40 * NS for n in (first, last))
    kept = [one for one in told if one.event.symbol not in symbols or not down_ns <= one.at_ns < up_ns]
    for place, symbol in enumerate(symbols):
        back = up_ns + place * 3 * NS
        kept += [status(symbol, FeedState.RECONNECTING, down_ns + 1), status(symbol, FeedState.HISTORY, back)]
        missed = [bar for bar in bars[symbol] if down_ns <= bar.close_ns < up_ns]
        kept += [backfilled(symbol, bar, back + 1) for bar in missed]
        kept += [status(symbol, FeedState.LIVE, back + 2)]
        under_way = bars[symbol][20 + last]
        kept = [k for k in kept if not (k.event.symbol == symbol and getattr(k.event, "bar", None) == under_way)]
        kept += [Told(back + 3, BarUpdated(symbol, replace(under_way, closed=False), opened_live=False))]
        closing = under_way.close_ns + NS // 10
        kept += [backfilled(symbol, under_way, closing)]
    return bars, in_time(kept)


@pytest.mark.parametrize("symbols", [SYMBOLS, ("NQH24",)])
def test_bars_missed_in_an_outage_act_late_in_order_and_without_a_decision(
    symbols: tuple[str, ...], tmp_path: Path
) -> None:
    """S17.2: all lines down: the bars act at their own times; one line down: behind what the others lived meanwhile."""
    bars, told = outage(symbols, 5, 9)
    one = account(tmp_path)
    play(one, told)
    run = one.run
    assert run is not None
    orders = [order for order in run.engine.get_orders(False) if order.type is OrderType.MARKET]
    missed = {START + (20 + n) * MINUTE_NS for n in range(6, 10)}
    times = run.engine.market.time_ns.tolist()

    assert all(times[order.placed_bar] not in missed for order in orders if order.symbol in symbols)
    for symbol in SYMBOLS:
        acted = run.engine.market.series[SYMBOLS.index(symbol)]
        assert [float(close) for close in acted.close] == [bar.close for bar in bars[symbol]]
    assert times == sorted(set(times))
    one.close()
    assert differing(bytes_of(one), replayed_bytes(tmp_path, config())) == []


def test_a_stop_acts_on_a_bar_that_came_late(tmp_path: Path) -> None:
    """S17.2: the market went through the stop while the line was down; it fills there, not at today's price."""
    bars, told = outage(("NQH24",), 2, 4)
    given = config()
    one = account(tmp_path, given)
    placed_ns = START + 21 * MINUTE_NS + 59 * NS
    play(one, [t for t in told if t.at_ns < placed_ns])
    missed = bars["NQH24"][23]
    one.by_hand({"type": "stop", "symbol": "NQH24", "side": "sell", "qty": 1, "stop": missed.open - 1.0})
    changed = replace(missed, low=missed.open - 2.0)
    lowest = [
        replace(t, event=replace(t.event, bar=changed)) if getattr(t.event, "bar", None) == missed else t for t in told
    ]
    play(one, [t for t in lowest if t.at_ns >= placed_ns])
    run = one.run
    assert run is not None
    fills = [fill for fill in run.engine.tables.rows("fills") if fill["source"] == Source.MANUAL]

    assert len(fills) == 1
    assert run.engine.scales[1].price(float(fills[0]["base_price"])) <= missed.open - 1.0
    assert fills[0]["reason"] == Reason.STOP
    assert int(run.engine.market.time_ns[fills[0]["bar"]]) % MINUTE_NS in (1, 2)  # a bar behind its time


def test_a_correction_changes_later_indicators_and_no_fill(tmp_path: Path) -> None:
    """S17.2."""
    bars, told = market(live=30)
    one, plain = account(tmp_path / "corrected"), account(tmp_path / "plain")
    half = len(told) * 2 // 3
    play(plain, told[:half])
    play(one, told[:half])
    before = bytes_of(one)
    old = bars["ESH24"][30]
    changed = replace(old, close=old.close + 5.0, high=old.high + 5.0)
    play(one, [Told(told[half].at_ns, BarCorrected("ESH24", old, changed, told[half].at_ns))])

    assert differing(before, bytes_of(one)) == []
    play(one, told[half:])
    play(plain, told[half:])
    ema = [run.env.indicator("ema", "ESH24", period=10) for run in (one.run, plain.run) if run is not None]
    assert ema[0] != ema[1]
    one.close()
    assert differing(bytes_of(one), replayed_bytes(tmp_path / "corrected", config())) == []


def test_an_order_by_hand_in_mid_bar_fills_at_the_next_open(tmp_path: Path) -> None:
    """S17.3."""
    given = config()
    bars, told = market(history=20, live=4)
    middle = [t for t in told if t.at_ns <= START + 21 * MINUTE_NS + 30 * NS]
    one = account(tmp_path, given)
    play(one, middle)
    run = one.run
    assert run is not None
    assert run.is_open
    one.by_hand({"type": "market", "symbol": "NQH24", "side": "buy", "qty": 3})
    assert len(run.held) == 1
    before = run.engine.tables.count("orders")
    play(one, told[len(middle) :])
    order = next(o for o in run.engine.get_orders(False) if o.source is Source.MANUAL)
    fill = next(f for f in run.engine.tables.rows("fills") if f["order"] == order.id)

    assert before == order.id - 1 or before < order.id
    assert order.status is OrderStatus.FILLED
    assert int(fill["bar"]) == 22
    assert run.engine.scales[1].price(float(fill["base_price"])) == bars["NQH24"][22].open
    one.close()
    assert differing(bytes_of(one), replayed_bytes(tmp_path, given)) == []


def test_a_full_disk_stops_nothing_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, told = market(live=20)
    one = account(tmp_path)
    play(one, told[:60])

    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        play(one, told[60:100])
    assert "No space left on device" in one.keeper.trouble
    play(one, told[100:])

    assert one.keeper.trouble == ""
    one.close()
    assert differing(bytes_of(one), replayed_bytes(tmp_path, config())) == []


def test_a_bot_that_raises_decides_no_more_and_its_stops_stay_at_work(tmp_path: Path) -> None:
    given = config()
    _, told = market(live=20)
    one = account(tmp_path, given)
    play(one, told[:40])
    run = one.run
    assert run is not None

    def broken(env: object) -> None:
        raise RuntimeError("out of ideas")

    run.bot.on_bar = broken  # type: ignore[method-assign]
    play(one, told[40:])

    assert run.status == "failed"
    assert "out of ideas" in str(run.error)
    assert run.next_bar == 40


def test_an_account_waits_until_every_symbol_has_its_history(tmp_path: Path) -> None:
    bars, _ = market(history=20, live=0)
    one = account(tmp_path)
    play(one, [Told(START, HistoryLoaded("ESH24", tuple(bars["ESH24"]), None))])

    assert one.waits_for == ("NQH24",)
    with pytest.raises(ConfigError, match="waits for the history of NQH24"):
        one.by_hand({"type": "market", "symbol": "ESH24", "side": "buy", "qty": 1})


def test_another_configuration_is_refused_with_the_cure(tmp_path: Path) -> None:
    one = account(tmp_path)
    play(one, market(live=2)[1])
    one.close()

    with pytest.raises(ConfigError, match="another configuration"):
        account(tmp_path, config("TrendFollowing"))


@pytest.mark.parametrize("content", [b"", b"PK not a state", b"PK\x03\x04 cut off"], ids=["empty", "other", "cut off"])
def test_a_damaged_state_is_refused_with_the_cure(tmp_path: Path, content: bytes) -> None:
    one = account(tmp_path)
    play(one, market(live=2)[1])
    one.close()
    (tmp_path / "state.npz").write_bytes(content)

    with pytest.raises(SourceError, match="remove it"):
        account(tmp_path)


def test_day_orders_end_with_their_day_even_if_its_last_minutes_are_silent(tmp_path: Path) -> None:
    """S7.4: a synthetic bar ends the day."""
    given = config()
    run = PaperRun(given, GrowingBars(instruments(given), MINUTE_NS, given.seed), fresh_bot(given))
    evening = START // (86_400 * NS) * 86_400 * NS + 86_400 * NS - 10 * MINUTE_NS
    bars = bars_of("ESH24", 2)
    run.take(Opening(time_ns=evening, opens={"ESH24": (evening, bars[0].open)}, decide=False))
    run.take(Closing(figures={"ESH24": bars[0].figures}))
    from engine.paper.steps import ByHand

    action = {"type": "limit", "symbol": "ESH24", "side": "buy", "qty": 1, "limit": 4000.0, "tif": "day"}
    run.take(ByHand(action=action, number=0))
    later = evening + MINUTE_NS
    run.take(Opening(time_ns=later, opens={"ESH24": (later, bars[1].open)}, decide=False))
    run.take(Closing(figures={"ESH24": bars[1].figures}))
    assert run.engine.get_orders()[0].status is OrderStatus.ACCEPTED
    morning = evening + 20 * MINUTE_NS
    run.take(Opening(time_ns=morning, opens={"ESH24": (morning, bars[1].open)}, decide=False))

    order = run.engine.order(1)
    assert order.status is OrderStatus.EXPIRED
    assert order.ended_bar == 2
    assert run.added_ns == [later + 1]


def test_actions_that_a_crash_cut_off_never_took_effect(tmp_path: Path) -> None:
    from engine.paper.replay import read_actions

    file = tmp_path / "actions.jsonl"
    file.write_text(json.dumps({"type": "close", "symbol": "ES", "after_ns": 1}) + "\n" + '{"type": "mar')

    assert [action["type"] for action in read_actions(file)] == ["close"]
