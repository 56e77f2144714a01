"""The laws hold on the reference simulator, and each of them finds a simulation that breaks it."""

from itertools import count
from typing import Any

import pytest

from tests.properties import laws
from tests.properties.cases import case_of
from tests.properties.comparison import Simulate
from tests.reference import simulate
from tests.reference.model import Case

SEEDS = range(60)
Result = dict[str, Any]


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_law_holds_on_the_reference(law: Any) -> None:
    broken = {seed: found for seed in SEEDS if (found := law(simulate, case_of(seed)))}

    assert not broken


def test_a_factor_that_is_no_power_of_two_changes_no_money_either() -> None:
    cases = [case for seed in SEEDS if "bot" not in (case := case_of(seed))]

    broken = [found for case in cases if (found := laws.scaling_price_and_tick_changes_no_money(simulate, case, 10.0))]

    assert not broken


def with_equity(bonus: Any) -> Simulate:
    """A simulation whose first equity row is wrong by what the bonus makes of the case and its result."""

    def wrong(case: Case) -> Result:
        result = simulate(case)
        result["equity_after_bar"][0] += bonus(case, result)
        return result

    return wrong


def seeing_the_close(case: Case) -> Result:
    """A simulation whose fills at OPEN know the close of their bar."""
    result = simulate(case)
    for fill in result["fills"]:
        fill["price"] += case["bars"][fill["symbol"]][fill["bar"]][3] if fill["phase"] == "OPEN" else 0
    return result


def last_close(case: Case, _: Result) -> float:
    return float(sum(rows[-1][3] for rows in case["bars"].values() if rows[-1] is not None))


def buys(_: Case, result: Result) -> float:
    return sum(0.5 for fill in result["fills"] if fill["side"] == "buy")


TICKS = count()
BREAKERS: dict[str, Simulate] = {
    "money_is_conserved": with_equity(lambda case, result: 0.01),
    "long_and_short_are_mirror_images": with_equity(buys),
    "scaling_price_and_tick_changes_no_money": with_equity(
        lambda case, result: case["bars"]["A"][-1] and 1e-3 * last_close(case, result)
    ),
    "splitting_an_order_changes_nothing": with_equity(lambda case, result: 10.0 * len(result["fills"])),
    "a_later_bar_changes_nothing_earlier": with_equity(last_close),
    "an_open_knows_nothing_of_its_bar": seeing_the_close,
    "a_symbol_that_nobody_trades_changes_nothing": with_equity(lambda case, result: len(case["spec"])),
    "the_same_case_gives_the_same_result": with_equity(lambda case, result: 1e-9 + next(TICKS)),
}


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_law_finds_a_simulation_that_breaks_it(law: Any) -> None:
    assert any(law(BREAKERS[law.__name__], case_of(seed)) for seed in SEEDS)
