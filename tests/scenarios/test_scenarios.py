"""The worked scenarios on the engine, in both drives."""

from collections.abc import Iterable
from pathlib import Path

from engine.run import Drive
from tests.scenarios import kernel
from tests.scenarios.loader import Scenario, differences, load_scenarios


def failed(scenarios: Iterable[Scenario], drive: Drive) -> dict[str, list[str]]:
    """Where scenarios come out otherwise than they say, by name."""
    found = {one.name: differences(one.expected, kernel.simulate(one.case, drive)) for one in scenarios}
    return {name: places for name, places in found.items() if places}


def test_every_scenario_passes_in_the_step_drive(shared_dir: Path) -> None:
    scenarios = load_scenarios(shared_dir / "scenarios")

    assert len(scenarios) >= 30
    assert failed(scenarios, "step") == {}


def test_every_scenario_of_the_base_bot_passes_in_the_compiled_drive(shared_dir: Path) -> None:
    scenarios = [one for one in load_scenarios(shared_dir / "scenarios") if one.case.get("bot")]

    assert scenarios
    assert failed(scenarios, "compiled") == {}
