"""How runs come to the window: the sample, a configuration, a saved folder; loaded in the background."""

from pathlib import Path

from app.replay.facts import RunFacts
from app.replay.saved import open_run
from app.session import HAND, RunSession
from data.mapped_pages import let_pages_go
from engine.config import BacktestConfig, load_config
from engine.errors import ConfigError
from engine.freeing import give_back_freed_memory
from engine.preparing import prepare

SHOWN = 2  # symbols whose charts are shown first
SAMPLE = Path(__file__).resolve().parents[1] / "configs" / "sample.yaml"


def sample_config() -> BacktestConfig:
    """The shipped sample."""
    return load_config(SAMPLE)


def new_session(config: BacktestConfig, own_process: bool | None = None) -> RunSession:
    """A run that begins now.

    Raises:
        ConfigError, CatalogError, DataError, InstrumentError: where it cannot.
    """
    prepared = prepare(config)
    facts = RunFacts(config, prepared)
    _make_ready(facts)
    session = RunSession(facts, own_process=own_process)
    session.warn(prepared.warnings)
    session.start(prepared)
    return session


def hand_session(config: BacktestConfig, own_process: bool | None = None) -> RunSession:
    """A run in which no bot decides: its bot is the scripted one, without a script; saved, it stays one."""
    return new_session(config.with_part("bot", {"name": HAND}, "by hand"), own_process)


def saved_session(folder: Path) -> RunSession:
    """A run that was saved.

    Raises:
        JournalError, DataError, ConfigError: where it cannot be opened.
    """
    saved = open_run(folder)
    _make_ready(saved.facts)
    return RunSession.of_saved(saved)


def _make_ready(facts: RunFacts) -> None:
    """Make what the first picture needs, and keep nothing in memory that only this has needed."""
    facts.make_ready(SHOWN)
    tuple(calendar.zone for calendar in facts.market.calendars)  # of a rare one the library is imported, here and now
    let_pages_go(facts.market.series)
    give_back_freed_memory(facts.bars * len(facts.symbols))


def config_at(path: Path) -> BacktestConfig:
    """The configuration at a path, for ``--config``.

    Raises:
        ConfigError: where there is none, or it is wrong.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; --config names a YAML file, --open a run folder")
    return load_config(path)
