"""A result tells what happened, and is saved whole or not at all (DESIGN section 4)."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine.result
from bots.coin_flip import CoinFlipBot
from engine.backtester import BacktesterEngine
from engine.config import BacktestConfig
from engine.errors import SaveError, StrategyError
from engine.journal import TABLES
from engine.preparing import prepare
from engine.result import Result
from engine.run import Run
from tests.proof.works import PAIRS, Work, completed, made, sample_config
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot


@pytest.fixture(scope="module")
def sample() -> Work:
    config = sample_config(end="2024-09-04")
    return Work("sample", config, prepare(config))


@pytest.fixture(scope="module")
def result(sample: Work) -> Result:
    return Result(sample.config, sample.prepared, completed(made(sample, PAIRS[0].make(), "compiled")))


def test_tables_are_frames_with_the_rows_of_the_run(result: Result) -> None:
    assert len(result.equity) == result.bars == len(result.engine.market)
    assert len(result.fills) == result.engine.tables.count("fills") > 20
    assert len(result.trades) == result.statistics.trades
    assert len(result.orders) == result.engine.tables.count("orders")
    assert str(result.equity["time"].dt.tz) == "UTC"


@pytest.mark.rule("S8.7")
def test_equity_is_cash_plus_what_is_unrealised_at_every_bar(result: Result) -> None:
    fills, equity = result.fills, result.equity
    own = [result.symbol_equity(column) for column in range(4)]
    together = np.sum(own, axis=0) - 3 * result.config.initial_cash
    np.testing.assert_allclose(together, equity["equity"], rtol=1e-9)
    costs = (fills["commission"] + fills["fee"]).sum()
    assert equity["cash"].iloc[-1] == pytest.approx(result.config.initial_cash + fills["realised"].sum() - costs)


@pytest.mark.rule("S13")
def test_statistics_of_symbols_add_up_to_the_portfolio(result: Result) -> None:
    own = result.symbol_statistics
    assert list(own) == list(result.engine.market.symbols)
    assert sum(one.trades for one in own.values()) == result.statistics.trades
    assert sum(one.net_profit for one in own.values()) == pytest.approx(result.statistics.net_profit)
    assert sum(one.commission for one in own.values()) == pytest.approx(result.statistics.commission)
    assert result.statistics.net_profit == pytest.approx(result.equity["equity"].iloc[-1] - result.config.initial_cash)
    assert result.summary().splitlines()[0].split() == ["portfolio", *own]


@pytest.mark.rule("S11.2")
def test_gates_count_every_bar_of_every_symbol_once(result: Result) -> None:
    counts = {symbol: sum(gates.values()) for symbol, gates in result.gates.items()}
    assert counts == dict.fromkeys(result.engine.market.symbols, result.bars)
    entered = sum(gates.get("entered", 0) for gates in result.gates.values())
    events = result.journal.frame("events")
    refused = sum(gates.get("refused", 0) for gates in result.gates.values())
    assert (events["kind"] == "decision").sum() == entered + refused > 10


@pytest.mark.rule("S6.9")
def test_ambiguous_trades_are_counted(result: Result) -> None:
    assert result.ambiguous_trades == int(result.trades["ambiguous"].sum())


def test_a_manifest_identifies_and_explains_the_run(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run", report=False)

    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [*(f"{t}.parquet" for t in TABLES), "SHA256SUMS", "manifest.json"]
    )
    assert (told["status"], told["drive"], told["seed"], told["bars"]) == ("completed", "compiled", 3, result.bars)
    assert told["config_hash"] == result.config.hash()
    assert BacktestConfig(**told["given"]) == result.config
    assert set(told["data"]) == set(told["symbols"]) == set(result.engine.market.symbols)
    assert all(len(one["digest"]) == 64 for one in told["data"].values())
    assert told["statistics"]["net_profit"] == result.statistics.net_profit
    assert set(told["versions"]) == {
        "TA-Lib", "kernel", "machine", "numba", "numpy", "pandas_market_calendars", "python",
    }  # fmt: skip
    assert told["interventions"] == []


def test_a_report_is_written_beside_the_tables(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run", report=True)
    assert (folder / "report.html").stat().st_size > 10_000
    assert (folder / "equity.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_exists_is_not_touched(result: Result, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(SaveError, match="exists already; name another folder, or remove it"):
        result.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("failing", ["events", "manifest"])
def test_a_full_disk_leaves_nothing_behind(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    written: list[str] = []
    full = OSError(28, "No space left on device")

    def write_some(account: BacktesterEngine, bars: int, folder: Path) -> None:
        (folder / "equity.parquet").write_bytes(b"begun")
        written.append("equity")
        if failing == "events":
            raise full

    def no_manifest(self: Path, *args: Any, **more: Any) -> int:
        raise full

    monkeypatch.setattr(engine.result, "write_journal", write_some)
    if failing == "manifest":
        monkeypatch.setattr(Path, "write_text", no_manifest)

    with pytest.raises(SaveError, match=r"run cannot be written: No space left on device; nothing was saved"):
        result.save(tmp_path / "run", report=False)

    assert written == ["equity"]
    assert list(tmp_path.iterdir()) == []


def test_what_is_saved_table_by_table_is_the_journal(result: Result, tmp_path: Path) -> None:
    """Whole, or one table after the other: the same files."""
    folder = result.save(tmp_path / "run", report=False)
    whole = tmp_path / "whole"
    whole.mkdir()
    result.journal.write(whole)
    assert {file.name for file in whole.iterdir()} == {file.name for file in folder.iterdir()} - {"manifest.json"}
    for file in whole.iterdir():
        assert file.read_bytes() == (folder / file.name).read_bytes(), file.name


def test_an_interrupted_save_leaves_nothing_behind(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(account: BacktesterEngine, bars: int, folder: Path) -> None:
        (folder / "equity.parquet").write_bytes(b"begun")
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.result, "write_journal", interrupt)
    with pytest.raises(KeyboardInterrupt):
        result.save(tmp_path / "run", report=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="file modes do not stop this user")
def test_a_folder_that_may_not_be_written_is_a_save_error(result: Result, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SaveError, match="cannot be written"):
        result.save(tmp_path / "run", report=False)


def test_a_failed_run_has_a_result_with_its_error(sample: Work, tmp_path: Path) -> None:
    def fail(env: Any) -> None:
        if env.bar_index == 50:
            raise ValueError("bad bar")

    run = made(sample, ActingBot(fail), "step")
    run.complete()
    result = Result(sample.config, sample.prepared, run)

    told = json.loads((result.save(tmp_path / "run", report=False) / "manifest.json").read_text(encoding="utf-8"))

    assert (result.status, result.bars, len(result.equity)) == ("failed", 51, 51)
    assert "bad bar" in told["error"]
    assert not result.interrupted
    with pytest.raises(StrategyError, match="bad bar"):
        result.raise_error()


def test_a_result_without_an_error_raises_nothing(result: Result) -> None:
    result.raise_error()
    assert result.error is None


def test_an_interrupted_run_has_the_rows_of_what_closed(sample: Work) -> None:
    run = made(sample, PAIRS[0].make(), "compiled")
    run.complete(lambda told: told.bar < 300)
    result = Result(sample.config, sample.prepared, run)
    assert result.interrupted
    assert len(result.equity) == result.bars < len(sample.prepared.market)
    assert result.fills["bar"].max() < result.bars


def test_what_had_no_effect_is_said_among_the_warnings(sample: Work) -> None:
    by_hand = [{"bar": 5, "phase": "CLOSE", "type": "modify_order", "id": 4, "limit": 1.0}]
    run = completed(made(sample, ActingBot(), "step", interventions=by_hand))
    result = Result(sample.config, sample.prepared, run)
    assert "bar 5 CLOSE: order 4 does not exist; the last one is 0" in result.warnings
    assert result.interventions == by_hand


def test_a_run_of_no_trades_has_statistics_that_are_empty_not_zero(sample: Work) -> None:
    result = Result(sample.config, sample.prepared, completed(made(sample, ActingBot(), "step")))
    assert result.statistics.trades == 0
    assert result.statistics.win_rate is None
    assert result.statistics.sharpe is None
    assert result.statistics.net_profit == 0.0


def test_late_flattens_are_told() -> None:
    run = Run(small_runs.engine(), CoinFlipBot())
    run.complete()
    run.engine.tables.symbols["late_flattens"][0] = 2
    config = sample_config()
    told = Result(config, prepare_stub(), run).warnings
    assert told == ["2 positions were flattened late: no bar traded in the last minutes of the session"]


def prepare_stub() -> Any:
    """What a configuration came to, as far as warnings need it."""
    from engine.preparing import Prepared

    market = small_runs.market({"ES": small_runs.flat_rows(3)})
    return Prepared(market=market, slippage=(), warnings=(), repairs={}, digests={})
