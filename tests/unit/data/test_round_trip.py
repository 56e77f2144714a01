"""Bars written out in any layout come back as they were (S3.1), by the fast reader and by the careful one."""

from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.loading import SourceSettings, load_series
from data.series import BarSeries
from data.sources.careful_text import read_carefully
from data.sources.fast_text import read_fast
from data.sources.layouts import recognise
from data.zones import to_wall

MINUTE = 60_000_000_000
START = 1_704_207_600_000_000_000  # 2024-01-02 15:00 UTC
CHICAGO = ZoneInfo("America/Chicago")

Bar = tuple[int, float, float, float, float, int]
ticks = st.integers(-40_000, 40_000)


@st.composite
def market(draw: st.DrawFn) -> list[Bar]:
    """Return minute bars of a quarter tick within two days, the first two of them neighbours."""
    minutes = sorted({0, 1} | draw(st.sets(st.integers(2, 2880), max_size=30)))
    bars = []
    for minute in minutes:
        prices = sorted(draw(st.lists(ticks, min_size=4, max_size=4)))
        inner = prices[1:3] if draw(st.booleans()) else prices[2:0:-1]
        low, high = prices[0] / 4, prices[3] / 4
        bars.append((START + minute * MINUTE, inner[0] / 4, high, low, inner[1] / 4, draw(st.integers(0, 10**9))))
    return bars


def clock(ns: int, form: str) -> str:
    return str(np.datetime64(ns, "ns").astype("M8[s]").item().strftime(form))


def plain(bars: list[Bar]) -> str:
    rows = [f"{clock(t, '%Y-%m-%dT%H:%M:%S')}+00:00,{o!r},{h!r},{low!r},{c!r},{v}" for t, o, h, low, c, v in bars]
    return "\n".join(["timestamp,open,high,low,close,volume", *rows, ""])


def api(bars: list[Bar]) -> str:
    rows = [f"{clock(t + MINUTE, '%Y-%m-%dT%H:%M:%SZ')},{o!r},{h!r},{low!r},{c!r},{v}" for t, o, h, low, c, v in bars]
    return "\n".join(["TimeStamp,Open,High,Low,Close,TotalVolume", *rows, ""])


def desktop(bars: list[Bar]) -> str:
    rows = []
    for t, o, h, low, c, v in bars:
        wall = int(to_wall(np.array([t + MINUTE]), CHICAGO)[0])
        rows.append(f"{clock(wall, '%m/%d/%Y,%H:%M')},{o:.2f},{h:.2f},{low:.2f},{c:.2f},{v // 2},{v - v // 2}")
    return "\r\n".join(['"Date","Time","Open","High","Low","Close","Up","Down"', *rows, ""])


def yahoo(bars: list[Bar]) -> str:
    head = "Price,Close,High,Low,Open,Volume\nTicker,ES=F,ES=F,ES=F,ES=F,ES=F\nDatetime,,,,,\n"
    rows = [f"{clock(t, '%Y-%m-%d %H:%M:%S')}+00:00,{c!r},{h!r},{low!r},{o!r},{v}\n" for t, o, h, low, c, v in bars]
    return head + "".join(rows)


def german(bars: list[Bar]) -> str:
    rows = []
    for t, *numbers in bars:
        cells = ";".join(repr(number).replace(".", ",") for number in numbers)
        rows.append(f"{clock(t, '%d.%m.%Y %H:%M')};{cells}\n")
    return "Datetime;Open;High;Low;Close;Volume\n" + "".join(rows)


LAYOUTS = {"plain": plain, "api": api, "desktop": desktop, "yahoo": yahoo, "german": german}


def load(text: str, **settings: str) -> BarSeries:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bars.csv"
        file.write_bytes(text.encode())
        return load_series(SourceSettings(symbol="ES", file=file, bar_length="1m", **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(LAYOUTS))
@given(bars=market())
def test_bars_come_back_from_every_layout(name: str, bars: list[Bar]) -> None:
    """S3.1"""
    series = load(LAYOUTS[name](bars))

    expected = np.array([bar[1:] for bar in bars])
    assert series.time_ns.tolist() == [bar[0] for bar in bars]
    found = np.column_stack((series.open, series.high, series.low, series.close, series.volume))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("name", list(LAYOUTS))
@given(bars=market())
def test_the_careful_reader_reads_what_the_fast_one_reads(name: str, bars: list[Bar]) -> None:
    content = LAYOUTS[name](bars).encode()
    layout = recognise(content.decode().split("\n"), Path("bars.csv"), "ES", None)

    fast, careful = read_fast(content, layout), read_carefully(content, layout, Path("bars.csv"))

    assert fast is not None
    for field in ("stamp_ns", "open", "high", "low", "close", "volume", "lines", "unreadable"):
        assert np.array_equal(getattr(fast, field), getattr(careful, field)), field
    assert (fast.aware, fast.dates_only, careful.defects) == (careful.aware, careful.dates_only, ())


@given(bars=market(), data=st.data())
def test_shuffled_rows_are_put_in_order_by_fix(bars: list[Bar], data: st.DataObject) -> None:
    """S3.4"""
    shuffled = data.draw(st.permutations(bars))

    series = load(plain(list(shuffled)), repair="fix")

    assert series.time_ns.tolist() == [bar[0] for bar in bars]
    assert series.close.tolist() == [bar[4] for bar in bars]
