"""Many bars at once after a long disconnection, and a disk that refuses: few writes, in order, nothing lost (S17.2)."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data.tradestation import recorder as recorder_module
from data.tradestation.bars import DAY_NS
from data.tradestation.clock import NS
from data.tradestation.emulator import Scenario
from data.tradestation.events import FeedState, FeedStatus, HistoryLoaded, StatusChanged
from data.tradestation.recorder import Recorder
from engine.paper import PaperAccount, keeping
from tests.live.paper_market import (
    MINUTE,
    MINUTE_NS,
    START,
    SYMBOLS,
    account,
    backfilled,
    bars_of,
    bytes_of,
    config,
    differing,
    live_bar,
    market,
    play,
    replayed_bytes,
)
from tests.live.sessions import run_of, session

BEGUN, MISSED = 30, 100


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry a call of fsync."""
    calls: list[int] = []
    fsync = os.fsync

    def counted(handle: int) -> None:
        calls.append(handle)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    return calls


def holding(folder: Path) -> PaperAccount:
    """An account that has lived through some bars."""
    one = account(folder)
    play(one, market(history=20, live=BEGUN - 20)[1])
    return one


def catch_up(one: PaperAccount, bars: int = BEGUN + MISSED) -> None:
    """The histories that come with new lines: what was missed is in them, and acts once both are there."""
    now_ns = START + bars * MINUTE_NS + NS
    for symbol in SYMBOLS:
        one.take(StatusChanged(symbol, FeedStatus(symbol, FeedState.RECONNECTING)), now_ns)
    for symbol in SYMBOLS:
        one.take(HistoryLoaded(symbol, tuple(bars_of(symbol, bars)), None), now_ns)


def caught_up(folder: Path, *, together: bool) -> PaperAccount:
    one = holding(folder)
    if together:
        with one.keeper.together():
            catch_up(one)
    else:
        catch_up(one)
    return one


def test_bars_that_are_written_together_leave_the_bytes_of_bars_written_one_by_one(tmp_path: Path) -> None:
    """S17.3, live and replayed; and a restart from the folder stands where it stood."""
    alone = caught_up(tmp_path / "alone", together=False)
    joined = caught_up(tmp_path / "joined", together=True)
    alone.close()
    again = account(tmp_path / "joined")  # without a word of goodbye

    assert joined.run is not None
    assert joined.run.next_bar == BEGUN + MISSED
    assert differing(bytes_of(alone), bytes_of(joined)) == []
    assert differing(bytes_of(again), bytes_of(joined)) == []
    assert differing(replayed_bytes(tmp_path / "joined", config()), bytes_of(joined)) == []


def test_hundreds_of_bars_of_two_symbols_take_three_syncs(tmp_path: Path, synced: list[int]) -> None:
    one = holding(tmp_path)
    synced.clear()
    with one.keeper.together():
        catch_up(one)
        assert synced == []

    assert len(synced) == 3, "a part of each symbol, the state"


def test_a_long_catch_up_is_written_in_steps(
    tmp_path: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a crash does not begin all of it anew."""
    monkeypatch.setattr(keeping, "MOST_TOGETHER", 60)
    one = holding(tmp_path)
    synced.clear()
    with one.keeper.together():
        catch_up(one)
        assert len(synced) == 3 * (2 * MISSED // 60)


def test_what_one_poll_of_a_session_takes_in_goes_to_disk_together(
    tmp_path: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was down for hours tells its bars one by one, in one go."""
    with session(tmp_path, Scenario(rate=60.0), config(symbols=("ESH24",))) as (_, made):
        run = run_of(made)
        account, begun = made.account, run.next_bar
        assert account is not None
        first_ns = run.bars.last_ns + 10 * MINUTE_NS
        missed = bars_of("ESH24", 40, start_ns=first_ns)
        now_ns = first_ns + 40 * MINUTE_NS

        def drain(_: object) -> int:
            for bar in missed:
                account.take(backfilled("ESH24", bar, now_ns).event, now_ns)
            return len(missed)

        monkeypatch.setattr(made.feed, "drain", drain)
        synced.clear()
        made.poll()
        parts = len({bar.close_ns // DAY_NS for bar in missed})
        assert run.next_bar >= begun + 40
        assert len(synced) <= parts + 1


@pytest.mark.parametrize("written", [0, 1, 2, 3])
def test_a_crash_while_bars_are_caught_up_loses_and_doubles_none(
    written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk stops at each moment of the one step: before it, before the state, behind it. Never one symbol alone."""
    through = caught_up(tmp_path / "through", together=True)
    one = holding(tmp_path / "broken")
    fsync, left = os.fsync, [written]

    def dies(handle: int) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies)
        if written < 3:
            with pytest.raises(KeyboardInterrupt), one.keeper.together():
                catch_up(one)
        else:
            with one.keeper.together():
                catch_up(one)
    again = account(tmp_path / "broken")
    assert again.run is not None
    assert again.run.next_bar == (BEGUN if written < 2 else BEGUN + MISSED)
    catch_up(again)

    assert differing(bytes_of(again), bytes_of(through)) == []
    assert differing(replayed_bytes(tmp_path / "broken", config()), bytes_of(through)) == []


def test_parts_that_belong_together_are_all_whole_before_the_first_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = [Recorder(tmp_path, symbol, MINUTE, at_once=False) for symbol in ("A", "B")]
    for number, one in enumerate(series):
        one.history(HistoryLoaded("AB"[number], tuple(bars_of("A", 3)), None), START)
    parts = [part for one in series for part in one.parts()]
    real, calls = os.fsync, [0]

    def second_fails(handle: int) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", second_fails)
        with pytest.raises(OSError, match="No space"):
            recorder_module.write_parts(parts)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    recorder_module.write_parts(parts)
    assert sorted(path.parts[-3] for path in tmp_path.rglob("*.parquet")) == ["A_1m", "B_1m"]


# ------------------------------------------------------------------------------------------ a disk that refuses


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Nothing can be written within; one entry a try."""
    tries: list[int] = []

    def refuse(handle: int) -> None:
        tries.append(handle)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        yield tries


def test_a_disk_that_refuses_is_tried_again_less_and_less_often_and_the_warning_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = holding(tmp_path)
    begun = START + BEGUN * MINUTE_NS + NS
    with full_disk(monkeypatch) as tries, caplog.at_level(logging.INFO):
        one.by_hand({"type": "close", "symbol": "ESH24"})
        for poll in range(50 * 600):  # ten minutes of a window's frames
            one.pass_time(begun + poll * NS // 50)
            assert "No space left on device; 1 records wait" in one.keeper.trouble
        at_first = len(tries)
    assert 10 <= at_first <= 17, "after 1, 2, 4, ... 60, 60 s, not thirty thousand times"
    assert sum("cannot be written" in text for text in caplog.messages) == 1

    with caplog.at_level(logging.INFO):
        for second in range(62):
            one.pass_time(begun + (600 + second) * NS)
    assert one.keeper.trouble == ""
    assert sum("can be written again" in text for text in caplog.messages) == 1


def test_what_comes_while_a_disk_is_left_alone_is_counted_in_the_warning_and_written_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = holding(tmp_path)
    bars = {symbol: bars_of(symbol, BEGUN + 3) for symbol in SYMBOLS}
    with full_disk(monkeypatch):
        for minute in range(BEGUN, BEGUN + 3):
            play(one, [told for symbol in SYMBOLS for told in live_bar(symbol, bars[symbol][minute])])
        assert one.keeper.trouble.endswith("6 records wait")
    one.close()  # which does not wait for the next try

    assert one.keeper.trouble == ""
    assert differing(replayed_bytes(tmp_path, config()), bytes_of(one)) == []


def test_a_clock_that_is_set_back_does_not_keep_a_disk_from_being_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = holding(tmp_path)
    begun = START + BEGUN * MINUTE_NS + NS
    one.pass_time(begun)
    with full_disk(monkeypatch):
        one.by_hand({"type": "close", "symbol": "ESH24"})
    one.pass_time(begun - 3600 * NS)

    assert one.keeper.trouble == ""
