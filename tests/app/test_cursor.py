"""The cursor steps through bars and phases and never leaves the run (S4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.cursor import Cursor, CursorModel
from engine.kernel.schema import Phase


def test_phases_follow_each_other_and_lead_into_the_next_bar() -> None:
    """S4"""
    model = CursorModel(3)
    places = []
    while not model.at_end:
        model.step_phases(1)
        places.append((model.cursor.bar, model.cursor.phase))

    assert places == [(bar, phase) for bar in range(3) for phase in Phase]


@given(start=st.integers(0, 29), steps=st.integers(-40, 40))
def test_a_step_and_its_reverse_lead_back_unless_the_run_ends(start: int, steps: int) -> None:
    model = CursorModel(10)
    model.go(start // 3, Phase(start % 3))

    model.step_phases(steps)

    assert model.cursor.ordinal == min(max(start + steps, 0), 29)


def test_a_step_of_bars_keeps_the_phase() -> None:
    model = CursorModel(100)
    model.go(10, Phase.INTRABAR)

    model.step_bars(25)

    assert model.cursor == Cursor(35, Phase.INTRABAR)


def test_the_cursor_stays_within_what_is_there() -> None:
    model = CursorModel(5)

    model.go(99, Phase.OPEN)
    assert model.cursor == Cursor(4, Phase.CLOSE)
    model.go(-7)
    assert model.cursor == Cursor(0, Phase.OPEN)


def test_an_empty_run_shows_nothing() -> None:
    model = CursorModel()

    assert not model.step_phases(1)
    assert model.cursor == Cursor(-1, Phase.CLOSE)


def test_the_revision_grows_only_with_a_move() -> None:
    model = CursorModel(5)
    model.go(2)
    before = model.revision

    assert not model.go(2)
    assert model.revision == before


@pytest.mark.parametrize(("phase", "known"), [(Phase.OPEN, 7), (Phase.INTRABAR, 7), (Phase.CLOSE, 8)])
def test_a_closed_value_is_known_from_close_on(phase: Phase, known: int) -> None:
    """S7.5: indicators take in the bar at CLOSE."""
    assert Cursor(7, phase).known(Phase.CLOSE) == known
