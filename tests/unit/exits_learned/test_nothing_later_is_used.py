"""Learned exits against a replaced future: what was decided before it does not change (S15)."""

from pathlib import Path

import pytest

from bots.catalog import make_bot
from engine.config import load_config
from engine.lookahead import check_lookahead

CONFIG = """
seed: 3
initial_cash: 10000000
defaults: {{slippage_ticks: 1, timestamp: open}}
assets:
  - {{symbol: ES_SYN, file: {sample}/ES_SYN.parquet, contract: ES}}
bot: {{name: CoinFlip, settings: {{risk_pct: 0.001}}}}
exit: {{name: {exit}, settings: {settings}}}
end: 2024-09-05
"""


@pytest.mark.rule("S15")
@pytest.mark.parametrize(
    ("exit", "settings"),
    [("ppo", "{}"), ("lstm", "{}"), ("linucb", "{}"), ("linucb", "{feedback: bandit}"), ("hybrid", "{prior: lstm}")],
)
def test_a_learned_exit_does_not_look_ahead(exit: str, settings: str, tmp_path: Path, repo_root: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(CONFIG.format(sample=repo_root / "data/sample", exit=exit, settings=settings))
    config = load_config(file)

    report = check_lookahead(config, lambda: make_bot(config.bot, config.exit), cuts=6)

    assert report.cuts == 6
    assert report.events > 500
