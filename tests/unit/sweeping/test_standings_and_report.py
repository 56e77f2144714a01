"""What is read out of a sweep's rows: rank, neighbours, what held out of sample; and the page that shows it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from research.sweeping.plan import Plan
from research.sweeping.report import render, verdict
from research.sweeping.rows import BLOCKS, FIGURES, Row, failed_row, table
from research.sweeping.standings import Standings
from research.sweeping.tables import summary, write_ranking
from tests.sweep.worlds import planned

SWEEP = """\
config: base.yaml
symbols: [AA]
grid: {bot.ema_span: [10, 20, 30, 40, 50], exit.atr_multiple: [1, 2, 3, 4, 5]}
folds: {kind: rolling, in_sample: 4d, out_of_sample: 2d}
objective: {figure: net_profit, minimum_trades: 5}
"""


def row_of(plan: Plan, index: int, profit: float | None, trades: int = 10, **more: Any) -> Row:
    row = failed_row(plan, index, "")
    row |= {"status": "completed", "error": None, "bars": 100, "days": 2 * BLOCKS, "trades": trades}
    row |= {name: 0 for name, _ in FIGURES if row[name] is None}
    rng = np.random.default_rng(index)
    returns = rng.normal(0.0, 0.01, (BLOCKS, 2))
    row |= {"block_days": [2] * BLOCKS, "block_sum": returns.sum(axis=1).tolist()}
    row |= {"block_squares": (returns**2).sum(axis=1).tolist(), "skewness": 0.0, "kurtosis": 3.0, "digest": "x"}
    return row | {"net_profit": profit, "trades": trades} | more


def standings(plan: Plan, profit: Callable[[int, int], float | None], **more: Any) -> Standings:
    """Rows whose profit is a function of cell and point."""
    rows = []
    for index in range(len(plan)):
        cell, point = divmod(index, len(plan.points))
        rows.append(row_of(plan, index, profit(cell, point), **more))
    return Standings(plan, table(plan, rows))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(tmp_path_factory.mktemp("standings"), SWEEP)[0]


def hill(cell: int, point: int) -> float:
    """Highest at the fourth span and the third multiple, falling off evenly."""
    span, multiple = divmod(point, 5)
    return 1000.0 - 100 * abs(span - 3) - 100 * abs(multiple - 2) - cell


def test_settings_are_ranked_by_their_mean_in_sample(plan: Plan) -> None:
    found = standings(plan, hill)
    assert found.best == 3 * 5 + 2
    inside = [number for number, cell in enumerate(plan.cells) if cell.span.part == "in"]
    assert found.scored[17] == pytest.approx(1000 - np.mean(inside))
    assert found.scored[found.order].tolist() == sorted(found.scored, reverse=True)
    assert found.best_cell == inside[0]


def test_out_of_sample_results_do_not_decide_the_rank(plan: Plan) -> None:
    outside = standings(
        plan, lambda cell, point: hill(0, point) if plan.cells[cell].span.part == "in" else -float(point)
    )
    assert outside.best == 17
    assert outside.later[17] == -17.0


def test_where_less_is_better_the_lowest_wins(plan: Plan) -> None:
    from dataclasses import replace

    other = replace(plan, objective=plan.objective.model_copy(update={"goal": "min"}))
    assert standings(other, hill).best in (0, 4)


def test_runs_with_too_few_trades_or_no_value_do_not_count(plan: Plan) -> None:
    def cutoff(cell: int, point: int) -> float | None:
        return None if point == 17 and cell == 0 else hill(cell, point)

    found = standings(plan, cutoff)
    assert found.missing[17] == 1
    assert found.best != 17
    assert found.order[-1] == 17
    assert standings(plan, hill, trades=4).best is None


def test_a_plateau_and_a_peak_are_told_apart(plan: Plan) -> None:
    rng = np.random.default_rng(0)
    noise = rng.permutation(25).astype(float)
    flat = standings(plan, hill).plateau()
    peak = standings(plan, lambda cell, point: 999.0 if point == 12 else noise[point]).plateau()
    assert flat is not None
    assert peak is not None
    assert flat.neighbours == peak.neighbours == 4
    assert flat.percentile is not None
    assert peak.percentile is not None
    assert flat.percentile > 0.85
    assert peak.percentile < 0.7


def test_a_setting_at_the_edge_has_fewer_neighbours(plan: Plan) -> None:
    found = standings(plan, lambda cell, point: 9.0 - point).plateau()
    assert found is not None
    assert found.neighbours == 2
    assert found.mean == pytest.approx(9 - (1 + 5) / 2)


def test_walk_forward_takes_the_choice_of_each_fold_to_what_follows(plan: Plan) -> None:
    found = standings(plan, lambda cell, point: float(point == cell) if plan.cells[cell].span.part == "in" else point)
    rows = found.walk_forward()
    assert [chosen for _, chosen, _, _ in rows] == [n for n, cell in enumerate(plan.cells) if cell.span.part == "in"]
    assert all(there == chosen for _, chosen, there, _ in rows)
    assert all(middle == 12.0 for *_, middle in rows)


def test_noise_is_called_overfitted(plan: Plan) -> None:
    found = standings(plan, hill)
    luck = list(found.luck())
    assert len(luck) == int(found.inside.sum())
    assert verdict(luck)[0] == "overfitted"


def test_a_real_edge_holds_up(plan: Plan) -> None:
    rows = []
    for index in range(len(plan)):
        row = row_of(plan, index, 1.0)
        if index % 25 == 17:
            days = np.array([0.02, 0.018])
            row |= {"block_sum": [float(days.sum())] * BLOCKS, "block_squares": [float((days**2).sum())] * BLOCKS}
        rows.append(row)
    assert verdict(list(Standings(plan, table(plan, rows)).luck()))[0] == "holds up"


def test_without_trades_nothing_is_judged(plan: Plan) -> None:
    assert verdict(list(standings(plan, hill, trades=0).luck()))[0] == "not judged"


def test_the_page_holds_everything_and_needs_nothing_else(plan: Plan) -> None:
    rows = [row_of(plan, index, hill(*divmod(index, 25))) for index in range(len(plan) - 1)]
    rows.append(failed_row(plan, len(plan) - 1, "a <bad> bar"))
    found = Standings(plan, table(plan, rows))
    page = render(found)
    assert page == render(Standings(plan, table(plan, rows)))
    assert not re.search(r'(src|href)="|url\(|https?://', page)
    assert "a &lt;bad&gt; bar" in page
    for word in (
        "Is it luck?",
        "Heat map",
        "In sample against out of sample",
        "Walk forward",
        "Failed runs",
        "2014",
        "2017",
    ):
        assert word in page
    match = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    data = json.loads(match[1])
    assert data["keys"] == ["bot.ema_span", "exit.atr_multiple"]
    assert data["values"][0][17] == 40
    assert data["scores"]["in sample"][17] == pytest.approx(float(found.scored[17]))


def test_a_sweep_without_any_result_still_has_a_page(plan: Plan, tmp_path: Path) -> None:
    rows = [failed_row(plan, index, "no") for index in range(len(plan))]
    found = Standings(plan, table(plan, rows))
    assert "No run has a value to rank by" in render(found)
    assert "no run has a value to rank by" in summary(found, tmp_path)


def test_the_ranking_is_a_file_with_full_figures(plan: Plan, tmp_path: Path) -> None:
    found = standings(plan, hill)
    lines = write_ranking(found, tmp_path).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("rank,bot,exit,bot.ema_span,exit.atr_multiple,net_profit_mean")
    assert len(lines) == 26
    assert lines[1].startswith("1,TrendFollowing,TrailingATR,40,3,")
    assert float(lines[1].split(",")[5]) == found.scored[17]
    assert "Setting" in summary(found, tmp_path)
