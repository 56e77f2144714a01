"""Every layout of bar files that people have loads to the same bars."""

import gzip

import numpy as np
import pytest

from data.errors import BarError, SourceError
from data.series import BarSeries
from tests.unit.data.conftest import Load

MINUTE = 60_000_000_000


def times(series: BarSeries) -> list[str]:
    return [str(moment)[:16] for moment in series.time_ns.astype("M8[ns]")]


def bars(series: BarSeries) -> list[list[float]]:
    columns = (series.open, series.high, series.low, series.close, series.volume)
    return np.column_stack(columns).tolist()


TWO = [[10.0, 12.0, 9.0, 11.0, 100.0], [11.0, 13.0, 10.0, 12.0, 200.0]]


def test_a_plain_table_is_read_as_open_stamped_and_says_that_it_guessed(load: Load) -> None:
    """S3.1"""
    series = load(
        "timestamp,open,high,low,close,volume\n"
        "2024-01-02T15:00:00+00:00,10,12,9,11,100\n"
        "2024-01-02T15:01:00+00:00,11,13,10,12,200\n"
    )

    assert times(series) == ["2024-01-02T15:00", "2024-01-02T15:01"]
    assert bars(series) == TWO
    assert series.bar_ns == MINUTE
    assert series.warnings == ("ES: times were taken as the bars' open; set `timestamp` to open or close",)


@pytest.mark.rule("S3.1")
def test_end_stamps_are_shifted_by_the_bar_length_when_told_so(load: Load) -> None:
    """S3.1"""
    series = load(
        "timestamp,open,high,low,close,volume\n2024-01-02T15:05Z,10,12,9,11,100\n2024-01-02T15:10Z,11,13,10,12,200\n",
        timestamp="close",
    )

    assert times(series) == ["2024-01-02T15:00", "2024-01-02T15:05"]
    assert series.warnings == ()


def test_tradestation_api_columns_are_stamped_at_the_close(load: Load) -> None:
    """S3.1"""
    series = load(
        "TimeStamp,Open,High,Low,Close,TotalVolume\n"
        "2024-01-02T15:01:00Z,10,12,9,11,100\n"
        "2024-01-02T15:02:00Z,11,13,10,12,200\n"
    )

    assert times(series) == ["2024-01-02T15:00", "2024-01-02T15:01"]
    assert bars(series) == TWO
    assert series.warnings == ()


def test_a_tradestation_desktop_export_is_in_exchange_time_and_adds_up_its_volumes(load: Load) -> None:
    """S3.1"""
    series = load(
        '"Date","Time","Open","High","Low","Close","Up","Down","PLOT1"\r\n'
        "01/02/2024,09:01,10.00,12.00,9.00,11.00,60,40,1\r\n"
        "01/02/2024,09:02,11.00,13.00,10.00,12.00,150,50,2\r\n",
        symbol="@ES",
    )

    assert times(series) == ["2024-01-02T15:00", "2024-01-02T15:01"]
    assert bars(series) == TWO
    assert series.warnings == ("@ES: times carry no zone and were read as America/Chicago; set `timezone`",)


@pytest.mark.parametrize(("delimiter", "clock"), [(";", "09:01"), ("\t", "0901"), (" ", "090100"), ("|", "9:01 AM")])
def test_a_desktop_export_may_use_other_delimiters_and_clocks(load: Load, delimiter: str, clock: str) -> None:
    cells = [
        ["Date", "Time", "O", "H", "L", "C", "Vol", "OI"],
        ["01/02/2024", clock, "10", "12", "9", "11", "100", "0"],
    ]
    if delimiter == "|":
        clock = clock.replace(" ", "")
    text = "\n".join(delimiter.join(row) for row in cells)

    series = load(text + "\n", bar_length="1m")

    assert times(series) == ["2024-01-02T15:00"]
    assert bars(series) == TWO[:1]


def test_a_daily_desktop_export_keeps_its_dates(load: Load) -> None:
    """S3.5: a date is not shifted by the bar length, though the stamp is the close's."""
    series = load(
        '"Date","Open","High","Low","Close","Vol","OI"\r\n01/02/2024,10,12,9,11,100,5\r\n01/03/2024,11,13,10,12,200,5\r\n'
    )

    assert times(series) == ["2024-01-02T00:00", "2024-01-03T00:00"]
    assert bars(series) == TWO
    assert series.bar_ns == 1440 * MINUTE


def test_daily_bars_stamped_at_the_close_in_utc_carry_that_date(load: Load) -> None:
    """S3.5"""
    series = load(
        "TimeStamp,Open,High,Low,Close,TotalVolume\n2024-01-02T21:00:00Z,10,12,9,11,100\n2024-01-03T21:00:00Z,11,13,10,12,200\n"
    )

    assert times(series) == ["2024-01-02T00:00", "2024-01-03T00:00"]


def test_the_classic_yahoo_download(load: Load) -> None:
    series = load(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,10,12,9,11,5.5,100\n2024-01-03,11,13,10,12,6,200\n"
    )

    assert times(series) == ["2024-01-02T00:00", "2024-01-03T00:00"]
    assert bars(series) == TWO
    assert series.warnings == ()


def test_a_yahoo_download_with_three_header_lines(load: Load) -> None:
    series = load(
        "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n"
        "2024-01-02,11,12,9,10,100\n2024-01-03,12,13,10,11,200\n",
        symbol="apple",
    )

    assert times(series) == ["2024-01-02T00:00", "2024-01-03T00:00"]
    assert bars(series) == TWO


@pytest.mark.parametrize("grouped", [False, True])
def test_a_yahoo_download_of_several_tickers_gives_the_one_asked_for(load: Load, grouped: bool) -> None:
    fields = ["Close", "High", "Low", "Open", "Volume"]
    pairs = [(field, ticker) for field in fields for ticker in ("AAPL", "MSFT")]
    if grouped:
        pairs.sort(key=lambda pair: pair[1])
    values = {"AAPL": [1, 1, 1, 1, 7], "MSFT": [11, 12, 9, 10, 100]}
    upper, lower = [[pair[place] for pair in pairs] for place in (0, 1)]
    rows = [["Price", *upper], ["Ticker", *lower]]
    text = "\n".join(",".join(row) for row in (rows[::-1] if grouped else rows))
    cells = [str(values[ticker][fields.index(field)]) for field, ticker in pairs]
    text += "\nDate" + "," * len(pairs) + "\n2024-01-02," + ",".join(cells) + "\n"

    assert bars(load(text, symbol="MSFT", bar_length="1d")) == TWO[:1]
    assert bars(load(text, symbol="X", ticker="AAPL", bar_length="1d"))[0][4] == 7
    with pytest.raises(SourceError, match="no columns for ticker X; the file has AAPL, MSFT; set `ticker`"):
        load(text, symbol="X", bar_length="1d")


def test_yahoo_columns_in_alphabetical_order_are_read_by_name(load: Load) -> None:
    series = load("Date,Close,High,Low,Open,Volume\n2024-01-02,11,12,9,10,100\n2024-01-03,12,13,10,11,200\n")

    assert bars(series) == TWO


def test_a_yahoo_history_keeps_its_dates_across_a_change_of_the_clock(load: Load) -> None:
    """S3.5: 00:00-05:00 and 00:00-04:00 are dates, not moments."""
    series = load(
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-03-08 00:00:00-05:00,10,12,9,11,100,0.0,0.0\n"
        "2024-03-11 00:00:00-04:00,11,13,10,12,200,0.25,0.0\n"
        "2024-03-12 00:00:00-04:00,11,13,10,12,200,0.0,0.0\n"
    )

    assert times(series) == ["2024-03-08T00:00", "2024-03-11T00:00", "2024-03-12T00:00"]


def test_dates_east_of_greenwich_stay_what_they_are(load: Load) -> None:
    """S3.5: midnight in Tokyo is the day before in UTC."""
    series = load(
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-03-07 00:00:00+09:00,10,12,9,11,100,0,0\n2024-03-08 00:00:00+09:00,11,13,10,12,200,0,0\n"
    )

    assert times(series) == ["2024-03-07T00:00", "2024-03-08T00:00"]


def test_an_intraday_yahoo_download_is_stamped_at_the_start_with_offsets(load: Load) -> None:
    series = load(
        "Datetime,Close,High,Low,Open,Volume\n"
        "2024-03-08 15:55:00-05:00,11,12,9,10,100\n"
        "2024-03-11 09:30:00-04:00,12,13,10,11,200\n"
        "2024-03-11 09:35:00-04:00,12,13,10,11,200\n",
        bar_length="5m",
    )

    assert times(series) == ["2024-03-08T20:55", "2024-03-11T13:30", "2024-03-11T13:35"]
    assert series.warnings == ()


@pytest.mark.parametrize(
    ("header", "first", "second"),
    [
        ("date,time", "2024-01-02,15:00:00", "2024-01-02,15:01:00"),
        ("<DATE>,<TIME>", "20240102,150000", "20240102,150100"),
        ("time", "1704207600", "1704207660"),
        ("ts", "1704207600000", "1704207660000"),
        ("Gmt time", "02.01.2024 15:00:00.000", "02.01.2024 15:01:00.000"),
        ("datetime", "2024/01/02 15:00", "2024/01/02 15:01"),
        ("timestamp", "20240102150000", "20240102150100"),
        ("open_time", "2024-01-02 15:00:00", "2024-01-02 15:01:00"),
    ],
)
def test_plain_tables_write_their_times_in_many_ways(load: Load, header: str, first: str, second: str) -> None:
    series = load(
        f"{header},Open,High,Low,Close,Vol\n{first},10,12,9,11,100\n{second},11,13,10,12,200\n", timezone="UTC"
    )

    assert times(series) == ["2024-01-02T15:00", "2024-01-02T15:01"]
    assert bars(series) == TWO


def test_whether_the_day_or_the_month_comes_first_is_decided_by_all_rows(load: Load) -> None:
    rows = "10,12,9,11,100\n"
    text = "date,open,high,low,close,volume\n" + "".join(f"{day:02d}/02/2024,{rows}" for day in range(11, 16))

    series = load(text)

    assert times(series)[0] == "2024-02-11T00:00"
    assert series.warnings == ()


def test_an_order_of_day_and_month_that_had_to_be_guessed_is_said(load: Load) -> None:
    series = load("date,open,high,low,close\n01/02/2024,1,1,1,1\n02/03/2024,1,1,1,1\n", bar_length="1d")

    assert times(series) == ["2024-01-02T00:00", "2024-02-03T00:00"]
    assert "read as month/day/year" in series.warnings[0]


def test_a_decimal_comma_is_read_where_cells_are_not_separated_by_commas(load: Load) -> None:
    series = load("date;open;high;low;close;volume\n2024-01-02;10,5;12;9;11,25;100\n2024-01-03;11;13;10;12;200\n")

    assert bars(series)[0] == [10.5, 12.0, 9.0, 11.25, 100.0]


def test_a_decimal_comma_is_known_by_the_first_price_that_has_one(load: Load) -> None:
    series = load("date;open;high;low;close;volume\n2024-01-02;10;12;9;11;100\n2024-01-03;11;13;10;12,5;200\n")

    assert bars(series)[1] == [11.0, 13.0, 10.0, 12.5, 200.0]


def test_a_compressed_file_and_one_with_a_byte_order_mark_load_like_the_plain_one(load: Load) -> None:
    text = "timestamp,open,high,low,close,volume\n2024-01-02T15:00Z,10,12,9,11,100\n2024-01-02T15:01Z,11,13,10,12,200\n"

    for content in (gzip.compress(text.encode()), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert bars(load(content)) == TWO


def test_a_session_cut_short_is_known_by_the_stamp_of_its_last_bar(load: Load) -> None:
    """S3.1: hourly bars from 09:30 stamped at their end; the last one, to 16:00, lasts half an hour."""
    stamps = ["14:30", "15:30", "16:00"]
    rows = "".join(f"01/02/2024,{stamp},10,12,9,11,60,40\n" for stamp in stamps) + "01/03/2024,10:30,10,12,9,11,60,40\n"

    series = load(
        "Date,Time,Open,High,Low,Close,Up,Down\n" + rows, symbol="SPY", timezone="America/New_York", bar_length="1h"
    )

    assert times(series) == ["2024-01-02T18:30", "2024-01-02T19:30", "2024-01-02T20:30", "2024-01-03T14:30"]


def test_a_file_without_volume_says_so(load: Load) -> None:
    series = load("timestamp,open,high,low,close\n2024-01-02,1,1,1,1\n2024-01-03,1,1,1,1\n")

    assert series.volume.tolist() == [0.0, 0.0]
    assert series.warnings == ("ES: there is no volume; it is taken as 0",)


def test_zero_and_negative_prices_are_legal(load: Load) -> None:
    """S2.1"""
    series = load(
        "timestamp,open,high,low,close,volume\n2020-04-20T18:00Z,0.0,0.5,-37.63,-37.63,9\n2020-04-20T18:01Z,-37,-36,-38,-37,9\n"
    )

    assert series.low.tolist() == [-37.63, -38.0]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("time open high low close volume", "20240102 150000;10;12;9;11;100\n20240102 150100;11;13;10;12;200\n"),
        ("date time o h l c vol", "01/02/2024,15:00,10,12,9,11,100\n01/02/2024,15:01,11,13,10,12,200\n"),
        (
            "open-time open high low close volume - -",
            "1704207600000,10,12,9,11,100,7,8\n1704207660000,11,13,10,12,200,7,8\n",
        ),
        (
            "date time open high low close volume",
            (
                "Datum;Zeit;Eröffnung;Hoch;Tief;Schluss;Umsatz\n02.01.2024;15:00;10,0;12,0;9,0;11,0;100\n"
                "02.01.2024;15:01;11,0;13,0;10,0;12,0;200\n"
            ),
        ),
    ],
    ids=["compact", "two-columns", "epochs", "foreign-header"],
)
def test_a_file_without_a_header_of_its_own_is_read_by_the_columns_that_are_named(
    load: Load, names: str, text: str
) -> None:
    """S3.1"""
    series = load(text, columns=tuple(names.split()), timezone="UTC", timestamp="open")

    assert times(series) == ["2024-01-02T15:00", "2024-01-02T15:01"]
    assert bars(series) == TWO


def test_a_faulty_row_of_a_file_without_a_header_is_named_by_its_line_and_column(load: Load) -> None:
    names = ("time", "open", "high", "low", "close", "volume")
    with pytest.raises(BarError, match=r"line 2.*close is 'eleven'"):
        load("2024-01-02 15:00,10,12,9,11,100\n2024-01-02 15:01,11,13,10,eleven,200\n", columns=names)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            "time open high low close",
            r"line 1: there are 6 cells, and `columns` names 5 \(time, open, high, low, close\)",
        ),
        ("time open high low volume x", r"`columns` \(time, open, high, low, volume, x\) has no column for close"),
    ],
)
def test_columns_that_do_not_fit_the_file_are_refused(load: Load, names: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        load("2024-01-02 15:00,10,12,9,11,100\n", columns=tuple(names.split()))


def test_a_header_that_is_not_understood_is_told_with_both_cures(load: Load) -> None:
    with pytest.raises(SourceError, match=r"no column for .*open.*or give their order by `columns`"):
        load("2024-01-02 15:00,10,12,9,11,100\n2024-01-02 15:01,11,13,10,12,200\n")


@pytest.mark.parametrize(("real", "volumes"), [(("0", "0"), [7.0, 8.0]), (("0", "30"), [0.0, 30.0])])
def test_ticks_are_the_volume_where_metatrader_knows_none(
    load: Load, real: tuple[str, str], volumes: list[float]
) -> None:
    head = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    rows = [f"2024.01.02\t15:0{i}:00\t10\t12\t9\t11\t{7 + i}\t{real[i]}\t1\n" for i in (0, 1)]

    series = load(head + "".join(rows), timezone="UTC", timestamp="open")

    assert series.volume.tolist() == volumes
