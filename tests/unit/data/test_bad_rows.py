"""Every way in which a file of bars can be wrong is one error that names file, line, value, rule and cure (S3.4)."""

import gzip
from pathlib import Path

import pytest

from data.errors import BarError, SourceError
from data.loading import SourceSettings, load_series
from tests.unit.data.conftest import Load

HEAD = "timestamp,open,high,low,close,volume\n"


def rows(*changed: str, n: int = 6, head: str = HEAD) -> str:
    """Return a good file of minute bars, in which lines ``2:text`` are replaced (None of it: line dropped)."""
    lines = [f"2024-01-02T15:{minute:02d}:00Z,10,12,9,11,100" for minute in range(n)]
    for change in changed:
        line, _, text = change.partition(":")
        lines[int(line) - 2] = text
    return head + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rows("4:2024-01-02T15:01:00Z,10,12,9,11,100"), "line 4: 2024-01-02 15:01 UTC comes twice"),
        (
            rows("5:2024-01-02T14:00:00Z,10,12,9,11,100"),
            "line 5: 2024-01-02 14:00 UTC comes after 2024-01-02 15:02 UTC",
        ),
        (rows("3:2024-01-02T15:01:00Z,10,10.5,9,11,100"), "line 3: high 10.5 is below close 11"),
        (rows("3:2024-01-02T15:01:00Z,10,12,10.5,11,100"), "line 3: low 10.5 is above open 10"),
        (rows("3:2024-01-02T15:01:00Z,10,12,9,nan,100"), "line 3: close is 'nan'; prices and volume must be finite"),
        (rows("3:2024-01-02T15:01:00Z,10,inf,9,11,100"), "line 3: high is 'inf'"),
        (rows("3:2024-01-02T15:01:00Z,10,12,9,,100"), "line 3: close is empty"),
        (rows("3:2024-01-02T15:01:00Z,ten,12,9,11,100"), "line 3: open is 'ten'; prices and volume must be numbers"),
        (
            rows('3:2024-01-02T15:01:00Z,10,12,9,11,"1,000"'),
            "line 3: volume is '1,000'; prices and volume must be numbers",
        ),
        (rows("3:2024-01-02T15:01:00Z,1_0,12,9,11,100"), "line 3: open is '1_0'"),
        (rows("3:2024-01-02T15:01:00Z,10,12,9,11,-5"), "line 3: volume is -5; volume must not be negative"),
        (rows("3:2024-01-02T15:01:00,10,12,9,11,100"), "line 3: the time has no offset, the file's first has one"),
        (rows("3:2024-13-02T15:01:00Z,10,12,9,11,100"), "line 3: timestamp is '2024-13-02T15:01:00Z'"),
        (rows("3:,10,12,9,11,100"), "line 3: timestamp is ''"),
        (rows("3:2024-01-02T15:01:00Z,10,12,9,11"), "line 3: 5 fields where the header has 6"),
        (rows("3:2024-01-02T15:01:00Z,10,12,9,11,100,7"), "line 3: 7 fields where the header has 6"),
        (rows("3:2024-01-02T15:00:30Z,10,12,9,11,100", n=30), "line 3: 2024-01-02 15:00:30 UTC is less than 1m after"),
        (rows()[:-9], "line 7: 4 fields where the header has 6; the last line ends in the middle"),
    ],
)
@pytest.mark.rule("S3.4")
def test_a_bad_row_is_named_with_its_line_its_value_and_the_rule(load: Load, text: str, words: str) -> None:
    """S3.4"""
    with pytest.raises(BarError) as caught:
        load(text, name="ES.csv")

    message = str(caught.value)
    assert f"ES.csv {words}" in message
    assert message.endswith("Correct the file, or set `repair` to drop or fix.")


def test_lines_are_counted_as_an_editor_counts_them(load: Load) -> None:
    """S3.4: blank lines and those of the header count."""
    text = "\n" + HEAD + "\n2024-01-02T15:00Z,1,1,1,1,1\r\n\r\n2024-01-02T15:01Z,1,1,1,1,-1\r\n"

    with pytest.raises(BarError, match="line 6: volume is -1"):
        load(text)


def test_the_first_offender_is_named_and_the_others_are_counted_by_kind(load: Load) -> None:
    """S3.4"""
    text = rows(
        "3:2024-01-02T15:01:00Z,10,10,9,11,100",
        "4:2024-01-02T15:02:00Z,10,10,9,11,100",
        "5:2024-01-02T15:03:00Z,10,12,9,11,-1",
        "7:2024-01-02T15:05:00Z,x,12,9,11,100",
    )

    with pytest.raises(
        BarError, match=r"line 3: high 10 is below close 11.* 3 more: 1 text, 1 high_low, 1 negative_volume"
    ):
        load(text)


def test_the_defect_on_record_is_found(shared_dir: Path) -> None:
    """S3.4: 47 rows of the index file have an open outside of their range, the first on 1992-02-11."""
    with pytest.raises(BarError, match=r"line 535: high 18\.57 is below open 19\.24.*46 more: 46 high_low"):
        load_series(SourceSettings(symbol="VIX", file=shared_dir / "data" / "VIX_1d.csv"))


def test_a_file_without_a_last_line_end_may_have_been_cut_in_its_last_cell(load: Load) -> None:
    """S3.4: 100 may be the rest of 1000; nothing in the file can tell, so it is a warning."""
    series = load(rows().rstrip("\n"), timestamp="open")

    assert series.warnings == (
        "ES: the last line has no line end; if the file was cut off, its last cell is not whole",
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (HEAD.encode(), "the file has a header and no bars"),
        (
            b"timestamp,open,high,close\n2024-01-02,1,1,1\n",
            "no column for low; the header has timestamp, open, high, close",
        ),
        (b"when,open,high,low,close\n1,1,1,1,1\n", "no column for time"),
        (b"1,2,3,4,5\n6,7,8,9,10\n", "no column for time"),
        (gzip.compress(rows().encode(), mtime=0)[:-12], "the gzip data ends early or is damaged"),
        (gzip.compress(b"", mtime=0), "empty once unpacked"),
        (HEAD.encode() + b"2024-01-02,1,1,1,1,\xff\n2024-01-03,1,1,1,1,1\n", "line 2: byte 0xff is not utf-8 text"),
        (b"PAR1 and nothing else", "the Parquet file is damaged"),
    ],
)
def test_a_file_that_is_no_table_of_bars_says_what_is_missing(load: Load, content: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        load(content)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv: there is no such file"):
        load_series(SourceSettings(symbol="ES", file=tmp_path / "none.csv"))
    with pytest.raises(SourceError, match="cannot be read"):
        load_series(SourceSettings(symbol="ES", file=tmp_path))


def test_one_bar_does_not_tell_its_length(load: Load) -> None:
    """S3.5"""
    with pytest.raises(SourceError, match="cannot be recognised from one bar; set `bar_length`"):
        load(rows(n=1))
    assert load(rows(n=1), bar_length="5m").bar_ns == 300_000_000_000


@pytest.mark.parametrize("stamp", ["open", "close"])
def test_a_bar_length_that_does_not_fit_is_an_error_with_figures(load: Load, stamp: str) -> None:
    """S3.5"""
    with pytest.raises(BarError, match=r"of 60 bars of 1h open before the last one ended, the shortest distance is 1m"):
        load(rows(n=60), bar_length="1h", timestamp=stamp)


@pytest.mark.parametrize("length", ["1 fortnight", "0m", "m", "-1m"])
def test_an_unknown_bar_length_is_refused(load: Load, length: str) -> None:
    with pytest.raises(SourceError, match="write it as 30s, 1m, 5m, 1h, 1d or 1w"):
        load(rows(), bar_length=length)


def test_monthly_bars_are_refused(load: Load) -> None:
    with pytest.raises(SourceError, match="31 days apart; bars of a month have no fixed length"):
        load(HEAD + "".join(f"2024-{month:02d}-01,1,1,1,1,1\n" for month in range(1, 13)))


def test_an_unknown_zone_is_refused(load: Load) -> None:
    with pytest.raises(SourceError, match="timezone 'Mars/Olympus' is not known"):
        load(rows(), timezone="Mars/Olympus")


class TestTheHourThatComesTwice:
    """Times without an offset, on the night on which summer time ends (S3.4)."""

    HOURS = (["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"], "2024-11-03")

    def text(self) -> str:
        clocks, day = self.HOURS
        return HEAD + "".join(f"{day} {clock},10,12,9,11,100\n" for clock in clocks)

    def test_is_an_error(self, load: Load) -> None:
        with pytest.raises(
            BarError, match=r"line 3: 2024-11-03 01:00 is not one moment; the clock showed this time twice"
        ):
            load(self.text(), timezone="America/New_York")

    def test_is_read_in_the_files_order_by_fix(self, load: Load) -> None:
        series = load(self.text(), timezone="America/New_York", repair="fix")

        clocks = [str(moment)[11:16] for moment in series.time_ns.astype("M8[ns]")]
        assert clocks == ["04:30", "05:00", "05:30", "06:00", "06:30", "07:00"]
        assert series.repairs == {"hour_twice": 4}

    def test_is_left_out_by_drop(self, load: Load) -> None:
        series = load(self.text(), timezone="America/New_York", repair="drop", bar_length="30m")

        assert len(series) == 2
        assert series.repairs == {"hour_twice": 4}

    def test_is_no_matter_in_a_zone_without_summer_time(self, load: Load) -> None:
        with pytest.raises(BarError, match="line 5: 2024-11-03 01:00 UTC comes after"):
            load(self.text(), timezone="UTC")


def test_a_time_that_the_clock_skipped_is_an_error(load: Load) -> None:
    """S3.4"""
    text = HEAD + "".join(f"2024-03-10 {clock},10,12,9,11,100\n" for clock in ("01:00", "01:30", "02:00", "03:00"))

    with pytest.raises(BarError, match="line 4: 2024-03-10 02:00 does not exist; the clock never showed this time"):
        load(text, timezone="America/New_York")
    assert load(text, timezone="America/New_York", repair="fix").repairs == {"hour_skipped": 1}


BAD = rows(
    "3:2024-01-02T15:01:00Z,10,10,9,11,100",
    "4:2024-01-02T15:02:00Z,10,12,9,11,-1",
    "5:2024-01-02T15:03:00Z,null,null,null,null,null",
    "6:2024-01-02T15:06:00Z,10,12,9,11,100",
    "7:2024-01-02T15:05:00Z,10,12,9,11,100",
    "8:2024-01-02T15:06:00Z,20,22,19,21,100",
    "9:2024-01-02T15:07:00Z,10,12,9,what,100",
    n=12,
)


@pytest.mark.rule("S3.4")
def test_drop_removes_each_bad_row_and_counts_it(load: Load) -> None:
    """S3.4"""
    series = load(BAD, repair="drop", bar_length="1m")

    assert [str(moment)[14:16] for moment in series.time_ns.astype("M8[ns]")] == ["00", "06", "08", "09", "10", "11"]
    assert series.open[1] == 10
    assert series.repairs == {
        "duplicate_time": 1, "high_low": 1, "missing": 1, "negative_volume": 1, "out_of_order": 1, "text": 1,
    }  # fmt: skip


@pytest.mark.rule("S3.4")
def test_fix_sorts_widens_and_keeps_the_last_of_equal_times(load: Load) -> None:
    """S3.4"""
    series = load(BAD, repair="fix", bar_length="1m")

    minutes = [str(moment)[14:16] for moment in series.time_ns.astype("M8[ns]")]
    assert minutes == ["00", "01", "02", "05", "06", "08", "09", "10", "11"]
    assert series.high[1] == 11
    assert series.volume[2] == 0
    assert series.open[4] == 20
    assert series.repairs == {
        "duplicate_time": 1, "high_low": 1, "missing": 1, "negative_volume": 1, "out_of_order": 1, "text": 1,
    }  # fmt: skip


def test_a_file_with_its_newest_row_first_is_an_error_and_fix_turns_it_round(load: Load) -> None:
    """S3.4"""
    lines = rows(n=4).splitlines()
    text = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"

    with pytest.raises(BarError, match=r"line 3: 2024-01-02 15:02 UTC comes after 2024-01-02 15:03 UTC.*2 more"):
        load(text)
    assert load(text, repair="fix").time_ns.tolist() == load(rows(n=4)).time_ns.tolist()


def test_an_unfinished_last_bar_is_named_and_dropped_on_request(load: Load) -> None:
    """S3.5: a download in mid-session ends with the bar of the day, stamped now."""
    text = HEAD + "2024-01-02 00:00:00-05:00,1,1,1,1,1\n2024-01-03 00:00:00-05:00,1,1,1,1,1\n"
    text += "2024-01-04 00:00:00-05:00,1,1,1,1,1\n2024-01-04 11:59:58-05:00,1,1,1,1,1\n"

    with pytest.raises(BarError, match="line 5: 2024-01-04 00:00 UTC comes twice"):
        load(text)
    assert len(load(text, repair="drop")) == 3


def test_repair_that_leaves_nothing_is_an_error(load: Load) -> None:
    with pytest.raises(SourceError, match=r"no bar is left after repair \(2 text\)"):
        load(HEAD + "2024-01-02,x,1,1,1,1\n2024-01-03,x,1,1,1,1\n", repair="drop")


def test_a_good_file_is_the_same_with_and_without_repair(load: Load) -> None:
    plain, dropped, fixed = (load(rows(), repair=repair) for repair in (None, "drop", "fix"))

    assert plain.close.tolist() == dropped.close.tolist() == fixed.close.tolist()
    assert not dropped.repairs
    assert not fixed.repairs


@pytest.mark.rule("S3.4")
def test_an_overnight_move_of_more_than_40_percent_is_warned_of(load: Load) -> None:
    """S3.4: an unadjusted split of two for one."""
    text = HEAD + "2024-01-02,100,101,99,100,5\n2024-01-03,50,51,49,50,5\n2024-01-04,50,51,49,50,5\n"

    warnings = load(text).warnings

    assert len(warnings) == 1
    assert "1 overnight moves of more than 40 %, the first from 100 to 50 into 2024-01-03" in warnings[0]


def test_a_move_of_40_percent_or_within_a_day_is_not_warned_of(load: Load) -> None:
    """S3.4"""
    assert not load(HEAD + "2024-01-02,100,101,99,100,5\n2024-01-03,60,61,49,50,5\n").warnings
    intraday = HEAD + "2024-01-02T15:00Z,100,101,99,100,5\n2024-01-02T15:01Z,50,51,49,50,5\n"
    assert not load(intraday, timestamp="open").warnings
