"""Bars given in memory, and bars in Parquet: the same rules, the same bars."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import BarError, DataError, SourceError
from data.loading import SourceSettings, load_series, series_from_frame
from data.sources.single import meant_by

UNITS = ["s", "ms", "us", "ns"]


def frame(zone: str | None = "UTC", unit: str = "ns", n: int = 4) -> pd.DataFrame:
    index = pd.date_range("2024-01-02 15:00", periods=n, freq="1min", tz=zone, name="open_time").as_unit(unit)
    open_ = np.arange(n, dtype=float)
    columns = {"open": open_, "high": open_ + 2, "low": open_ - 1, "close": open_ + 1, "volume": np.full(n, 7)}
    return pd.DataFrame(columns, index=index)


def stored(tmp_path: Path, table: pd.DataFrame, index: bool | None = None) -> Path:
    path = tmp_path / "bars.parquet"
    table.to_parquet(path, index=index)
    return path


@pytest.mark.parametrize("unit", UNITS)
def test_a_frame_in_any_unit_of_time_gives_the_same_bars(unit: str) -> None:
    series = series_from_frame("ES", frame(unit=unit))

    assert series.time_ns[0] == 1_704_207_600_000_000_000
    assert series.bar_ns == 60_000_000_000
    assert series.close.tolist() == [1, 2, 3, 4]
    assert series.volume.dtype == np.float64
    assert series.source == "the DataFrame of ES"


def test_times_in_a_column_in_another_zone_or_without_one() -> None:
    column = frame("America/New_York").reset_index()
    naive = frame(None)

    assert str(series_from_frame("ES", column).time_ns[0].astype("M8[ns]"))[11:16] == "20:00"
    assert str(series_from_frame("ES", naive).time_ns[0].astype("M8[ns]"))[11:16] == "15:00"
    assert str(series_from_frame("ES", naive, timezone="America/Chicago").time_ns[0].astype("M8[ns]"))[11:16] == "21:00"


def test_end_stamped_frames_are_shifted() -> None:
    """S3.1"""
    assert series_from_frame("ES", frame(), timestamp="close").time_ns[0] == 1_704_207_540_000_000_000


def test_daily_frames_carry_dates_whatever_their_zone() -> None:
    """S3.5"""
    index = pd.date_range("2024-03-07", periods=4, freq="1D", tz="Europe/Berlin")
    series = series_from_frame("FDAX", frame(n=4).set_index(index))

    assert [str(day)[:10] for day in series.time_ns.astype("M8[ns]")] == [
        "2024-03-07",
        "2024-03-08",
        "2024-03-09",
        "2024-03-10",
    ]


def test_a_frame_is_not_changed_and_its_bars_are_their_own() -> None:
    table = frame()
    series = series_from_frame("ES", table)
    series.close[0] = 99

    pd.testing.assert_frame_equal(table, frame())


def test_the_digest_of_a_frame_is_that_of_its_bars() -> None:
    changed = frame()
    changed.iloc[2, 3] += 0.25

    assert series_from_frame("ES", frame()).digest == series_from_frame("ES", frame(unit="s")).digest
    assert series_from_frame("ES", frame()).digest != series_from_frame("ES", changed).digest


def test_a_bad_row_of_a_frame_is_named_by_its_number() -> None:
    """S3.4"""
    table = frame()
    table.iloc[2, 1] = 0.5

    with pytest.raises(BarError, match=r"the DataFrame of ES row 3: high 0\.5 is below close 3; high must be at least"):
        series_from_frame("ES", table)
    assert series_from_frame("ES", table, repair="fix").high[2] == 3
    table.iloc[2, 1] = np.nan
    with pytest.raises(BarError, match="row 3: high is nan"):
        series_from_frame("ES", table)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (frame().drop(columns="low"), "no column for low; the frame has open_time, open, high, close, volume"),
        (frame().astype({"close": str}), "column close holds str, not numbers"),
        (frame().reset_index(drop=True), "no column for time"),
        (frame().reset_index().astype({"open_time": str}), "the times are str, not datetimes"),
        (frame().iloc[:0], "the frame has no rows"),
        (frame().reset_index().assign(open_time=pd.NaT), "row 1: the time is empty"),
    ],
)
def test_a_frame_that_holds_no_bars_says_why(table: pd.DataFrame, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        series_from_frame("ES", table)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("as_index", [True, False])
def test_parquet_holds_times_as_index_or_column_in_any_unit(tmp_path: Path, unit: str, as_index: bool) -> None:
    table = frame(unit=unit) if as_index else frame(unit=unit).reset_index()

    series = load_series(SourceSettings(symbol="ES", file=stored(tmp_path, table)))

    assert series.time_ns.tolist() == series_from_frame("ES", frame()).time_ns.tolist()
    assert series.close.tolist() == [1, 2, 3, 4]


def test_parquet_times_may_be_naive_local_dates_text_or_epochs(tmp_path: Path) -> None:
    def loaded(times: object, **settings: str) -> np.ndarray:
        table = frame().reset_index(drop=True).assign(timestamp=times)
        return load_series(SourceSettings(symbol="ES", file=stored(tmp_path, table), **settings)).time_ns

    expected = series_from_frame("ES", frame()).time_ns.tolist()
    local = frame("America/Chicago").index.tz_localize(None)
    assert (loaded(local, timezone="America/Chicago") - np.array(expected)).tolist() == [6 * 3600 * 10**9] * 4
    assert loaded([f"2024-01-02T15:0{minute}:00Z" for minute in range(4)]).tolist() == expected
    assert loaded(np.array(expected) // 10**9).tolist() == expected
    days = [pd.Timestamp(f"2024-01-0{day}").date() for day in range(2, 6)]
    assert loaded(days)[0] == 1_704_153_600_000_000_000


def test_daily_parquet_in_exchange_time_keeps_its_dates(tmp_path: Path) -> None:
    """S3.5"""
    index = pd.DatetimeIndex(pd.date_range("2024-03-07", periods=4, freq="1D", tz="Asia/Tokyo"), name="date", freq=None)
    series = load_series(SourceSettings(symbol="X", file=stored(tmp_path, frame().set_index(index))))

    assert str(series.time_ns[0].astype("M8[ns]"))[:10] == "2024-03-07"


def test_bad_parquet_is_named_by_row_or_column(tmp_path: Path) -> None:
    """S3.4"""
    negative, empty, text = frame(), frame().reset_index(), frame().astype({"open": str})
    negative.iloc[1, 4] = -1
    empty.iloc[2, 0] = pd.NaT

    with pytest.raises(BarError, match=r"bars\.parquet row 2: volume is -1"):
        load_series(SourceSettings(symbol="ES", file=stored(tmp_path, negative)))
    with pytest.raises(BarError, match=r"bars\.parquet row 3: the time is empty"):
        load_series(SourceSettings(symbol="ES", file=stored(tmp_path, empty)))
    with pytest.raises(SourceError, match="column open holds large_string, not numbers"):
        load_series(SourceSettings(symbol="ES", file=stored(tmp_path, text)))
    with pytest.raises(SourceError, match="no column for close"):
        load_series(SourceSettings(symbol="ES", file=stored(tmp_path, frame().drop(columns="close"))))


def test_parquet_times_that_are_none_or_out_of_reach_are_errors(tmp_path: Path) -> None:
    def refused(times: object, words: str) -> None:
        table = frame().reset_index(drop=True).assign(timestamp=times)
        with pytest.raises(DataError, match=words):
            load_series(SourceSettings(symbol="ES", file=stored(tmp_path, table)))

    refused([1.5, 2.5, 3.5, 4.5], "the time column holds double")
    refused(pd.DatetimeIndex(["9999-01-01"] * 4).as_unit("s"), "does not fit into nanoseconds")
    refused(["2024-01-02T15:00Z", "soon", "2024-01-02T15:02Z", "2024-01-02T15:03Z"], "row 2: the time is 'soon'")
    refused(["2024-01-02T15:00Z", "2024-01-02T15:01", None, "2024-01-02T15:03Z"], "row 2: the time has no offset")
    path = stored(tmp_path, frame().iloc[:0])
    with pytest.raises(SourceError, match="the table has no rows"):
        load_series(SourceSettings(symbol="ES", file=path))


def test_a_parquet_file_cut_off_is_an_error(tmp_path: Path) -> None:
    path = stored(tmp_path, frame())
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(SourceError, match="damaged or cut off"):
        load_series(SourceSettings(symbol="ES", file=path))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_loading_a_file_does_not_import_pandas(tmp_path: Path, repo_root: Path, suffix: str) -> None:
    """Pandas would cost a quarter of a second of the second that a run may take to start."""
    path = tmp_path / f"bars.{suffix}"
    if suffix == "csv":
        frame().to_csv(path)
    else:
        frame().to_parquet(path)
    code = (
        "import sys; from pathlib import Path; from data import SourceSettings, load_series\n"
        f"series = load_series(SourceSettings(symbol='ES', file=Path({str(path)!r})))\n"
        "assert len(series) == 4; print('pandas' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


@pytest.mark.rule("S2.1")
@pytest.mark.parametrize("kind", ["float32", "Float32"])
def test_bars_in_single_precision_are_the_decimals_that_they_stand_for(tmp_path: Path, kind: str) -> None:
    """100.1 in single precision is 100.0999985: as it stands it would lie on no tick, and each sale would lose one."""
    prices = [100.1, 5003.26, 16777.25, -37.63]
    table = frame().assign(**dict.fromkeys(("open", "high", "low", "close"), prices)).astype(kind)

    for series in (
        series_from_frame("ES", table),
        load_series(SourceSettings(symbol="ES", file=stored(tmp_path, table), timestamp="open")),
    ):
        assert series.open.tolist() == series.low.tolist() == prices
        assert series.volume.tolist() == [7.0] * 4


def test_the_decimals_of_single_precision_are_the_shortest_ones() -> None:
    """Against numpy's own text of each number; six digits are the fewest, and what is no number stays that."""
    rng = np.random.default_rng(5)
    drawn = [rng.uniform(0, 1e9, 2000), rng.uniform(-1e-5, 1e-5, 2000), np.round(rng.uniform(0, 6000, 2000), 2)]
    values = np.concatenate([*drawn, [0.0, 1e8, 3.4e38, 1e-38]]).astype(np.float32)

    meant = meant_by(values)

    assert meant.tolist() == values.astype(str).astype(float).tolist()
    assert (np.argsort(meant, kind="stable") == np.argsort(values, kind="stable")).all()
    assert np.isnan(meant_by(np.array([np.nan], np.float32))[0])


def test_a_frame_without_volume_says_so_as_a_file_does() -> None:
    assert series_from_frame("ES", frame()).warnings == ()
    assert series_from_frame("ES", frame().drop(columns="volume")).warnings == (
        "ES: there is no volume; it is taken as 0",
    )
