"""Two trainers of one model: the second is refused, whichever network it trains."""

import argparse
from pathlib import Path

import pytest

from research.learning.training import train_each


def test_a_second_trainer_of_a_model_is_refused_and_another_name_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained: list[str] = []

    def given(name: str) -> argparse.Namespace:
        return argparse.Namespace(out=tmp_path / "models", name=name, per_symbol=False)

    def train(one: argparse.Namespace) -> bool:
        trained.append(one.name)
        if len(trained) == 1:
            assert train_each(given("ppo"), train) == 2
            assert train_each(given("other"), train) == 0
        return True

    assert train_each(given("ppo"), train) == 0
    assert trained == ["ppo", "other"]
    error = capsys.readouterr().err
    assert error.startswith(f"error: the model ppo in {tmp_path / 'models'} is in use by process ")
    assert error.endswith("give another --name or --out\n")
    assert list((tmp_path / "models").iterdir()) == []
    assert train_each(given("ppo"), train) == 0
