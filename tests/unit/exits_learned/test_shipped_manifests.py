"""The shipped models say which bars they have learned from: those of the shipped sample, as the loader names them."""

import json
from pathlib import Path

import pytest

from engine.config import load_config
from engine.preparing import prepare


@pytest.mark.parametrize("name", ["ppo", "lstm"])
def test_a_shipped_model_names_the_bars_of_the_sample(repo_root: Path, name: str) -> None:
    """A loader that names bars anew leaves the manifests behind, and nobody could find out what they were made of."""
    told = json.loads((repo_root / f"models/{name}.json").read_text(encoding="utf-8"))["data"]["digests"]

    market = prepare(load_config(repo_root / "configs/learning.yaml")).market

    assert told == {one.symbol: one.digest for one in market.series}
