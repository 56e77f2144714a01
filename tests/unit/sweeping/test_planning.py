"""What a sweep file comes to: its runs, their numbers and names, and every way in which it can be wrong."""

from pathlib import Path

import pytest

from bots.catalog import make_bot
from engine import run_backtest
from engine.errors import ConfigError
from research.sweeping.plan import Slice
from research.sweeping.planning import plan_sweep
from research.sweeping.stage import Workplace
from tests.sweep.worlds import BASE, GRID, planned, world

EVERYTHING = """\
config: base.yaml
symbols: [AA, [BB, AA]]
bots: [TrendFollowing, {name: CoinFlip, settings: {p_buy: 0.4}}]
exits: [TrailingATR, FixedRatio]
grid:
  bot.ema_span: [10, 20]
  exit.r_multiple: [1.0, 2.0]
  assets.AA.slippage_ticks: [0, 2]
random:
  draws: 3
  seed: 5
  ranges:
    exit.atr_multiple: {low: 1, high: 4, scale: log}
seeds: [1, 2]
paths: [worst_case, best_case]
folds: {kind: rolling, in_sample: 4d, out_of_sample: 2d}
objective: {figure: net_profit, minimum_trades: 2}
"""


def test_runs_are_points_times_cells_and_settings_that_a_part_lacks_are_left_out(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, EVERYTHING)
    # Trend following has two spans, the coin none; one exit has two targets, the other none; costs and draws.
    assert len(plan.points) == (2 + 1) * (1 + 2) * 2 * 3
    folds = {(cell.span.fold, cell.span.part) for cell in plan.cells}
    assert len(plan.cells) == 2 * len(folds) * 2 * 2
    assert len(plan) == len(plan.points) * len(plan.cells)
    assert {cell.symbols for cell in plan.cells} == {("AA",), ("BB", "AA")}
    coin = [point for point in plan.points if plan.bots[point.bot].name == "CoinFlip"]
    assert all("bot.ema_span" not in dict(point.values) for point in coin)


def test_every_run_is_the_one_that_its_whole_configuration_gives(tmp_path: Path) -> None:
    """The figures of a sweep's rows are those of headless runs of ``plan.config``."""
    plan, library = planned(tmp_path, EVERYTHING, bars=2200)
    place = Workplace(plan, library)
    for index in range(7, len(plan), len(plan) // 9):
        cell, point = plan.run(index)
        number = index % len(plan.points)
        row = place.run(Slice(index // len(plan.points), number, number + 1))[0]
        config = plan.config(cell, point)
        result = run_backtest(config, make_bot(config.bot, config.exit))
        assert row["run"] == index
        assert row["error"] is None
        assert {name: row[name] for name in result.statistics.to_dict()} == result.statistics.to_dict()
        assert row["ambiguous_trades"] == result.ambiguous_trades
        assert row["bars"] == result.bars


def test_hashes_tell_runs_apart_and_stay_the_same(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, EVERYTHING)
    again, _ = plan_sweep(tmp_path / "sweep.yaml")
    hashes = [plan.hash(*plan.run(index)) for index in range(len(plan))]
    assert len(set(hashes)) == len(plan)
    assert hashes[:50] == [again.hash(*again.run(index)) for index in range(50)]
    assert plan.digest == again.digest


def test_another_bar_or_another_value_is_another_sweep(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path / "a")
    other, _ = planned(tmp_path / "b", GRID.replace("40]", "41]"))
    longer, _ = planned(tmp_path / "c", bars=3001)
    assert len({plan.digest, other.digest, longer.digest}) == 3


@pytest.mark.parametrize("name", ["sweep", "sweep_walk_forward"])
def test_every_shipped_sweep_is_valid_and_runs(name: str, repo_root: Path) -> None:
    plan, library = plan_sweep(repo_root / "configs" / f"{name}.yaml")
    assert not [text for text in library.digests.values() if text.startswith("error")]
    row = Workplace(plan, library).run(Slice(len(plan.cells) - 1, 0, 1))[0]
    assert (row["error"], row["status"]) == (None, "completed")


def test_the_shipped_sweeps_are_all_of_them(repo_root: Path) -> None:
    assert {file.stem for file in (repo_root / "configs").glob("sweep*.yaml")} == {"sweep", "sweep_walk_forward"}


def test_without_grid_a_sweep_is_the_base_run(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, "config: base.yaml\n")
    assert (len(plan), plan.cells[0].symbols, plan.points[0].values) == (1, ("AA", "BB"), ())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("grid: {bot.ema_spam: [1]}", r"sweep.yaml:2 grid.bot.ema_spam: .*nearest is ema_span"),
        ("grid: {exit.atr_multiple: []}", "the list is empty"),
        ("grid: {simulation.pth: [1]}", "nearest is path"),
        ("grid: {seed: [1]}", "cannot be swept; .*seeds"),
        ("grid: {simulation.path: [best_case]}", "has a key of its own: paths"),
        ("random: {ranges: {simulation.path: [best_case]}}", "has a key of its own: paths"),
        ("grid: {assets.AA.file: [x.csv]}", "cannot be swept; what can are"),
        ("grid: {assets.CC.slippage_ticks: [1]}", "cannot be swept"),
        ("symbols: [AA, CC]", "no asset 'CC'"),
        ("symbols: [[AA, AA]]", "stands there twice"),
        ("objective: sharp", "nearest is sharpe"),
        ("objektive: sharpe", "nearest is objective"),
        ("seeds: [-1]", "-1 is not >= 0"),
        ("random: {draws: 2, ranges: {}}", "no range is given"),
        ("random: {draws: 2, ranges: {bot.ema_span: {low: 2, high: 1}}}", "is below low"),
        ("grid: {bot.ema_span: [5]}\nrandom: {ranges: {bot.ema_span: [6]}}", "stands below grid too"),
        ("folds: {kind: rolling, in_sample: 999d, out_of_sample: 1d}", "not one fold fits"),
        ("folds: {kind: sideways}", "not one of fixed, rolling, anchored"),
        ("paths: [worst]", "nearest is worst_case"),
    ],
)
def test_a_wrong_sweep_file_is_refused_with_place_and_cure(tmp_path: Path, changed: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        planned(tmp_path, f"config: base.yaml\n{changed}\n", bars=300)
    assert "sweep.yaml:" in str(error.value)


def test_a_missing_file_or_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml does not exist"):
        plan_sweep(tmp_path / "nothing.yaml")
    (tmp_path / "sweep.yaml").write_text("config: gone.yaml\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"gone\.yaml does not exist"):
        plan_sweep(tmp_path / "sweep.yaml")


def test_what_only_some_runs_fail_on_is_their_row(tmp_path: Path) -> None:
    """A bad symbol, a bad bot, a bad setting: rows with errors; all other runs are done."""
    broken = "class Broken(:\n"
    base = BASE.replace("{symbol: BB, file: bb.csv}", "{symbol: BB, file: gone.csv}")
    sweep = (
        "config: base.yaml\nsymbols: each\nbots: [TrendFollowing, {name: Broken, module: broken.py}]\n"
        "grid: {bot.ema_span: [10, 0], exit.atr_multiple: [1, 2]}\n"
    )
    file = world(tmp_path, sweep, base)
    (tmp_path / "broken.py").write_text(broken, encoding="utf-8")
    plan, library = plan_sweep(file)
    place = Workplace(plan, library)
    rows = [row for piece in plan.slices(3) for row in place.run(piece)]
    good = [row for row in rows if row["status"] == "completed"]
    assert [(row["symbols"], row["bot"], row["bot.ema_span"]) for row in good] == [("AA", "TrendFollowing", 10)] * 2
    for row in rows:
        if row["symbols"] == "BB":
            assert "gone.csv" in row["error"]
        elif row["bot"] == "Broken":
            assert "broken.py cannot be imported: SyntaxError" in row["error"]
        elif row["bot.ema_span"] == 0:
            assert "0 is not >= 2" in row["error"]
    assert len(rows) == len(plan) == 16


def test_a_bot_that_raises_fails_alone(tmp_path: Path) -> None:
    sweep = (
        "config: base.yaml\nsymbols: [AA]\nbots: [TrendFollowing, {name: Raising, module: own.py},"
        " {name: Late, module: own.py}, {name: Odd, module: own.py}]\n"
    )
    file = world(tmp_path, sweep)
    (tmp_path / "own.py").write_text(
        "from bots.base import BaseStrategyBot\n"
        "class Raising(BaseStrategyBot):\n"
        "    def sides(self, market):\n        raise ZeroDivisionError('no side')\n"
        "class Late(BaseStrategyBot):\n"
        "    def decide_side(self, env, symbol):\n        raise KeyError('late')\n"
        "class Odd(BaseStrategyBot):\n"
        "    def __init__(self, settings=None, exit=None):\n        raise RuntimeError('odd')\n",
        encoding="utf-8",
    )
    plan, library = plan_sweep(file)
    rows = Workplace(plan, library).run(Slice(0, 0, 4))
    assert [row["status"] for row in rows] == ["completed", "failed", "failed", "failed"]
    assert "Raising raised ZeroDivisionError before the first bar: no side" in rows[1]["error"]
    assert "Late raised KeyError at bar" in rows[2]["error"]
    assert "Odd raised RuntimeError" in rows[3]["error"]


def test_runs_that_would_learn_from_each_other_fail_and_leave_no_state(tmp_path: Path) -> None:
    """S14: a state folder would make a run depend on which runs went before it, on the same bars."""
    sweep = (
        "config: base.yaml\nsymbols: [AA]\nbots: [CoinFlip]\n"
        f"exits: [linucb, {{name: linucb, settings: {{state: {(tmp_path / 'state').as_posix()}}}}}]\n"
    )
    plan, library = planned(tmp_path, sweep)
    fresh, kept = Workplace(plan, library).run(Slice(0, 0, 2))
    assert (fresh["status"], kept["status"]) == ("completed", "failed")
    assert "exit.state: the runs of a sweep would go on from each other; leave it out" in kept["error"]
    assert not (tmp_path / "state").exists()
