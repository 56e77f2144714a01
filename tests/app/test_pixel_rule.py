"""The pixel rule: with the cursor at i, every item draws the same as if the run had ended there.

What is not known at the cursor is not only cut off but, where it must be there, replaced by something else: at OPEN
the bar's H, L, C and V do not exist (S5.2), at OPEN and INTRABAR its indicators do not (S7.5).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from app.charts.bars import Bar, BarStore
from app.charts.candles import CandleLayer, GapLayer
from app.charts.canvas import Canvas
from app.charts.cursor import PHASES, Cursor
from app.charts.frame import Frame, Layer
from app.charts.line_pyramid import LinePyramid
from app.charts.lines import AreaLayer, Line, LineLayer, RuleLayer
from app.charts.marks import TradeMarks
from app.charts.sessions import Hours, SessionLayer
from app.charts.timeframe import Timeframe
from app.charts.trades import PathLayer, TradeLayer
from app.charts.volume import VolumeLayer
from engine.kernel.schema import Phase
from tests.app.markets import MINUTE, cut, marks_on, walk
from tests.app.painting import Look, paint

COUNT = 3000


@dataclass(frozen=True)
class World:
    """Everything an item may draw from."""

    store: BarStore
    values: np.ndarray
    marks: TradeMarks
    sessions: tuple[np.ndarray, np.ndarray]

    @property
    def hours(self) -> Hours:
        return Hours(*self.sessions)


def whole_world() -> World:
    store = walk(COUNT, gaps=0.1)
    day = np.arange(COUNT, dtype=np.int64) // 60
    return World(store, store.close + 3.0, marks_on(store), (day, np.arange(COUNT) % 60 < 40))


def ended_world(world: World, cursor: Cursor) -> World:
    """The same as it would be had it ended at the cursor; the cursor's bar holds other H, L, C, V where unknown."""
    count = cursor.bar + 1
    store = cut(world.store, count)
    if cursor.phase == Phase.OPEN and not store.bar(cursor.bar).synthetic:
        o = float(store.open[cursor.bar])
        store.amend(cursor.bar, Bar(o, o + 500.0, o - 500.0, o + 400.0, 1e6))
    values = world.values[:count].copy()
    values[cursor.known(Phase.CLOSE) :] = 1e6
    day, regular = world.sessions
    return World(store, values, _ended_marks(world.marks, cursor), (day[:count], regular[:count]))


def _ended_marks(marks: TradeMarks, cursor: Cursor) -> TradeMarks:
    begun = marks.entry_bar * PHASES + marks.entry_phase <= cursor.ordinal
    open_now = (marks.exit_bar * PHASES + marks.exit_phase > cursor.ordinal)[begun]
    return TradeMarks(
        entry_bar=marks.entry_bar[begun],
        entry_phase=marks.entry_phase[begun],
        entry_price=marks.entry_price[begun],
        exit_bar=np.where(open_now, -1, marks.exit_bar[begun]),
        exit_phase=marks.exit_phase[begun],
        exit_price=np.where(open_now, np.nan, marks.exit_price[begun]),
        side=marks.side[begun],
        net=np.where(open_now, np.nan, marks.net[begun]),
    )


def with_path(world: World) -> PathLayer:
    layer = PathLayer()
    o = float(walk(COUNT).close[1500])
    layer.path = (o, o - 1.5, o + 2.0, o + 0.25)
    return layer


def line(world: World) -> Line:
    return Line("EMA", LinePyramid(world.values))


Make = Callable[[World], Sequence[Layer]]
ITEMS: dict[str, Make] = {
    "candles": lambda world: [CandleLayer()],
    "gaps": lambda world: [GapLayer(), CandleLayer()],
    "volume under the candles": lambda world: [VolumeLayer(), CandleLayer()],
    "volume of its own": lambda world: [VolumeLayer(share=1.0)],
    "line": lambda world: [LineLayer(line(world), "amber")],
    "line over candles": lambda world: [CandleLayer(), LineLayer(line(world), "amber", stretch=False)],
    "area": lambda world: [AreaLayer(line(world), "accent")],
    "area on a base": lambda world: [AreaLayer(line(world), "down", base=4400.0)],
    "rules": lambda world: [CandleLayer(), RuleLayer(tuple(np.arange(4000.0, 4800.0, 5.0).tolist()))],
    "sessions": lambda world: [SessionLayer(world.hours), CandleLayer()],
    "trades": lambda world: [CandleLayer(), TradeLayer(world.marks)],
    "path": lambda world: [CandleLayer(), with_path(world)],
}
LOOKS = {
    "a bar on ten pixels": Look(span=60.0),
    "a bar on three pixels, log": Look(span=190.0, log=True),
    "buckets of four": Look(span=2000.0),
    "buckets of eight": Look(span=3500.0),
    "twice the pixels": Look(span=150.0, ratio=2.0),
    "five minutes": Look(span=400.0, timeframe=Timeframe("5m", 5 * MINUTE)),
    "five minutes, far out": Look(span=9000.0, timeframe=Timeframe("5m", 5 * MINUTE)),
}
# The first bar, one within a bucket of every size, one that completes buckets up to 2,048.
CURSORS = [
    *(Cursor(bar, Phase.OPEN) for bar in (0, 1022, 2047)),
    Cursor(1022, Phase.INTRABAR),
    *(Cursor(bar, Phase.CLOSE) for bar in (0, 2047)),
]


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("view", LOOKS.values(), ids=LOOKS.keys())
@pytest.mark.parametrize("make", ITEMS.values(), ids=ITEMS.keys())
def test_an_item_draws_the_same_as_if_the_run_had_ended_at_the_cursor(view: Look, make: Make) -> None:
    world = whole_world()
    for cursor in CURSORS:
        ended = ended_world(world, cursor)

        seen = paint(world.store, cursor, make(world), view)
        there = paint(ended.store, cursor, make(ended), view)

        np.testing.assert_array_equal(seen, there, err_msg=f"{cursor}")


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("make", ITEMS.values(), ids=ITEMS.keys())
def test_every_item_draws_something(make: Make) -> None:
    """Else the pixel rule would hold for an item that draws nothing."""
    world = whole_world()
    cursor = Cursor(1501, Phase.INTRABAR)
    layers = list(make(world))
    view = Look(span=60.0)

    with_it = paint(world.store, cursor, layers, view)
    others = [layer for layer in layers if isinstance(layer, CandleLayer) and len(layers) > 1]
    without = paint(world.store, cursor, others, view)

    assert (with_it != without).any()


class _Leak(Layer):
    """An item that breaks the rule: it looks at a bar later than the cursor's."""

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        last = len(frame.window.view.store)
        canvas.rect(frame.theme.amber, 10 + last % 100, frame.top, 3, 3)


@pytest.mark.usefixtures("look")
def test_the_rule_finds_an_item_that_looks_ahead() -> None:
    world = whole_world()
    cursor = Cursor(1501, Phase.CLOSE)

    seen = paint(world.store, cursor, [_Leak()])
    there = paint(ended_world(world, cursor).store, cursor, [_Leak()])

    assert (seen != there).any()
