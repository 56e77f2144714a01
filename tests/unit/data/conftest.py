"""Files of bars for the tests of the data layer, written as the exports of others write them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.loading import SourceSettings, load_series
from data.series import BarSeries

Load = Callable[..., BarSeries]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a text as a file and load it: ``load(text, symbol="ES", name="bars.csv", cache=None, **settings)``."""

    def written(text: str | bytes, symbol: str = "ES", name: str = "bars.csv", **settings: Any) -> BarSeries:
        cache = settings.pop("cache", None)
        file = tmp_path / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return load_series(SourceSettings(symbol=symbol, file=file, **settings), cache)

    return written
