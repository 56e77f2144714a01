"""Recording: at once, whole or not at all, as seen, corrections beside (S17.2, S17.3)."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import SourceError
from data.tradestation import recorder as recorder_module
from data.tradestation.bars import Interval
from data.tradestation.emulator import Fault, FaultKind, Scenario
from data.tradestation.events import BarCorrected, GapMarked, HistoryLoaded, RolledOver
from data.tradestation.recorder import Acted, Recorder, compact, series_name
from data.tradestation.recording import read_recording
from tests.live.closings import EVE, NS_MINUTE, bar, closing
from tests.live.harness import MINUTE, RATE, running, unlike_truth


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_every_closing_is_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    writer = Recorder(tmp_path, "@ES", MINUTE)
    for minute in (1, 2, 3):
        writer.bar(closing(minute))
        assert len(read_recording(tmp_path, "@ES", MINUTE).seen) == minute


def test_bars_are_kept_as_they_were_acted_on_and_corrections_beside(tmp_path: Path) -> None:
    """S17.2."""
    writer = Recorder(tmp_path, "@ES", MINUTE)
    writer.history(HistoryLoaded("@ES", (bar(-1), bar(0)), "ESH24"), EVE)
    writer.bar(closing(1), Acted(decided=True, open_seen=10.25))
    writer.bar(closing(2, backfilled=True), Acted(decided=False))
    writer.bar(closing(3), Acted(decided=False, absent=True))
    writer.correction(BarCorrected("@ES", bar(1), bar(1, 12.0), EVE + 4 * NS_MINUTE))
    found = read_recording(tmp_path, "@ES", MINUTE)

    assert found.seen.close.tolist() == [10.0, 10.0, 10.0, 10.0, 10.0]
    assert found.known.close.tolist() == [10.0, 10.0, 12.0, 10.0, 10.0]
    assert found.seen.time_ns.tolist() == [EVE + (m - 1) * NS_MINUTE for m in (-1, 0, 1, 2, 3)]
    assert found.history.tolist() == [True, True, False, False, False]
    assert found.decided.tolist() == [False, False, True, False, False]
    assert found.backfilled.tolist() == [True, True, False, True, False]
    assert found.opened_live.tolist() == [False, False, True, False, True]
    assert found.absent.tolist() == [False, False, False, False, True]
    assert found.open_seen[2] == 10.25
    assert np.isnan(found.open_seen[3])
    assert [(c.open_ns, c.figures[3]) for c in found.corrections] == [(EVE, 12.0)]
    assert found.seen.digest != found.known.digest


def test_gaps_and_rolls_are_noted(tmp_path: Path) -> None:
    writer = Recorder(tmp_path, "@ES", MINUTE)
    writer.take(closing(1), EVE)
    writer.take(GapMarked("@ES", EVE, "the line broke"), EVE + NS_MINUTE)
    writer.take(RolledOver("@ES", "ESH24", "ESM24"), EVE + NS_MINUTE)
    notes = read_recording(tmp_path, "@ES", MINUTE).notes

    assert [(n.kind, n.text) for n in notes] == [("gap", "the line broke"), ("roll", "ESH24 -> ESM24")]


def test_parts_of_a_day_become_one_file_when_the_day_is_over_or_the_recorder_closes(tmp_path: Path) -> None:
    writer = Recorder(tmp_path, "@ES", MINUTE)
    for minute in range(1, 9):
        writer.bar(closing(minute))
    before = read_recording(tmp_path, "@ES", MINUTE)
    assert [name for name in files(tmp_path) if "2024-03-06" in name] == [
        "@ES_1m/2024-03-06/000000000001-000000000005.parquet"
    ]
    assert len(files(tmp_path)) == 4
    writer.close()
    after = read_recording(tmp_path, "@ES", MINUTE)

    assert len(files(tmp_path)) == 2
    assert after.seen.digest == before.seen.digest


def test_a_recorder_that_starts_again_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Recorder(tmp_path, "@ES", MINUTE)
    first.bar(closing(1))
    first.close()
    second = Recorder(tmp_path, "@ES", MINUTE)
    second.history(HistoryLoaded("@ES", (bar(0), bar(1, 99.0), bar(2)), None), EVE)
    second.bar(closing(3))
    found = read_recording(tmp_path, "@ES", MINUTE)

    assert found.seen.close.tolist() == [10.0, 10.0, 10.0, 10.0], "what was seen live stays"
    assert found.known.close.tolist() == [10.0, 99.0, 10.0, 10.0]
    assert found.history.tolist() == [True, False, True, False]


def test_a_crash_between_the_new_file_and_the_removal_of_its_parts_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Recorder(tmp_path, "@ES", MINUTE)
    for minute in (1, 2, 3):
        writer.bar(closing(minute))
    day = tmp_path / series_name("@ES", MINUTE) / "2024-03-06"

    def crash(_: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            compact(day)
    assert len(list(day.iterdir())) == 4
    assert len(read_recording(tmp_path, "@ES", MINUTE).seen) == 3
    compact(day)
    assert len(read_recording(tmp_path, "@ES", MINUTE).seen) == 3


def test_a_part_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Recorder(tmp_path, "@ES", MINUTE)

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(recorder_module.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        writer.bar(closing(1))

    assert files(tmp_path) == []


def test_no_recording_and_a_damaged_one_are_errors_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="record it live first"):
        read_recording(tmp_path, "@ES", MINUTE)
    Recorder(tmp_path, "@ES", MINUTE).bar(closing(1))
    next(tmp_path.rglob("*.parquet")).write_bytes(b"PAR1 no more")
    with pytest.raises(SourceError, match="damaged"):
        read_recording(tmp_path, "@ES", MINUTE)


def test_series_of_other_lengths_and_odd_names_stay_apart() -> None:
    assert series_name("@ES=107XC", MINUTE) == "@ES=107XC_1m"
    assert series_name("BTC/USD", Interval(5)) == "BTC_USD_5m"


def test_a_recorded_feed_equals_the_market_through_an_outage(tmp_path: Path) -> None:
    """Whole chain: emulator, line that breaks, feed, recorder, reader."""
    with running(Scenario(rate=RATE)) as (emulator, consumer):
        writer = Recorder(tmp_path, "ESH24", MINUTE)
        consumer.until_live()
        emulator.inject(Fault(kind=FaultKind.CUT, path="stream/barcharts"))
        consumer.until_closed(4)
        for event in consumer.events:
            writer.take(event, emulator.now_ns())
        writer.close()
        found = read_recording(tmp_path, "ESH24", MINUTE)

        assert unlike_truth(emulator, consumer) == {}
        assert (found.known.time_ns + NS_MINUTE).tolist() == sorted(consumer.bars)
        assert found.known.close.tolist() == [consumer.bars[key].close for key in sorted(consumer.bars)]
