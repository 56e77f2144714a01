"""The reference simulator reproduces every worked scenario."""

from pathlib import Path
from typing import Any

from tests.reference import simulate
from tests.scenarios.loader import differences, load_scenarios


def test_every_worked_scenario_holds_on_the_reference(shared_dir: Path) -> None:
    scenarios = load_scenarios(shared_dir / "scenarios")

    failed = {s.name: found for s in scenarios if (found := differences(s.expected, simulate(s.case)))}

    assert len({s.name for s in scenarios}) == len(scenarios) >= 30
    assert not failed


def test_a_wrong_cent_a_wrong_tick_and_a_missing_fill_are_seen() -> None:
    actual = {"cash_after_bar": [1000.0], "fills": [{"price": 5000.25, "qty": 1.0}], "status": "completed"}

    assert not differences({"cash_after_bar": [1000], "fills": [{"price": 5000.25}]}, actual)
    wrongs: list[dict[str, Any]] = [
        {"cash_after_bar": [1000.01]},
        {"fills": [{"price": 5000.5}]},
        {"fills": []},
        {"status": "bankrupt"},
        {"orders": []},
    ]
    for wrong in wrongs:
        assert differences(wrong, actual)


def test_a_position_that_is_not_expected_is_a_difference() -> None:
    held = {"position_after_bar": [{"ES": {"qty": 1.0, "avg": 5000.0, "sl": None, "tp": None}}]}

    assert differences({"position_after_bar": [{}]}, held)
    assert differences({"position_after_bar": [{"ES": {"sl": 4990}}]}, held)
    assert not differences({"position_after_bar": [{"ES": {"qty": 1, "sl": None}}]}, held)
