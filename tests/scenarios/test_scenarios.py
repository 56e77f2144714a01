"""The worked scenarios on the engine, in both drives."""

from pathlib import Path

from tests.scenarios import kernel
from tests.scenarios.loader import assert_matches, load_scenarios


def test_every_scenario_passes_in_the_step_drive(shared_dir: Path) -> None:
    for scenario in load_scenarios(shared_dir / "scenarios"):
        assert_matches(scenario.expected, kernel.simulate(scenario.case, "step"))


def test_every_scenario_of_the_base_bot_passes_in_the_compiled_drive(shared_dir: Path) -> None:
    scenarios = [one for one in load_scenarios(shared_dir / "scenarios") if one.case.get("bot")]
    assert scenarios
    for scenario in scenarios:
        assert_matches(scenario.expected, kernel.simulate(scenario.case, "compiled"))
