"""However a run is cut into pieces, paused, watched, taken back or driven, it leaves the same bytes (S14, S16)."""

from collections.abc import Iterator

import numpy as np
import pytest

from engine.run import Drive, Run
from tests.properties import drives
from tests.properties.bars import random_market
from tests.properties.cases import case_of
from tests.reference.model import Case

DRIVES = ("step", "compiled")
SEEDS = range(1000, 1120)


@pytest.fixture(params=DRIVES)
def drive(request: pytest.FixtureRequest) -> Drive:
    chosen: Drive = request.param
    return chosen


def cases() -> Iterator[tuple[int, Case, np.random.Generator]]:
    """Random cases, each with a generator for where to stop."""
    for seed in SEEDS:
        yield seed, case_of(seed), np.random.default_rng(seed)


def in_pieces(run: Run, rng: np.random.Generator, end: int) -> None:
    """Advance in random steps, each with a random size of chunk."""
    while run.next_bar < end:
        run.bars_per_chunk = int(rng.integers(1, 4))
        run.advance(min(end, run.next_bar + int(rng.integers(1, 6))))


@pytest.mark.rule("S14")
def test_the_two_drives_leave_the_same_bytes() -> None:
    """Only the base bot's cases: a scripted bot writes no verdicts of gates, which the idle one does."""
    compared = 0
    for seed, case, _ in cases():
        if case.get("bot"):
            compared += 1
            assert drives.whole(case, "step") == drives.whole(case, "compiled"), seed
    assert compared > 20


@pytest.mark.rule("S14")
def test_pauses_and_sizes_of_chunks_change_no_byte(drive: Drive) -> None:
    for seed, case, rng in cases():
        run = drives.made(case, drive)

        in_pieces(run, rng, run.bars)
        run.complete()

        assert drives.left_by(run) == drives.whole(case, drive), seed


@pytest.mark.rule("S14")
def test_a_run_that_is_watched_phase_by_phase_leaves_the_same_bytes(drive: Drive) -> None:
    for seed, case, _ in cases():
        run = drives.made(case, drive)
        seen: list[object] = []
        for signal in (run.engine.bar_advanced, run.engine.bar_updated, run.engine.bar_closed):
            signal.connect(seen.append)

        run.complete()

        assert drives.left_by(run) == drives.whole(case, drive), seed
        assert len(seen) == 3 * run.bars


@pytest.mark.rule("S14")
def test_restore_and_go_on_equals_never_having_stopped(drive: Drive) -> None:
    for seed, case, rng in cases():
        run = drives.made(case, drive)
        in_pieces(run, rng, int(rng.integers(0, run.bars)))
        snapshot = run.snapshot()
        for _ in range(2):
            run.advance(int(rng.integers(run.next_bar, run.bars + 1)))
            run.restore(snapshot)

        run.complete()

        assert drives.left_by(run) == drives.whole(case, drive), seed


@pytest.mark.rule("S14")
def test_going_back_and_forth_equals_going_through(drive: Drive) -> None:
    for seed, case, rng in cases():
        run = drives.made(case, drive)
        for _ in range(4):
            bar = int(rng.integers(0, run.bars + 1))
            if bar < run.next_bar:
                run.go_back(bar)
            else:
                in_pieces(run, rng, bar)
                run.snapshots.take(run.snapshot())
            assert run.next_bar == bar

        run.complete()

        assert drives.left_by(run) == drives.whole(case, drive), seed


@pytest.mark.rule("S16")
def test_an_order_by_hand_after_a_rewind_replays_from_the_start(drive: Drive) -> None:
    """Run on, go back, give an order by hand, run to the end: the recorded order gives the same bytes headless."""
    for seed, case, rng in cases():
        run = drives.made(case, drive)
        in_pieces(run, rng, run.bars)
        bar = int(rng.integers(0, run.bars))
        order = {
            "bar": bar,
            "phase": ("OPEN", "CLOSE")[seed % 2],
            "type": "market",
            "symbol": next(iter(case["spec"])),
            "side": ("buy", "sell")[int(rng.integers(2))],
            "qty": next(iter(case["spec"].values()))["lot_size"],
        }
        replayed = drives.made(case, drive)
        replayed.intervene(order)

        run.go_back(bar)
        run.intervene(order)
        run.complete()
        replayed.complete()

        assert drives.left_by(run) == drives.left_by(replayed), seed


@pytest.mark.rule("S14")
def test_an_interrupted_run_keeps_the_rows_of_the_bars_that_closed(drive: Drive) -> None:
    for seed, case, _ in cases():
        case = {**case, "policy": {**case["policy"], "liquidate_on_finish": False}}
        whole, run = drives.made(case, drive), drives.made(case, drive)
        run.bars_per_chunk = 2

        status = run.complete(lambda told: told.bar < 1)
        whole.advance(run.next_bar)

        first = 1 if drive == "step" else 2  # the step drive's first bar is a chunk by itself
        assert (status, run.next_bar) == ("interrupted", first), seed
        assert drives.left_by(run) == drives.left_by(whole), seed


def long_case() -> Case:
    """A base bot on two symbols over 1,500 bars, so that chunks and snapshots are several."""
    rng = np.random.default_rng(5)
    market = random_market(rng, {"A": 0.25, "B": 1.0}, 1500)
    facts = {"initial_margin": 100.0, "maintenance_margin": 75.0, "commission_per_contract": 1.0, "slippage_ticks": 1}
    return {
        "start_cash": 1_000_000.37,
        "spec": {
            "A": {"tick_size": 0.25, "tick_value": 2.5, **facts},
            "B": {"tick_size": 1.0, "tick_value": 5, **facts},
        },
        "policy": {},
        "bars": market.rows,
        "actions": [],
        "days": [bar // 100 for bar in range(1500)],
        "bot": {
            "kind": "given",
            "sides": {name: [("buy", "sell", None)[int(x)] for x in rng.integers(0, 3, 1500)] for name in "AB"},
            "exit": {"kind": "trailing_atr", "atr_multiple": 1.37, "atr_period": 5},
            "risk_pct": 0.01,
            "max_margin_pct": 0.5,
        },
    }


@pytest.mark.rule("S14")
def test_snapshots_of_a_long_run_lead_to_the_same_bytes(drive: Drive) -> None:
    case = long_case()
    whole, run = drives.made(case, drive), drives.made(case, drive)
    whole.complete()

    run.bars_per_chunk = 100
    while run.next_bar < run.bars:
        run.advance(run.next_bar + 100)
        run.snapshots.take(run.snapshot())
    for bar in (1499, 730, 100, 99, 0, 1210):
        run.go_back(bar) if bar < run.next_bar else run.advance(bar)
    run.complete()

    assert len(whole.engine.tables.rows("trades")) > 200
    assert drives.left_by(run) == drives.left_by(whole)
