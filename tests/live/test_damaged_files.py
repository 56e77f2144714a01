"""Files of our own that are damaged, cut off or cannot be written: the feed and the account go on, and say so."""

import json
import logging
from pathlib import Path

import pytest

from data.errors import SourceError
from data.tradestation.bars import LiveBar
from data.tradestation.emulator import Emulator, Scenario
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.history import HistoryCache, load_history, series_key
from data.tradestation.recorder import Recorder, series_name, unique_rows, write_part
from data.tradestation.recording import read_recording
from data.tradestation.rest import TradeStationClient
from engine.errors import ConfigError
from engine.live.session import INSTRUMENTS, read_instruments
from engine.paper.keeping import Keeper
from engine.paper.replay import ACTIONS_FILE, read_actions
from tests.live.closings import closing
from tests.live.harness import MINUTE
from tests.live.paper_market import account, config, history_of, market, play

KEY = series_key("ESH24", MINUTE, None, None)
DAY_MINUTES = 24 * 60


def kept(folder: Path) -> HistoryCache:
    """A cache of a few bars."""
    cache = HistoryCache(folder, "sim")
    cache.write(KEY, [LiveBar(at, at + 60, 1.0, 2.0, 1.0, 2.0, 5.0, 1, True) for at in range(0, 600, 60)])
    return cache


@pytest.mark.parametrize("part", [0.0, 0.5, 0.95])
def test_a_history_cache_that_was_cut_off_is_read_as_none(tmp_path: Path, part: float) -> None:
    cache = kept(tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])

    assert cache.read(KEY, MINUTE) == []


def test_a_history_cache_whose_bytes_have_changed_is_read_as_none(tmp_path: Path) -> None:
    cache = kept(tmp_path)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[200] ^= 0xFF
    file.write_bytes(content)

    assert cache.read(KEY, MINUTE) == []


def test_history_comes_though_its_cache_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The cache is only a short cut: a full disk must not end a feed."""
    folder = tmp_path / "in-the-way"
    folder.write_text("")
    with Emulator(Scenario()) as emulator, caplog.at_level(logging.WARNING):
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        bars = load_history(client, "ESH24", MINUTE, 20, None, None, HistoryCache(folder, "sim"))
        client.close()

    assert len(bars) == 20
    assert any("ESH24: its history is not kept" in text for text in caplog.messages)


def test_an_order_by_hand_behind_one_that_a_crash_cut_off_is_read(tmp_path: Path) -> None:
    """S17.3: the line that never took effect must not take the next one with it."""
    keeper = Keeper(tmp_path, ["ES"], MINUTE)
    keeper.action({"type": "close", "symbol": "ES"}, 1)
    with (tmp_path / ACTIONS_FILE).open("a", encoding="utf-8") as file:
        file.write('{"type":"mar')

    Keeper(tmp_path, ["ES"], MINUTE).action({"type": "cancel", "id": 7}, 2)

    assert [action["type"] for action in read_actions(tmp_path / ACTIONS_FILE)] == ["close", "cancel"]


def test_a_damaged_line_of_orders_by_hand_is_an_error_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / ACTIONS_FILE
    file.write_text(json.dumps({"type": "close", "symbol": "ES", "after_ns": 1}) + "\n{no order}\n", encoding="utf-8")

    with pytest.raises(SourceError, match=r"actions\.jsonl line 2: .*no order"):
        read_actions(file)


def test_a_damaged_part_of_yesterday_does_not_keep_today_from_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Recorder(tmp_path, "@ES", MINUTE)
    writer.bar(closing(1))
    writer.bar(closing(2))
    first, _ = sorted((tmp_path / series_name("@ES", MINUTE)).glob("*/*.parquet"))
    first.write_bytes(b"PAR1 and no more")
    with caplog.at_level(logging.WARNING):
        writer.bar(closing(3 + DAY_MINUTES))
        writer.bar(closing(4 + DAY_MINUTES))
        writer.close()
    first.unlink()

    assert len(read_recording(tmp_path, "@ES", MINUTE).seen) == 3
    assert [text for text in caplog.messages if "are not joined" in text]


def test_an_account_is_not_begun_anew_because_a_symbol_was_added(tmp_path: Path) -> None:
    one = account(tmp_path, config(symbols=("ESH24",)))
    play(one, market(("ESH24",), live=3)[1])
    one.close()
    before = (tmp_path / "state.npz").read_bytes()

    with pytest.raises(ConfigError, match="another configuration"):
        account(tmp_path, config(symbols=("ESH24", "NQH24")))
    assert (tmp_path / "state.npz").read_bytes() == before


def test_an_account_goes_on_though_one_of_its_symbols_has_had_no_bar_yet(tmp_path: Path) -> None:
    given = config(symbols=("ESH24", "NQH24"))
    _, told = market(("ESH24",), live=3)
    one = account(tmp_path, given)
    play(one, [*history_of("NQH24", (), told[0].at_ns), *told])
    one.close()
    again = account(tmp_path, given)

    assert one.run is not None
    assert again.run is not None
    assert again.run.next_bar == one.run.next_bar == 23


def test_a_state_whose_recording_has_lost_bars_is_refused_with_the_cure(tmp_path: Path) -> None:
    one = account(tmp_path, config(symbols=("ESH24", "NQH24")))
    play(one, market(("ESH24", "NQH24"), live=3)[1])
    one.close()
    for symbol in ("ESH24", "NQH24"):
        (file,) = (tmp_path / "recording").glob(f"{symbol}*/*/*.parquet")
        rows = unique_rows([file])[:-1]
        write_part(file, rows, {"symbol": symbol, "interval": "1m", "version": "1"})

    with pytest.raises(SourceError, match=r"saved at 23 bars, the recording beside it has 22 .* remove state\.npz"):
        account(tmp_path, config(symbols=("ESH24", "NQH24")))


@pytest.mark.parametrize("text", ["", "[{", "[5]", '[{"symbol": "ES"}]'])
def test_contract_facts_that_a_crash_cut_off_are_an_error_with_a_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / INSTRUMENTS).write_text(text, encoding="utf-8")

    with pytest.raises(SourceError, match=r"instruments\.json cannot be read: .* writes it anew"):
        read_instruments(tmp_path)
