"""A text file with faults, read in pieces, gives what reading it line by line gives."""

from pathlib import Path

import numpy as np
import pytest

from data.sources import text_in_parts
from data.sources.careful_text import read_carefully
from data.sources.layouts import recognise
from data.sources.raw import RawBars
from data.sources.text_in_parts import read_in_parts

FILE = Path("bars.csv")
COLUMNS = ("stamp_ns", "open", "high", "low", "close", "volume", "lines", "unreadable")
FAULTS = {
    "text": lambda row: row.rsplit(",", 1)[0] + ",abc",
    "time": lambda row: "soon," + row.split(",", 1)[1],
    "cell missing": lambda row: row.rsplit(",", 1)[0],
    "cell empty": lambda row: ",".join([*row.split(",")[:2], "", *row.split(",")[3:]]),
    "not a number": lambda row: ",".join([*row.split(",")[:3], "nan", *row.split(",")[4:]]),
    "endless": lambda row: ",".join([*row.split(",")[:3], "inf", *row.split(",")[4:]]),
    "blank line before": lambda row: "\n" + row,
    "blank line of spaces before": lambda row: "   \n" + row,
    "underscore": lambda row: ",".join([row.split(",")[0], "1_000", *row.split(",")[2:]]),
    "before the row before": lambda row: row.replace("2024-", "2023-", 1),
}


def rows(count: int, stamp: str = "2024-01-{day:02d}T{hour:02d}:{minute:02d}:00+00:00") -> list[str]:
    """Minute bars from 2 January 2024."""
    moments = [divmod(number, 60) for number in range(count)]
    return [
        stamp.format(day=2 + hour // 24, hour=hour % 24, minute=minute) + f",{100 + minute},102.5,99,101,{minute + 5}"
        for hour, minute in moments
    ]


def content(lines: list[str], end: str = "\n", last: str = "\n") -> bytes:
    return (end.join(["time,open,high,low,close,volume", *lines]) + last).encode()


def same(text: bytes) -> RawBars:
    """What both readers give, held to be the same."""
    layout = recognise(text.decode().splitlines()[:40], FILE, "ES", None)
    parts, whole = read_in_parts(text, layout, FILE), read_carefully(text, layout, FILE)
    assert parts is not None
    for name in COLUMNS:
        assert np.array_equal(getattr(parts, name), getattr(whole, name), equal_nan=name in COLUMNS[1:6]), name
    assert parts.defects == whole.defects
    assert (parts.aware, parts.dates_only, parts.notes) == (whole.aware, whole.dates_only, whole.notes)
    return parts


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_in_parts, "_PIECE", 700)


@pytest.mark.rule("S3.4")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("places", [(150,), (0, 31, 32, 33, 299)])
def test_pieces_say_what_the_whole_says(fault: str, end: str, places: tuple[int, ...]) -> None:
    lines = rows(300)
    for place in places:
        lines[place] = FAULTS[fault](lines[place]).replace("\n", end)
    # A first row that is not as the others are is looked at with the whole.
    if fault in ("time", "cell missing"):
        lines[0] = rows(1)[0]
    found = same(content(lines, end, end))
    assert len(found) == 300


@pytest.mark.rule("S3.4")
def test_a_time_without_the_offset_that_the_others_have_is_told() -> None:
    lines = rows(300)
    lines[150] = lines[150].replace("+00:00", "", 1)
    assert [defect.kind for defect in same(content(lines)).defects] == ["mixed_zone"]


@pytest.mark.rule("S3.4")
def test_a_last_line_that_was_cut_off_is_told_as_such() -> None:
    lines = rows(300)
    lines[-1] = lines[-1][:30]
    assert same(content(lines, last="")).defects[-1].kind == "cut_off"


@pytest.mark.rule("S3.1")
@pytest.mark.parametrize(
    "stamp", ["{day:02d}/01/2024 {hour:02d}:{minute:02d}", "{day:02d}.01.2024 {hour:02d}:{minute:02d}:00"]
)
def test_dates_whose_order_the_whole_file_decides_are_not_read_in_pieces(stamp: str) -> None:
    text = content(rows(300, stamp))
    assert read_in_parts(text, recognise(text.decode().splitlines()[:40], FILE, "ES", None), FILE) is None


def test_a_file_with_a_fault_in_every_piece_is_read_as_a_whole() -> None:
    lines = [FAULTS["text"](row) for row in rows(100)]
    text = content(lines)
    assert read_in_parts(text, recognise(text.decode().splitlines()[:40], FILE, "ES", None), FILE) is None
