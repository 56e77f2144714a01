"""Runs for the tests of the window: the shipped sample cut short, and what the engine itself says at every phase."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.charts.cursor import Cursor
from app.replay.chunk import JournalTap
from app.replay.facts import RunFacts
from app.replay.model import ReplayModel
from app.replay.store import JournalStore
from bots.catalog import make_bot
from data.synthetic import MarketSettings, generate
from engine.actions import Action
from engine.backtest import run_backtest
from engine.backtester import BacktesterEngine
from engine.config import BacktestConfig, load_config
from engine.kernel.schema import Phase
from engine.preparing import Prepared, engine_of, prepare
from engine.run import Run

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def config_of(name: str = "coin_flip", *overrides: str) -> BacktestConfig:
    """A shipped configuration over its first two days."""
    return load_config(CONFIGS / f"{name}.yaml").with_overrides(("end=2024-09-04", "output.report=false", *overrides))


def finished(config: BacktestConfig, *interventions: Action) -> tuple[Run, Prepared]:
    """A run to the end of its data, with snapshots."""
    prepared = prepare(config)
    run = Run(
        engine_of(config, prepared), make_bot(config.bot, config.exit), interventions=interventions, snapshots=True
    )
    run.complete()
    return run, prepared


def store_of(run: Run) -> JournalStore:
    """The journal of a run as the window holds it."""
    store = JournalStore()
    store.add(JournalTap(run.engine).take(0, run.next_bar, run.seconds))
    return store


def model_of(config: BacktestConfig, *interventions: Action) -> ReplayModel:
    """A model over a finished run, its cursor at the end."""
    run, prepared = finished(config, *interventions)
    model = ReplayModel(RunFacts(config, prepared), store_of(run))
    model.cursor_model.go(run.bars)
    return model


def phases(config: BacktestConfig, *interventions: Action) -> Iterator[tuple[Cursor, BacktesterEngine]]:
    """Step through a run; at each phase its engine stands there."""
    prepared = prepare(config)
    bot: Any = make_bot(config.bot, config.exit)
    run = Run(engine_of(config, prepared), bot, interventions=interventions, drive="step")
    engine = run.engine
    for bar in range(run.bars):
        engine.open_bar(bar)
        bot.on_bar(run.env)
        run._by_hand(bar, Phase.OPEN)
        yield Cursor(bar, Phase.OPEN), engine
        engine.run_intrabar()
        yield Cursor(bar, Phase.INTRABAR), engine
        engine.close_bar()
        run._after_close(bar)
        yield Cursor(bar, Phase.CLOSE), engine


def until(condition: Callable[[], bool], pump: Callable[[], object], most: int = 12_000) -> None:
    """Pump until something holds; fail loudly if it never does.

    A minute of passes at least: an engine's process that starts, or an exit's kernel that is compiled first, takes long
    on a machine with other work.
    """
    import time

    for _ in range(most):
        pump()
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("waited in vain")


def long_run(bars: int, folder: Path) -> Path:
    """A saved run of so many synthetic bars."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    settings = MarketSettings(symbol="ES", sessions=bars // 1300 + 5, volatility_ticks=3.0, mean_volume=1e6)
    series = generate(settings, 5).series
    names = ("open", "high", "low", "close", "volume")
    series = replace(series, time_ns=series.time_ns[:bars], **{name: getattr(series, name)[:bars] for name in names})
    stamps = pa.array(series.time_ns.astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC"))
    pq.write_table(
        pa.table({"timestamp": stamps} | {name: getattr(series, name) for name in names}), folder / "b.parquet"
    )
    config = BacktestConfig(
        name="long",
        assets=[{"symbol": "ES", "file": str(folder / "b.parquet"), "contract": "ES", "timestamp": "open"}],
        data={"repair": "drop", "cache_dir": str(folder / "cache")},
        bot={"name": "TrendFollowing", "settings": {"risk_pct": 0.0005}},
        exit={"name": "TrailingATR", "settings": {"atr_multiple": 3}},
        initial_cash=5_000_000.0,
        output={"report": False},
    )
    return run_backtest(config, make_bot(config.bot, config.exit)).save(folder / "run")
