"""Rows are kept whole, found again, and the same whoever ran them."""

import errno
import multiprocessing
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.errors import JournalError, SaveError
from research.sweeping.driving import Standing, drive
from research.sweeping.plan import Plan, Slice
from research.sweeping.planning import plan_sweep
from research.sweeping.stage import Workplace
from research.sweeping.store import RESULTS, Store
from research.sweeping.ways import TRIES, Losses, Processes, RowLists, Threads
from tests.sweep.worlds import GRID, planned, world


class Played:
    """Runs slices in this thread; ends as if by Ctrl-C after some."""

    def __init__(self, place: Workplace, most: int = 10**9) -> None:
        self.place, self.most = place, most
        self.done: list[Slice] = []

    def rows(self, pieces: Iterable[Slice]) -> RowLists:
        for piece in pieces:
            if len(self.done) == self.most:
                raise KeyboardInterrupt
            self.done.append(piece)
            yield self.place.run(piece)


def finished(plan: Plan, folder: Path, way: object) -> bytes:
    store = Store(folder, plan)
    drive(plan, store, way)  # type: ignore[arg-type]
    store.finish()
    return (folder / RESULTS).read_bytes()


def test_the_bytes_are_the_same_whatever_the_way_and_however_many(tmp_path: Path) -> None:
    """S14."""
    plan, library = planned(tmp_path)
    place = Workplace(plan, library)
    alone = finished(plan, tmp_path / "alone", Played(place))
    for name, way in {"one": Threads(plan, library, 1), "three": Threads(plan, library, 3)}.items():
        assert finished(plan, tmp_path / name, way) == alone
    store = Store(tmp_path / "small", plan)
    for piece in reversed(list(plan.slices(2))):
        store.append(place.run(piece))
    store.finish()
    assert (tmp_path / "small" / RESULTS).read_bytes() == alone


def test_processes_share_the_bars_and_give_the_same_bytes(tmp_path: Path) -> None:
    """S14."""
    plan, library = planned(tmp_path)
    alone = finished(plan, tmp_path / "alone", Played(Workplace(plan, library)))
    assert finished(plan, tmp_path / "two", Processes(plan, library, 2)) == alone


def test_started_again_a_sweep_does_only_what_is_missing(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    place, folder = Workplace(plan, library), tmp_path / "results"
    first = Played(place, most=1)
    with pytest.raises(KeyboardInterrupt):
        drive(plan, Store(folder, plan), first)
    second = Played(place)
    standing = drive(plan, Store(folder, plan), second)
    assert set(first.done).isdisjoint(second.done)
    assert len(first.done) == 1
    assert (standing.begun, standing.done) == (len(plan.points), len(plan))
    Store(folder, plan).finish()
    assert (folder / RESULTS).read_bytes() == finished(plan, tmp_path / "whole", Played(place))
    third = Played(place)
    drive(plan, Store(folder, plan), third)
    assert third.done == []


def test_a_row_that_came_twice_counts_once(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    place, store = Workplace(plan, library), Store(tmp_path / "results", plan)
    for piece in plan.slices(2):
        store.append(place.run(piece))
    store.append(place.run(Slice(0, 0, 3)))
    assert store.finish().num_rows == len(plan)


def test_a_table_that_cannot_be_written_is_an_error_with_its_file_and_what_is_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, library = planned(tmp_path)
    store = Store(tmp_path / "results", plan)
    drive(plan, store, Played(Workplace(plan, library)))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("research.sweeping.store.write_checked", full)
        with pytest.raises(SaveError, match=r"results\.parquet cannot be written: No space left.*start again"):
            store.finish()
    assert store.finish().num_rows == len(plan)


def test_a_folder_of_another_sweep_is_refused(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path / "a")
    other, _ = planned(tmp_path / "b", GRID.replace("40]", "50]"))
    Store(tmp_path / "results", plan)
    with pytest.raises(JournalError, match="holds the sweep 'sweep' of other runs"):
        Store(tmp_path / "results", other)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    store = Store(tmp_path / "results", plan)
    store.append(Workplace(plan, library).run(Slice(0, 0, 2)))
    part = next((tmp_path / "results" / "parts").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(JournalError, match=rf"{part.name} is damaged.*remove that file"):
        store.done()


def test_what_is_lost_is_tried_again_then_in_halves_then_given_up(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path)
    losses, left = Losses(plan), iter([Slice(0, 0, 3)])
    deadly, given, rows = 1, [], []
    while (piece := losses.next(left)) is not None:
        given.append(piece)
        if piece.first <= deadly < piece.stop:
            rows += losses.lost(piece, "exit code -9")
    assert given[:TRIES] == [Slice(0, 0, 3)] * TRIES
    assert [row["run"] for row in rows] == [deadly]
    assert rows[0]["error"] == "what ran it ended 2 times: exit code -9"
    survived = [piece for piece in given if not piece.first <= deadly < piece.stop]
    assert {index for piece in survived for index in plan.indices(piece)} == {0, 2}


DEADLY = """\
import os, signal
from pathlib import Path
from bots.trend_following import TrendFollowingBot

class Deadly(TrendFollowingBot):
    def sides(self, market):
        once = Path(__file__).with_name("once")
        if self.settings.ema_span == 20 and (not once.exists() or self.settings.breakout_atr == 9):
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().sides(market)
"""
DEADLY_GRID = """\
config: base.yaml
symbols: [AA]
bots: [{name: Deadly, module: deadly.py}]
grid: {bot.ema_span: [10, 20, 40], bot.breakout_atr: [1.5, 2.0, LAST]}
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_worker_that_is_killed_once_leaves_no_trace(tmp_path: Path) -> None:
    file = world(tmp_path, DEADLY_GRID.replace("LAST", "3.0"))
    (tmp_path / "deadly.py").write_text(DEADLY, encoding="utf-8")
    plan, library = plan_sweep(file)
    killed = finished(plan, tmp_path / "killed", Processes(plan, library, 2))
    assert (tmp_path / "once").exists()
    assert killed == finished(plan, tmp_path / "undisturbed", Processes(plan, library, 1))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_run_that_always_kills_its_worker_is_marked_and_the_others_are_done(tmp_path: Path) -> None:
    file = world(tmp_path, DEADLY_GRID.replace("LAST", "9.0"))
    (tmp_path / "deadly.py").write_text(DEADLY, encoding="utf-8")
    plan, library = plan_sweep(file)
    store = Store(tmp_path / "results", plan)
    standing = drive(plan, store, Processes(plan, library, 2))
    rows = store.finish().to_pylist()
    failed = [row for row in rows if row["status"] == "failed"]
    assert [(row["bot.ema_span"], row["bot.breakout_atr"]) for row in failed] == [(20, 9.0)]
    assert "what ran it ended 2 times: exit code -9" in failed[0]["error"]
    assert (standing.done, standing.failed) == (9, 1)


def test_ctrl_c_between_slices_of_threads_keeps_what_is_done(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    store = Store(tmp_path / "results", plan)

    def stop(standing: Standing) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(plan, store, Threads(plan, library, 2), stop)
    assert 0 < int(store.done().sum()) < len(plan)


def test_standing_knows_rate_rest_and_best(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    ticks = iter(range(1000))
    seen: list[tuple[int, float, float | None]] = []

    def listen(standing: Standing) -> None:
        seen.append((standing.done, standing.rate, standing.left))

    store = Store(tmp_path / "results", plan)
    standing = drive(plan, store, Played(Workplace(plan, library)), listen, lambda: float(next(ticks)))
    assert [done for done, _, _ in seen] == [9, 18]
    assert all(rate > 0 for _, rate, _ in seen)
    assert seen[-1][2] == 0.0
    table = store.finish().to_pylist()
    assert standing.best == max(row["sharpe"] for row in table if row["sharpe"] is not None)


def test_no_process_and_no_memory_is_left_when_the_driver_stops_early(tmp_path: Path) -> None:
    plan, library = planned(tmp_path)
    rows = Processes(plan, library, 2).rows(plan.slices(1))
    next(rows)
    assert len(multiprocessing.active_children()) == 2
    rows.close()
    assert multiprocessing.active_children() == []
