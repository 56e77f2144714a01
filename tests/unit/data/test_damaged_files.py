"""Whatever is done to a file of bars: it loads as bars that keep every rule, or says in one of our errors why not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.errors import DataError
from data.loading import SourceSettings, load_series
from data.series import BarSeries

PLAIN = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2024-03-10T0{hour}:{minute:02d}:00Z,{10 + hour},{20 + hour},{5 + hour},{11 + hour},{minute}\n"
    for hour in range(1, 4)
    for minute in range(0, 60, 10)
)
DESKTOP = '"Date","Time","Open","High","Low","Close","Up","Down"\r\n' + "".join(
    f"11/03/2024,0{hour}:{minute:02d},{10 + hour}.25,{20 + hour},{5 + hour},{11 + hour},{minute},7\r\n"
    for hour in range(3, 6)
    for minute in range(0, 60, 10)
)
YAHOO = "Price,Close,High,Low,Open,Volume\nTicker,ES,ES,ES,ES,ES\nDate,,,,,\n" + "".join(
    f"2024-01-{day:02d},11,20,5,10,{day}\n" for day in range(1, 15)
)
NOISE = st.one_of(
    st.text(max_size=6),
    st.sampled_from([
        "", ",", "\n", "\n\n", '"', "nan", "null", "inf", "-1", "1e400", "Z", "-05:00", "\x00", "ts", "date", "24:00",
        "2024-03-10T02:30:00", "9999-99-99", "1,5", ";", "\t", "\r", "  ", "99999999999999999999", "0x1F", "1_0", "٣",
        "1677-01-01T00:00Z",
    ]),
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from([PLAIN, DESKTOP, YAHOO]))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(NOISE) + text[place + draw(st.integers(0, 25)) :]
    if draw(st.booleans()):
        text = text[: draw(st.integers(0, len(text)))]
    return text.encode("utf-8", errors="replace")


def assert_bars(series: BarSeries) -> None:
    """S3.4, S3.5"""
    assert len(series) > 0
    assert bool((np.diff(series.time_ns) > 0).all())
    for column in (series.open, series.high, series.low, series.close, series.volume):
        assert bool(np.isfinite(column).all())
    assert bool((series.high >= np.maximum(series.open, series.close)).all())
    assert bool((series.low <= np.minimum(series.open, series.close)).all())
    assert bool((series.volume >= 0).all())
    assert series.bar_ns > 0


@pytest.mark.parametrize("repair", [None, "drop", "fix"])
@given(content=damaged())
@example(content=PLAIN.replace("T02:", "T01:").encode())
@example(content=b"\xff\xfe")
@example(content=b"PAR1")
@example(content=b"\x1f\x8b")
@example(content=PLAIN.replace("2024-03-10T02:10:00Z", "1677-01-01T00:00:00Z").encode())
@example(content=PLAIN.replace("2024-03-10T02:10:00Z", "9999-01-01T00:00:00Z").encode())
@example(content=PLAIN.replace("12,22", "1e308,1.5e308").encode())
@example(content=PLAIN.replace("2024-03-10T02:10:00Z", "99999999999999999").encode())
def test_damage_is_an_error_of_ours_or_leaves_good_bars(repair: str | None, content: bytes) -> None:
    """S3.4"""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bars.csv"
        file.write_bytes(content)
        settings = SourceSettings(symbol="ES", file=file, repair=repair, timezone="America/New_York")  # type: ignore[arg-type]
        try:
            series = load_series(settings)
        except DataError as error:
            message = str(error)
            assert "bars.csv" in message or message.startswith(("ES", "bar length"))
            return
    assert_bars(series)
