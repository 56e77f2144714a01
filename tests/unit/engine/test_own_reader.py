"""A reader of a user's own: named by an asset, found beside the configuration, alike in runs and sweeps; its faults."""

from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest

from bots.catalog import make_bot
from data.errors import TriphaseError
from data.loading import SourceSettings
from engine.backtest import run_backtest
from engine.config import load_config
from engine.config.sources import source_settings
from engine.errors import CatalogError, ConfigError
from engine.preparing import prepare

MODULE = """
import numpy as np
import pandas as pd
from data.loading import series_from_frame
from engine import settings as typed
from engine.reading import BarReader
from engine.settings import setting

class Lines(BarReader):
    class Settings(typed.Settings):
        factor: float = setting(1.0, unit="", gt=0, help="Prices times this.")

    def read(self, source):
        prices = np.array([float(line) for line in source.file.read_text().splitlines()]) * self.settings.factor
        index = pd.DatetimeIndex(np.arange(len(prices)).astype("datetime64[m]"), tz="UTC")
        frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), prices), index)
        return series_from_frame(source.symbol, frame)

class Wrong(BarReader):
    def read(self, source):
        return [1.0, 2.0]

class Unfinished(BarReader):
    pass
"""
CONFIG = """
assets:
  - {symbol: X, file: prices.txt, reader: READER, tick_size: 0.25, tick_value: 12.5, initial_margin: 0,
     maintenance_margin: 0, commission_per_contract: 0, fee_per_trade: 0, timestamp: open}
"""


def written(folder: Path, reader: str) -> Path:
    (folder / "readers.py").write_text(MODULE, encoding="utf-8")
    (folder / "prices.txt").write_text("".join(f"{100 + 0.25 * (i % 7)}\n" for i in range(120)), encoding="utf-8")
    file = folder / "run.yaml"
    file.write_text(CONFIG.replace("READER", reader), encoding="utf-8")
    return file


def test_an_assets_own_reader_makes_its_bars(tmp_path: Path) -> None:
    """S3.4: by the rules that hold for every file."""
    config = load_config(written(tmp_path, "{name: Lines, module: readers.py, settings: {factor: 2}}"))
    series = prepare(config).market.series[0]
    assert len(series) == 120
    assert series.close[:3].tolist() == [200.0, 200.5, 201.0]
    assert run_backtest(config, make_bot(config.bot, config.exit)).status == "completed"


def test_it_goes_to_other_processes_as_plain_data_and_stays_the_same(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "{name: Lines, module: readers.py}"))
    settings = source_settings(config, "X")
    copy: SourceSettings = ForkingPickler.loads(ForkingPickler.dumps(settings))
    assert copy == settings
    assert copy.reader is not None
    assert np.array_equal(copy.reader(copy).close, prepare(config).market.series[0].close)


@pytest.mark.parametrize(
    ("reader", "kind", "text"),
    [
        ("{name: Nobody, module: readers.py}", CatalogError, "readers.py has no class 'Nobody'"),
        ("{name: Unfinished, module: readers.py}", CatalogError, "Unfinished lacks read"),
        ("{name: Lines, module: nowhere.py}", CatalogError, "nowhere.py does not exist"),
        ("{name: Lines, module: readers.py, settings: {factor: -1}}", ConfigError, "factor: -1 is not > 0"),
        ("{name: Wrong, module: readers.py}", TriphaseError, "reader Wrong gave list; it must give a BarSeries of X"),
    ],
)
def test_what_is_wrong_with_a_reader_is_said(tmp_path: Path, reader: str, kind: type[Exception], text: str) -> None:
    config = load_config(written(tmp_path, reader))
    with pytest.raises(kind, match=text):
        prepare(config)


def test_what_a_reader_raises_names_file_and_reader(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "{name: Lines, module: readers.py}"))
    (tmp_path / "prices.txt").write_text("100\nabc\n", encoding="utf-8")
    with pytest.raises(TriphaseError, match=r"prices.txt: reader Lines raised ValueError: .*'abc'"):
        prepare(config)
