"""What is read: for each kind of input a good one, and what must hold of a damaged one that is taken all the same."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.replay.saved import open_run
from app.workspace import Workspace
from bots.catalog import make_bot
from data.errors import TriphaseError
from data.loading import SourceSettings, load_series
from data.series import BarSeries
from data.tradestation.bars import Interval, LiveBar
from data.tradestation.events import HistoryLoaded
from data.tradestation.recorder import Recorder
from data.tradestation.recording import read_recording
from engine.backtest import run_backtest
from engine.config import load_config
from engine.live.section import load_live_config
from exits.lstm import SequenceRLATRExit
from exits.ppo import RLTrailingATRExit
from models.store import FOLDER as MODELS
from research.sweeping.planning import plan_sweep
from tests.fuzz.damage import BINARY, TEXT, Damage

BARS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One kind of input.

    Attributes:
        make: writes a good one into an empty folder.
        read: reads it as the product does; raises TriphaseError where it is refused, AssertionError where something
            was taken that must not be.
        files: patterns of the files that are damaged, one at a time.
        ways: how.
    """

    make: Callable[[Path], None]
    read: Callable[[Path], None]
    files: tuple[str, ...]
    ways: tuple[Damage, ...] = BINARY


# Bars


def _rows() -> list[tuple[str, float, float, float, float, int]]:
    """A small walk on a grid of quarter points, one bar a minute of a Monday."""
    chance = np.random.default_rng(7)
    start = np.datetime64("2024-03-04T09:00", "m")
    price, rows = 4000.0, []
    for number in range(BARS):
        close = price + 0.25 * chance.integers(-8, 9)
        high, low = max(price, close) + 0.25 * chance.integers(0, 5), min(price, close) - 0.25 * chance.integers(0, 5)
        rows.append((str(start + number), price, high, low, close, int(chance.integers(1, 500))))
        price = close
    return rows


def _plain_text(folder: Path) -> None:
    lines = [f"{t.replace('T', ' ')}:00,{o},{h},{low},{c},{v}" for t, o, h, low, c, v in _rows()]
    (folder / "bars.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n")


def _tradestation_text(folder: Path) -> None:
    head = '"Date","Time","Open","High","Low","Close","Up","Down"\n'
    lines = [f"{t[5:7]}/{t[8:10]}/{t[:4]},{t[11:16]},{o},{h},{low},{c},{v},{v // 2}" for t, o, h, low, c, v in _rows()]
    (folder / "bars.csv").write_text(head + "\n".join(lines) + "\n")


def _offsets_text(folder: Path) -> None:
    lines = [f"{t}:00-05:00;{o};{h};{low};{c};{v}" for t, o, h, low, c, v in _rows()]
    (folder / "bars.csv").write_text("timestamp;open;high;low;close;volume\n" + "\n".join(lines) + "\n")


def _parquet(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    times, open_, high, low, close, volume = zip(*_rows(), strict=True)
    stamps = pa.array(np.array(times, "M8[ns]"), pa.timestamp("ns", "UTC"))
    names = ["open_time", "open", "high", "low", "close", "volume"]
    pq.write_table(pa.table([stamps, open_, high, low, close, volume], names), folder / "bars.parquet")


def _read_bars(folder: Path) -> None:
    """As they are, or, where they are refused, with the rows that break a rule dropped."""
    settings = SourceSettings(symbol="ES", file=next(folder.glob("bars.*")), timezone="America/New_York")
    try:
        _check_bars(load_series(settings))
    except TriphaseError:
        _check_bars(load_series(replace(settings, repair="drop")))
        raise


def _check_bars(bars: BarSeries) -> None:
    """What S3.4 promises of every series that is taken."""
    assert len(bars) >= 2
    assert (np.diff(bars.time_ns) > 0).all()
    table = np.column_stack([bars.open, bars.high, bars.low, bars.close])
    assert np.isfinite(table).all()
    assert (table.max(axis=1) == bars.high).all()
    assert (table.min(axis=1) == bars.low).all()
    assert (bars.volume >= 0).all()


# Configurations


def _config(folder: Path) -> None:
    _plain_text(folder)
    (folder / "run.yaml").write_text(
        "# A run over a small file, with most of what can be said\n"
        "name: fuzzed\ninitial_cash: 250000\nseed: 3\nstart: 2024-03-04\nend: 2024-03-05\n"
        "defaults:\n  commission_per_contract: 2.25\n  fee_per_trade: 0.5\n  slippage_ticks: 1\n  timestamp: open\n"
        "assets:\n  - {symbol: ES, file: bars.csv, contract: ES, timezone: America/New_York}\n"
        "bot:\n  name: TrendFollowing\n  settings: {ema_span: 20, breakout_atr: 0.5, risk_pct: 0.002}\n"
        "exit:\n  name: TrailingATR\n  settings: {atr_multiple: 3}\n"
        "simulation: {path: worst_case}\noutput: {folder: runs, report: false}\n"
    )


def _read_config(folder: Path) -> None:
    config = load_config(folder / "run.yaml")
    result = run_backtest(config, make_bot(config.bot, config.exit))
    result.raise_error()
    assert np.isfinite(result.engine.tables.equity["equity"][: result.bars]).all()


def _sweep(folder: Path) -> None:
    _config(folder)
    (folder / "sweep.yaml").write_text(
        "config: run.yaml\nsymbols: each\ngrid:\n  bot.ema_span: [20, 35]\n"
        "  exit.atr_multiple: {low: 1.5, high: 6, count: 3, scale: log}\n"
        "random:\n  draws: 4\n  seed: 2\n  ranges:\n    bot.breakout_atr: {low: 0.5, high: 2.5}\n"
        "seeds: [1, 2]\nobjective: {figure: sharpe, minimum_trades: 3}\n"
    )


def _read_sweep(folder: Path) -> None:
    plan, _ = plan_sweep(folder / "sweep.yaml")
    assert len(plan) > 0


def _live(folder: Path) -> None:
    shutil.copy(Path(__file__).resolve().parents[2] / "configs/live/tradestation.yaml", folder / "live.yaml")


def _read_live(folder: Path) -> None:
    config, section = load_live_config(folder / "live.yaml")
    assert config.symbols
    assert section.minutes > 0


# Models


def _model(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for kind in ("npz", "json"):
            shutil.copy(MODELS / f"{name}.{kind}", folder / f"{name}.{kind}")

    return make


def _read_model(name: str, kind: type[Any]) -> Callable[[Path], None]:
    whole = (MODELS / f"{name}.npz").read_bytes()

    def read(folder: Path) -> None:
        found = kind(kind.Settings(model=str(folder / f"{name}.npz"))).model()
        assert found.arrays.keys() == {each.removesuffix(".npy") for each in _members(whole)}
        assert (folder / f"{name}.npz").read_bytes() == whole, "other arrays than were trained are served"
        assert all(0 < multiple < 1000 for multiple in found.multiples)

    return read


def _members(content: bytes) -> list[str]:
    import io
    import zipfile

    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def _learner(folder: Path) -> None:
    _config(folder)
    _run_learner(folder)


def _run_learner(folder: Path) -> None:
    """A run that begins with what was learned before, and keeps what it learns."""
    config = load_config(folder / "run.yaml").with_overrides(
        ("exit.name=linucb", "exit.settings={}", f"exit.settings.state={folder / 'state'}")
    )
    result = run_backtest(config, make_bot(config.bot, config.exit))
    result.raise_error()
    assert result.engine.tables.count("choices") > 0


# Run folders, layouts, recordings


def _run_folder(folder: Path) -> None:
    _config(folder)
    config = load_config(folder / "run.yaml")
    run_backtest(config, make_bot(config.bot, config.exit)).save(folder / "run")
    shutil.copytree(folder / "run", folder / "as it was")


def _read_run_folder(folder: Path) -> None:
    """What is shown of a run is what was written, to the byte; its tables carry checksums."""
    opened = open_run(folder / "run")
    written = open_run(folder / "as it was")
    assert opened.store.fills.rows.tobytes() == written.store.fills.rows.tobytes()
    assert opened.store.trades.rows.tobytes() == written.store.trades.rows.tobytes()
    assert opened.store.equity.rows.tobytes() == written.store.equity.rows.tobytes()
    assert opened.store.bars <= opened.facts.bars
    assert isinstance(opened.interventions, tuple)


def _layouts(folder: Path) -> None:
    workspace = Workspace(folder / "workspace.json", recent=["runs/a", "configs/sample.yaml"], layouts={"mine": "AAAA"})
    workspace.indicators = [{"name": "ema", "period": 20}, {"name": "atr", "period": 14}]
    workspace.save()


def _read_layouts(folder: Path) -> None:
    """Never an obstacle: either read, or set aside, kept and said."""
    file = folder / "workspace.json"
    before = file.read_bytes()
    found = Workspace.load(file)
    if found.told:
        assert "workspace.json" in found.told
        assert (folder / "workspace.json.bad").read_bytes() == before
        assert found.recent == []
    found.file = file
    found.remember("runs/b")
    found.save()
    assert json.loads(file.read_text(encoding="utf-8"))["recent"][0] == "runs/b"


def _recording(folder: Path) -> None:
    writer = Recorder(folder, "@ES", _MINUTE)
    writer.history(HistoryLoaded("@ES", _recorded(), "ESH24"), _recorded()[-1].close_ns)
    writer.close()


def _recorded() -> tuple[LiveBar, ...]:
    minute, first = 60 * 10**9, 1_709_683_200 * 10**9
    return tuple(
        LiveBar(first + n * minute, first + (n + 1) * minute, 10.0, 11.0, 9.0, 10.0 + n % 4 / 4, 5.0, 2, True)
        for n in range(50)
    )


def _read_recording(folder: Path) -> None:
    """Every bar as it was recorded."""
    found = read_recording(folder, "@ES", _MINUTE)
    assert found.seen.time_ns.tolist() == [bar.open_ns for bar in _recorded()]
    assert found.seen.close.tolist() == [bar.close for bar in _recorded()]


_MINUTE = Interval(1)

SUBJECTS: dict[str, Subject] = {
    "plain text bars": Subject(make=_plain_text, read=_read_bars, files=("bars.csv",), ways=TEXT),
    "TradeStation text bars": Subject(make=_tradestation_text, read=_read_bars, files=("bars.csv",), ways=TEXT),
    "bars with offsets": Subject(make=_offsets_text, read=_read_bars, files=("bars.csv",), ways=TEXT),
    "Parquet bars": Subject(make=_parquet, read=_read_bars, files=("bars.parquet",)),
    "configuration": Subject(make=_config, read=_read_config, files=("run.yaml",), ways=TEXT),
    "sweep": Subject(make=_sweep, read=_read_sweep, files=("sweep.yaml", "sweep.yaml", "run.yaml"), ways=TEXT),
    "live configuration": Subject(make=_live, read=_read_live, files=("live.yaml",), ways=TEXT),
    "policy": Subject(
        make=_model("ppo"), read=_read_model("ppo", RLTrailingATRExit), files=("ppo.npz", "ppo.json"), ways=TEXT
    ),
    "sequence model": Subject(
        make=_model("lstm"), read=_read_model("lstm", SequenceRLATRExit), files=("lstm.npz", "lstm.json"), ways=TEXT
    ),
    "learner's state": Subject(make=_learner, read=_run_learner, files=("state/*.npz",)),
    "run folder": Subject(
        make=_run_folder, read=_read_run_folder, files=("run/manifest.json", "run/*.parquet"), ways=TEXT
    ),
    "layouts": Subject(make=_layouts, read=_read_layouts, files=("workspace.json",), ways=TEXT),
    "recording": Subject(make=_recording, read=_read_recording, files=("*/*/*.parquet",)),
}
