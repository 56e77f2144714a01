"""Every built-in bot and exit leaves the same bytes however its run is driven, cut, watched or repeated (S14, S16)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.journal import TABLES, Journal, Words
from engine.kernel.schema import Phase
from engine.preparing import prepare
from engine.result import Result
from engine.run import Run
from tests.proof.bytes_left import digests
from tests.proof.works import (
    PAIRS,
    ROOT,
    Pair,
    Work,
    completed,
    drives_of,
    made,
    sample_config,
    script,
    scripted,
)
from tests.properties.drives import left_by

SIGNALS = (
    "bar_updated", "bar_closed", "bar_advanced", "order_accepted", "order_filled", "order_rejected", "order_cancelled",
    "order_expired", "order_modified", "stop_moved", "target_moved", "margin_call",
)  # fmt: skip


def whole(work: Work, pair: Pair) -> bytes:
    """What a compiled run from start to end leaves behind."""
    run = completed(made(work, pair.make(), "compiled"))
    assert run.engine.tables.count("trades") > 20
    return left_by(run)


def by_phase(run: Run) -> Run:
    """Step a run phase by phase, as the window does."""
    for bar in range(run.bars):
        run.engine.open_bar(bar)
        assert run.engine.phase is Phase.OPEN
        run.bot.on_bar(run.env)
        run.engine.run_intrabar()
        assert run.engine.phase is Phase.INTRABAR
        run.engine.close_bar()
        run.bot.on_close(run.env)
        run.next_bar = bar + 1
    return run


@pytest.mark.rule("S14")
def test_every_built_in_pair_can_run_on_both_drives(pair: Pair) -> None:
    assert drives_of(pair.make()) == ("step", "compiled")


@pytest.mark.rule("S14")
def test_the_step_drive_leaves_the_bytes_of_the_compiled_drive(work: Work, pair: Pair) -> None:
    assert left_by(completed(made(work, pair.make(), "step"))) == whole(work, pair)


@pytest.mark.rule("S14")
def test_both_drives_agree_on_the_whole_sample() -> None:
    config = sample_config(end=None)
    work = Work("whole sample", config, prepare(config))
    for pair in PAIRS:
        step = completed(made(work, pair.make(), "step"))
        assert step.engine.tables.count("trades") > 500
        assert left_by(step) == whole(work, pair), pair


@pytest.mark.rule("S14")
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_sizes_of_chunks_change_no_byte(week: Work, pair: Pair, chunk: int) -> None:
    expected = whole(week, pair)
    for drive in drives_of(pair.make()):
        run = made(week, pair.make(), drive)
        while run.next_bar < run.bars:
            run.bars_per_chunk = chunk
            run.advance(min(run.next_bar + 5 * chunk, run.bars))
        run.complete()
        assert left_by(run) == expected, drive


@pytest.mark.rule("S14")
def test_going_on_from_a_snapshot_leaves_the_same_bytes(work: Work, pair: Pair) -> None:
    expected, bars = whole(work, pair), len(work.prepared.market)
    for drive in drives_of(pair.make()):
        run = made(work, pair.make(), drive)
        for at in (1, bars // 7, bars // 3, bars // 2, bars - 1):
            run.advance(at)
            kept = run.snapshot()
            run.advance(min(at + 900, bars))
            run.restore(kept)
            assert run.next_bar == at
        run.complete()
        assert left_by(run) == expected, drive


@pytest.mark.rule("S14")
def test_a_snapshot_goes_on_in_a_run_of_the_other_drive(work: Work, pair: Pair) -> None:
    """The state at a close is the same in both drives: one may go on where the other stopped."""
    run = made(work, pair.make(), "compiled")
    run.advance(len(work.prepared.market) // 2)
    run.drive = "step"
    assert left_by(completed(run)) == whole(work, pair)


@pytest.mark.rule("S14")
def test_rewinding_and_going_forward_leaves_the_same_bytes(work: Work, pair: Pair) -> None:
    expected, bars = whole(work, pair), len(work.prepared.market)
    run = completed(made(work, pair.make(), "compiled"))
    for bar in (bars - 2, bars // 2, 3, bars // 3):
        run.go_back(bar) if bar < run.next_bar else run.advance(bar)
        assert run.next_bar == bar
    assert left_by(completed(run)) == expected


@pytest.mark.rule("S14")
def test_listeners_change_no_byte(week: Work, pair: Pair) -> None:
    heard: list[object] = []
    run = made(week, pair.make(), "auto")
    for name in SIGNALS:
        getattr(run.engine, name).connect(heard.append)

    completed(run)

    assert left_by(run) == whole(week, pair)
    assert len(heard) > 3 * run.bars


@pytest.mark.rule("S14")
def test_stepping_phase_by_phase_changes_no_byte(week: Work, pair: Pair) -> None:
    assert left_by(by_phase(made(week, pair.make(), "step"))) == whole(week, pair)


@pytest.mark.rule("S14")
def test_another_process_leaves_the_same_bytes(sample: Work) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.proof.bytes_left"],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "17"}, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert json.loads(told.stdout) == digests(sample)


@pytest.mark.rule("S14")
def test_the_digest_tells_runs_apart(sample: Work) -> None:
    found = digests(sample)
    assert len(set(found.values())) == len(PAIRS) + 1


@pytest.mark.rule("S14")
def test_no_output_holds_a_negative_zero(work: Work, pair: Pair) -> None:
    tables = completed(made(work, pair.make(), "compiled")).engine.tables
    for rows in (tables.equity, *(tables.rows(name) for name in ("orders", "fills", "trades", "events", "calls"))):
        for field in rows.dtype.names or ():
            values = rows[field]
            if values.dtype.kind == "f":
                assert not np.any((values == 0.0) & np.signbit(values)), field


@pytest.mark.rule("S14")
def test_a_scripted_bot_leaves_the_same_bytes_in_pieces_watched_and_taken_back(work: Work) -> None:
    expected = left_by(completed(made(work, scripted(work), "step")))

    pieces, watched, taken_back = (made(work, scripted(work), "step") for _ in range(3))
    while pieces.next_bar < pieces.bars:
        pieces.advance(min(pieces.next_bar + 401, pieces.bars))
    watched.engine.bar_closed.connect(lambda event: None)
    taken_back.advance(2000)
    taken_back.go_back(700)

    assert all(left_by(completed(run)) == expected for run in (pieces, watched, taken_back))
    assert left_by(by_phase(made(work, scripted(work), "step"))) == expected


@pytest.mark.rule("S16")
def test_orders_by_hand_replay_to_the_same_bytes_on_both_drives(work: Work, pair: Pair) -> None:
    by_hand = [{**action, "source": "manual"} for action in script(work)[::5]]
    left = {
        drive: left_by(completed(made(work, pair.make(), drive, interventions=by_hand)))
        for drive in drives_of(pair.make())
    }
    assert len(set(left.values())) == 1
    assert left["step"] != whole(work, pair)


@pytest.mark.rule("S16")
def test_interventions_of_a_saved_run_replay_to_the_same_bytes(sample: Work, tmp_path: Path) -> None:
    by_hand = [{**action, "source": "manual"} for action in script(sample)[::5]]
    run = made(sample, PAIRS[0].make(), "step")
    for action in by_hand:
        run.advance(int(action["bar"]))
        run.intervene(action)
    completed(run)

    folder = Result(sample.config, sample.prepared, run).save(tmp_path / "saved", report=False)
    recorded = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["interventions"]
    replayed = completed(made(sample, PAIRS[0].make(), "auto", interventions=recorded))

    assert left_by(replayed) == left_by(run)
    assert set(Result(sample.config, sample.prepared, replayed).fills["source"]) == {"bot", "manual"}


@pytest.mark.rule("S14")
def test_a_saved_journal_reads_back_equal(work: Work, pair: Pair, tmp_path: Path) -> None:
    run = completed(made(work, pair.make(), "compiled"))
    result = Result(work.config, work.prepared, run)

    read = Journal.read(result.save(tmp_path / "run", report=False))

    for name in TABLES:
        assert list(read.tables[name]) == list(result.journal.tables[name])
        for column, kept in result.journal.tables[name].items():
            back = read.tables[name][column]
            assert isinstance(back, Words) == isinstance(kept, Words)
            first, second = (x.array() if isinstance(x, Words) else x for x in (kept, back))
            np.testing.assert_array_equal(first, second, err_msg=f"{name}.{column}")
            assert first.dtype == second.dtype, f"{name}.{column}"
