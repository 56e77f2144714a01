"""What is handed to other processes: the bars of a group of symbols, in prices and in ticks, held while it is run."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.timeline import build_timeline
from engine.errors import ConfigError
from engine.market import Market
from engine.preparing import prepare
from research.sweeping.library import Library, layout, mapped, write
from research.sweeping.plan import Slice
from research.sweeping.ways import Groups, Processes, share
from tests.sweep.worlds import BASE, planned

FOLDS = """\
config: base.yaml
symbols: together
folds: {kind: rolling, in_sample: 3d, out_of_sample: 2d}
"""
GROUP = ("AA", "BB")


def cut(market: Market, first: int, last: int) -> Market:
    return market.cut(int(market.time_ns[first]), int(market.time_ns[last]))


@pytest.mark.rule("S2.1", "S3.2")
def test_the_ticks_of_a_part_are_those_that_its_market_makes(tmp_path: Path) -> None:
    plan, library = planned(tmp_path, FOLDS)
    group = library.of_group(plan, GROUP)
    assert len(plan.cells) > 4
    shared = 0
    for cell in plan.cells:
        own = prepare(plan.stage_config(cell, ()), read=library.read).market
        found = group.in_ticks(own.series, own.instruments, own.timeline)
        assert found is None or found.tobytes() == own.bars.tobytes()
        shared += found is not None
        theirs = prepare(plan.stage_config(cell, ()), read=group.read, in_ticks=group.in_ticks).market
        assert theirs.bars.tobytes() == own.bars.tobytes()
    assert shared > len(plan.cells) / 2


def test_a_part_that_begins_where_a_symbol_has_no_bar_makes_its_own(tmp_path: Path) -> None:
    """The close before the cut is not known to it (S3.2); the shared rows would carry it on."""
    plan, library = planned(tmp_path, FOLDS)
    group = library.of_group(plan, GROUP)
    whole = prepare(plan.stage_config(plan.cells[0], ()), read=library.read).market
    missing = int(np.flatnonzero(~whole.timeline.real.all(axis=1))[3])
    part = cut(whole, missing, missing + 50)
    assert np.isnan(part.bars["c"][0]).any()
    assert group.in_ticks(part.series, part.instruments, part.timeline) is None
    later = cut(whole, missing + 1, missing + 50)
    assert group.in_ticks(later.series, later.instruments, later.timeline) is not None


def test_ticks_of_another_size_or_other_bars_are_not_taken(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    group = library.of_group(plan, ("AA",))
    own = prepare(plan.stage_config(plan.cells[0], ()), read=library.read).market
    assert group.in_ticks(own.series, own.instruments, own.timeline) is not None
    other = prepare(plan.stage_config(plan.cells[0], (("assets.AA.tick_size", 0.5),)), read=library.read).market
    assert group.in_ticks(other.series, other.instruments, other.timeline) is None
    second = prepare(plan.stage_config(plan.cells[-1], ()), read=library.read).market
    assert second.symbols == ("BB",)
    assert group.in_ticks(second.series, second.instruments, build_timeline(second.series)) is None


def test_runs_that_join_bars_make_their_own_ticks(tmp_path: Path) -> None:
    plan, library = planned(tmp_path, base="bar: 15m\n" + BASE)
    assert library.of_group(plan, ("AA",)).ground is None


def test_a_group_holds_its_own_symbols_only_and_says_what_it_lacks(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    group = library.of_group(plan, ("BB",))
    assert [book.settings.symbol for book in group.books] == ["BB"]
    assert library.bars_of(("BB",)) == group.bars < library.bars
    empty = Library(tuple(book for book in library.books if book.series is None))
    assert empty.of_group(plan, ("BB",)).books == ()


def test_arrays_come_back_from_a_block_as_they_were_and_the_same_memory_lies_there_once(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    arrays = library.of_group(plan, ("AA",)).arrays()
    places, size = layout(arrays)
    begins = {place.name: place.begin for place in places}
    assert begins["times"] == begins["0/time_ns"]
    assert size < sum(array.nbytes for array in arrays.values())
    block = memoryview(bytearray(size))
    write(block, places, arrays)
    for name, array in mapped(block, places).items():
        assert array.tobytes() == arrays[name].tobytes()
        assert not array.flags.writeable


def test_what_is_sent_holds_no_bars(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    shared = share(library.of_group(plan, ("AA",)))
    try:
        assert shared.catalogue.bars == 0
        assert shared.catalogue.ground is not None
        assert len(shared.catalogue.ground.bars) == 0
    finally:
        shared.drop()


def test_bars_that_shared_memory_has_no_room_for_are_refused_with_figures_and_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux takes such a block, and kills whoever writes to it."""
    plan, library = planned(tmp_path)
    monkeypatch.setattr("research.sweeping.ways.free_shared_bytes", lambda: 2**16)
    with pytest.raises(
        ConfigError, match=r"the bars of AA take 0\.2 MiB of shared memory, .* has 0\.1 MiB .*--workers"
    ):
        next(Processes(plan, library, 1).rows(plan.slices(1)))
    assert multiprocessing.active_children() == []


def test_groups_are_made_when_they_begin_and_dropped_when_nothing_needs_them(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path)
    told: list[str] = []

    def make(symbols: tuple[str, ...]) -> str:
        told.append(f"make {symbols[0]}")
        return symbols[0]

    groups = Groups(plan, make, lambda held: told.append(f"drop {held}"))
    first, second = Slice(0, 0, 1), Slice(1, 0, 1)
    assert groups.of(first) == groups.of(first) == "AA"
    groups.keep([])
    assert told == ["make AA"]
    groups.of(second)
    groups.keep([first])
    assert told == ["make AA", "make BB"]
    groups.keep([second])
    groups.end()
    assert told == ["make AA", "make BB", "drop AA", "drop BB"]


def test_bars_that_could_not_be_read_fail_in_every_process_with_the_same_words(tmp_path: Path) -> None:
    plan, library = planned(tmp_path / "whole")
    (tmp_path / "whole" / "aa.csv").write_text("time,open,high,low,close,volume\nx,1,1,1,1,1\n", encoding="utf-8")
    broken = Library.of(plan.base)
    group = broken.of_group(plan, ("AA",))
    assert group.ground is None
    with pytest.raises(DataError, match=r"aa\.csv"):
        group.catalogue().read(group.books[0].settings, None)
    assert library.bars > broken.bars
