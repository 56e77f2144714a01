"""Splits and dividends: factor files and adjusted closes (S3.4)."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import SourceError
from data.loading import SourceSettings, load_series
from data.series import BarSeries
from tests.unit.data.conftest import Load

DAILY = (
    "timestamp,open,high,low,close,volume\n"
    "2024-01-02,100,110,90,104,1000\n2024-01-03,104,112,100,100,1000\n2024-01-04,50,56,48,52,2000\n"
)
# Two for one after the 3rd; a dividend of 1 % after the 2nd.
FACTORS = "20240102,0.99,0.5,104\n20240103,1,0.5,100\n20501231,1,1,0\n"


@pytest.fixture
def factor_file(tmp_path: Path) -> Path:
    path = tmp_path / "factors.csv"
    path.write_text(FACTORS)
    return path


def test_factors_hold_up_to_and_including_their_date(load: Load, factor_file: Path) -> None:
    series = load(DAILY, factor_file=factor_file)

    assert series.close.tolist() == pytest.approx([104 * 0.99 * 0.5, 50, 52], rel=1e-15)
    assert series.open.tolist() == pytest.approx([100 * 0.99 * 0.5, 52, 50], rel=1e-15)
    assert series.volume.tolist() == [2000, 2000, 2000]
    assert series.warnings == ()


def test_splits_and_dividends_can_be_left_out(load: Load, factor_file: Path) -> None:
    splits = load(DAILY, factor_file=factor_file, dividend_adjust=False)
    dividends = load(DAILY, factor_file=factor_file, split_adjust=False)

    assert splits.close.tolist() == [52, 50, 52]
    assert dividends.close.tolist() == pytest.approx([102.96, 100, 52], rel=1e-15)
    assert dividends.volume.tolist() == [1000, 1000, 2000]


def test_minutes_take_the_factors_of_their_exchanges_date(load: Load, factor_file: Path) -> None:
    """19:59 in New York is the next day in UTC, and still before the split."""
    text = "timestamp,open,high,low,close,volume\n"
    text += "2024-01-04T00:59:00Z,100,110,90,104,10\n2024-01-04T09:00:00Z,50,55,45,52,20\n"

    series = load(text, factor_file=factor_file, bar_length="1m", timestamp="open")

    assert series.close.tolist() == [52, 52]
    assert series.volume.tolist() == [20, 20]


def test_closes_that_are_not_the_reference_prices_are_told(load: Load, factor_file: Path) -> None:
    halved = DAILY.replace("100,110,90,104,1000", "50,55,45,52,2000")
    told = load(halved, factor_file=factor_file).warnings
    assert "1 of 2 closes differ from the factor file's reference prices, first on 2024-01-02 (52, not 104)" in told[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20240102,0.99\n", "line 1: '20240102,0.99' is not date, price factor"),
        ("20240102,1,1,1\n20240101,1,1,1\n", "line 2: dates of a factor file must ascend"),
        ("20240102,1,1,1\n\n20240101,1,1,1\n", "line 3: dates of a factor file must ascend"),
        ("20240102,1,1,1\n20240103,0,1,1\n", "line 2: factors 0 and 1 must be above 0"),
        ("date,price,split,reference\n", "line 1: 'date,price,split,reference' is not date"),
        ("x\n", "line 1: 'x' is not date"),
    ],
)
def test_a_wrong_factor_file_names_its_line(load: Load, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "factors.csv"
    path.write_text(text)

    with pytest.raises(SourceError) as caught:
        load(DAILY, factor_file=path)

    assert f"factors.csv {words}" in str(caught.value)


def test_other_factors_give_other_bars_though_a_copy_is_there(load: Load, factor_file: Path, tmp_path: Path) -> None:
    first = load(DAILY, factor_file=factor_file, cache=tmp_path / "cache")
    factor_file.write_text(FACTORS.replace("0.99", "0.5"))

    second = load(DAILY, factor_file=factor_file, cache=tmp_path / "cache")

    assert (first.close[0], second.close[0]) == (pytest.approx(51.48), 26.0)


YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,100,110,90,104,52,7\n2024-01-03,50,56,48,52,52,7\n"


def test_adjusted_closes_scale_all_prices_and_leave_volume(load: Load) -> None:
    series = load(YAHOO, use_adjusted_close=True)

    assert series.open.tolist() == [50, 50]
    assert series.high.tolist() == [55, 56]
    assert series.close.tolist() == [52, 52]
    assert series.volume.tolist() == [7, 7]
    assert load(YAHOO).close.tolist() == [104, 52]


def test_adjusted_closes_are_not_made_up(load: Load) -> None:
    with pytest.raises(SourceError, match="there is no column Adj Close"):
        load(DAILY, use_adjusted_close=True)
    with pytest.raises(SourceError, match="line 3: adjusted close 0 for a close of 52; 1 rows are such"):
        load(YAHOO.replace("52,52,7", "52,0,7"), use_adjusted_close=True)


def test_prices_are_not_adjusted_twice(load: Load, factor_file: Path) -> None:
    with pytest.raises(SourceError, match="would adjust prices twice"):
        load(YAHOO, use_adjusted_close=True, factor_file=factor_file)


def overnight(series: BarSeries) -> dict[str, float]:
    moves = np.log(series.open[1:] / series.close[:-1])
    days = [str(day)[:10] for day in series.time_ns[1:].astype("M8[ns]")]
    return dict(zip(days, moves.tolist(), strict=True))


def test_the_four_splits_on_record_disappear(shared_dir: Path) -> None:
    """2:1 on 2000-06-21 and 2005-02-28, 7:1 on 2014-06-09, 4:1 on 2020-08-31."""
    data = shared_dir / "data"
    raw = load_series(SourceSettings(symbol="AAPL", file=data / "AAPL_1d_unadjusted.csv"))
    adjusted = load_series(
        SourceSettings(symbol="AAPL", file=data / "AAPL_1d_unadjusted.csv", factor_file=data / "AAPL_factor_file.csv")
    )

    splits = {"2000-06-21": 2, "2005-02-28": 2, "2014-06-09": 7, "2020-08-31": 4}
    before, after = overnight(raw), overnight(adjusted)
    for day, ratio in splits.items():
        assert before[day] == pytest.approx(-np.log(ratio), abs=0.05)
        assert abs(after[day]) < 0.05
    assert "5 overnight moves" in raw.warnings[0]
    # What is left is a real one: a profit warning, and half of the price gone by the next open.
    assert "1 overnight moves of more than 40 %" in adjusted.warnings[0]
    assert "into 2000-09-29" in adjusted.warnings[0]
    assert adjusted.close[-1] == raw.close[-1]


def test_dividends_on_record_are_worth_what_they_paid(shared_dir: Path) -> None:
    """The fund paid a third of its price of 1998 in dividends by 2021, and never split."""
    data = shared_dir / "data"
    raw, adjusted = (
        load_series(SourceSettings(symbol="SPY", file=data / "SPY_1d_unadjusted.csv", factor_file=factors))
        for factors in (None, data / "SPY_factor_file.csv")
    )

    assert adjusted.close[0] / raw.close[0] == pytest.approx(0.6566606)
    assert adjusted.volume.tolist() == raw.volume.tolist()
    assert adjusted.warnings == ()


def test_the_factor_file_of_another_symbol_is_told(shared_dir: Path) -> None:
    data = shared_dir / "data"
    series = load_series(
        SourceSettings(symbol="SPY", file=data / "SPY_1d_unadjusted.csv", factor_file=data / "AAPL_factor_file.csv")
    )

    assert "39 of 39 closes differ from the factor file's reference prices" in series.warnings[0]
