"""Random cases are legal, repeatable and go everywhere; the shrinker keeps what fails and little else."""

import json
from collections import Counter
from typing import Any

from tests.properties.cases import case_of
from tests.properties.comparison import disagreement
from tests.properties.shrinking import is_legal, shrink
from tests.reference import simulate
from tests.reference.model import Case

REASONS = {"market", "limit", "stop", "stop_limit", "stop_loss", "take_profit", "flatten", "liquidation", "finish"}
REJECTS = {
    "unknown_symbol", "quantity", "price_missing", "stop_loss_side", "take_profit_side", "margin", "bankrupt", "flat",
    "ioc_unfilled", "by_bot", "by_hand", "liquidated", "flattened", "day_ended",
}  # fmt: skip
GATES = {
    "synthetic", "holding", "session", "atr", "daily_loss", "max_positions", "no_signal", "levels", "size_risk",
    "size_margin", "refused", "entered",
}  # fmt: skip


def test_a_seed_names_one_case_that_json_keeps() -> None:
    for seed in range(40):
        assert json.loads(json.dumps(case_of(seed))) == case_of(seed)
        assert is_legal(case_of(seed))


def test_bars_of_random_cases_are_legal() -> None:
    rows = [row for seed in range(200) for rows in case_of(seed)["bars"].values() for row in rows if row is not None]

    assert all(low <= min(opening, close) and max(opening, close) <= high for opening, high, low, close in rows)


def test_random_cases_reach_every_reason_reject_status_and_gate() -> None:
    seen: Counter[str] = Counter()
    for seed in range(800):
        result = simulate(case_of(seed))
        seen.update(fill["reason"] for fill in result["fills"])
        seen.update(order["reject"] for order in result["orders"])
        seen.update(gate for gates in result.get("gates", {}).values() for gate in gates)
        seen.update([result["status"], *(trade["ambiguous"] for trade in result["trades"])])

    assert REASONS | REJECTS | GATES | {"completed", "bankrupt", True, False} <= seen.keys()


def has_stop_loss(case: Case) -> bool:
    return any(fill["reason"] == "stop_loss" for fill in simulate(case)["fills"])


def test_the_shrinker_keeps_what_fails_and_drops_the_rest() -> None:
    seeds = [seed for seed in range(60) if "bot" not in case_of(seed) and has_stop_loss(case_of(seed))][:6]

    assert len(seeds) == 6
    for seed in seeds:
        small = shrink(case_of(seed), has_stop_loss)

        assert has_stop_loss(small)
        assert len(small["actions"]) <= 3
        assert len(small["spec"]) == 1
        assert max(len(rows) for rows in small["bars"].values()) <= 3


def test_two_simulations_that_differ_are_told_apart_by_a_small_case() -> None:
    def without_commission(case: Case) -> dict[str, Any]:
        free = {symbol: {**spec, "commission_per_contract": 0} for symbol, spec in case["spec"].items()}
        return simulate({**case, "spec": free})

    assert disagreement(case_of(3), simulate, simulate) == ""
    costly = next(seed for seed in range(50) if any(f["commission"] for f in simulate(case_of(seed))["fills"]))
    assert "commission" in disagreement(case_of(costly), simulate, without_commission)
