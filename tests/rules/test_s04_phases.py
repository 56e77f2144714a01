"""The three phases of a bar and the prices at which positions are valued in them (S4)."""

import pytest

from engine.kernel.schema import Phase
from engine.views import BarEvent
from tests.properties import drives
from tests.rules.table import Bars, made


def equities(bars: Bars, *orders: str) -> list[tuple[int, str, float]]:
    """Equity at the marks in every phase of every bar."""
    run = drives.made(made(bars, orders, 1000.0, {}), "step")
    seen: list[tuple[int, str, float]] = []

    def note(event: BarEvent) -> None:
        seen.append((event.bar, Phase(event.phase).name, run.engine.get_portfolio().equity))

    for signal in (run.engine.bar_advanced, run.engine.bar_updated, run.engine.bar_closed):
        signal.connect(note)
    run.complete()
    return seen


@pytest.mark.rule("S4")
def test_positions_are_valued_at_the_open_until_the_close() -> None:
    """Bought at 100: at O 104 it is worth 40 more, through INTRABAR too, and at C 106 it is worth 60 more."""
    seen = equities([(100, 101, 99, 100), (104, 110, 90, 106)], "0 open: buy 1")

    assert seen[3:] == [(1, "OPEN", 1040.0), (1, "INTRABAR", 1040.0), (1, "CLOSE", 1060.0)]


@pytest.mark.rule("S4")
def test_a_symbol_without_a_bar_is_valued_at_its_last_close_in_every_phase() -> None:
    bars: Bars = {"A": [(100, 101, 99, 101), None], "B": [(50, 51, 49, 50), (50, 51, 49, 50)]}

    assert [equity for bar, _, equity in equities(bars, "0 open: buy 1") if bar == 1] == [1010.0] * 3
