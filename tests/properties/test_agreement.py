"""The engine and the independent simulator agree on random cases, in both drives, and the engine obeys the laws."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.run import Drive
from tests.properties import drives, laws
from tests.properties.cases import case_of
from tests.properties.comparison import NOT_COMPARED, comparable, disagreement
from tests.reference import simulate as reference
from tests.reference.model import Case

DRIVES = ("step", "compiled")


def first_disagreement(seeds: Iterable[int], drive: Drive) -> str:
    """The smallest case, of the first seed on which engine and reference differ; empty: they agree on all."""
    told = (
        disagreement(
            case_of(seed),
            lambda case: comparable(reference(case)),
            lambda case: comparable(drives.simulate(case, drive)),
            NOT_COMPARED,
        )
        for seed in seeds
    )
    return next(filter(None, told), "")


@pytest.mark.parametrize("drive", DRIVES)
def test_the_engine_agrees_with_the_independent_simulator(drive: Drive) -> None:
    """Fills, orders, trades, gates, margin calls and every row of every bar."""
    differing = first_disagreement(range(600), drive)

    assert not differing, differing


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("block", range(1, 11))
def test_the_engine_agrees_on_twenty_thousand_cases(block: int, drive: Drive) -> None:
    differing = first_disagreement(range(10_000 * block, 10_000 * block + 2_000), drive)

    assert not differing, differing


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_law_holds_on_the_engine(law: Any) -> None:
    """S8.6, S8.7, S14, S15 and the symmetries between long and short, one order and two."""

    def simulate(case: Case) -> dict[str, Any]:
        return drives.simulate(case, "step")

    broken = {seed: found for seed in range(80) if (found := law(simulate, case_of(seed)))}

    assert not broken


@given(seed=st.integers(0, 2**32 - 1))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_hypothesis_finds_no_case_that_breaks_a_law(seed: int) -> None:
    """The seed is all that varies; ``shrinking`` makes a failing case small, which Hypothesis cannot."""
    case = case_of(seed)

    broken = {law.__name__: law(lambda one: drives.simulate(one, "step"), case) for law in laws.LAWS}

    assert {name: found for name, found in broken.items() if found} == {}
