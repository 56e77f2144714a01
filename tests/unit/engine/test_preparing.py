"""What is said of a configuration's bars before a run."""

import pandas as pd
import pytest

from engine.config import BacktestConfig
from engine.preparing import prepare


def frame(step: float, n: int = 40) -> pd.DataFrame:
    """Minute bars that rise by ``step`` each."""
    close = [100 + step * i for i in range(n)]
    index = pd.date_range("2024-01-02 15:00", periods=n, freq="1min", tz="UTC")
    return pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "volume": 1.0}, index=index)


@pytest.mark.rule("S2.6")
@pytest.mark.parametrize(("step", "told"), [(0.25, 0), (0.125, 0), (0.1, 1)])
def test_prices_of_which_most_lie_between_ticks_are_told(step: float, told: int) -> None:
    """With steps of an eighth, every second close lies on a quarter; with steps of a tenth, every fifth."""
    asset = {"symbol": "A", "tick_size": 0.25, "tick_value": 2.5, "initial_margin": 100, "maintenance_margin": 80}
    config = BacktestConfig(assets=[asset | {"file": "a.csv"}])

    warnings = prepare(config, {"A": frame(step)}).warnings

    found = [warning for warning in warnings if "lie between ticks" in warning]
    assert len(found) == told
    assert all(text.startswith("A: of the first 40 closes 32 lie between ticks of 0.25, and") for text in found)
