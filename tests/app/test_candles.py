"""Candles are crisp, extremes survive, and the OPEN phase shows O alone."""

import numpy as np
import pytest

from app.charts.bars import Bar, BarStore
from app.charts.candles import CandleLayer, GapLayer
from app.charts.cursor import Cursor
from app.charts.volume import VolumeLayer
from app.theme import COLOUR_BLIND, DARK
from engine.kernel.schema import Phase
from tests.app.markets import cut, walk
from tests.app.painting import AXIS, HEIGHT, WIDTH, Look, coloured, paint, window_of

pytestmark = pytest.mark.usefixtures("look")
INK = (DARK.up, DARK.down, DARK.wick_up, DARK.wick_down, DARK.chart)


def plot(picture: np.ndarray, ratio: float = 1.0) -> np.ndarray:
    """The part of a picture between heading and axis."""
    return picture[round(44 * ratio) :, : round((WIDTH - AXIS) * ratio)]


def spike(store: BarStore, bar: int, height: float) -> BarStore:
    o, c = float(store.open[bar]), float(store.close[bar])
    store.amend(bar, Bar(o, max(o, c) + height, min(o, c) - height, c, 1.0))
    return store


@pytest.mark.parametrize("ratio", [1.0, 2.0, 1.5])
def test_candles_have_no_blurred_pixel(ratio: float) -> None:
    picture = plot(paint(walk(300), Cursor(250), [CandleLayer()], Look(ratio=ratio, heading=False)), ratio)

    known = np.logical_or.reduce([coloured(picture, ink) for ink in (*INK, DARK.grid)])

    assert known.all()


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_wick_stands_in_the_middle_of_its_body(ratio: float) -> None:
    store = spike(walk(300), 250, 60.0)
    window = window_of(store, Cursor(250), Look(ratio=ratio))
    left, body, thin = int(window.columns[0][-1]), window.body, window.thin

    assert (body - thin) % 2 == 0
    assert thin == ratio
    picture = paint(store, Cursor(250), [CandleLayer()], Look(ratio=ratio))
    column = left + (body - thin) // 2
    wick = coloured(picture, DARK.wick_up) | coloured(picture, DARK.wick_down)
    assert wick[:, column : column + thin].any(axis=0).all()
    assert not wick[:, left:column].any()
    assert not wick[:, column + thin : left + body].any()


@pytest.mark.parametrize("span", [60.0, 400.0, 900.0, 5000.0, 40_000.0])
def test_a_spike_of_one_bar_survives_at_any_zoom(span: float) -> None:
    store = spike(walk(50_000), 49_990, 2000.0)
    cursor = Cursor(49_999)

    picture = paint(store, cursor, [CandleLayer()], Look(span=span))
    frame_top, frame_bottom = 44, HEIGHT

    ink = np.logical_or.reduce([coloured(picture, c) for c in INK[:-1]])[frame_top:frame_bottom, : WIDTH - AXIS]
    window = window_of(store, cursor, Look(span=span))
    column = int(np.clip(window.centre(49_990), 0, WIDTH - AXIS - 1))
    near = ink[:, max(column - 2, 0) : column + 3].any(axis=1)
    # The spike is the highest and the lowest price in view: it spans all but the air above and below.
    assert near.sum() > 0.8 * (frame_bottom - frame_top)


def test_the_lines_of_a_spike_reach_exactly_its_prices() -> None:
    store = spike(walk(50_000), 49_000, 400.0)
    cursor = Cursor(49_999)
    look = Look(span=20_000.0)
    window = window_of(store, cursor, look)
    bucket = (49_000 - window.buckets.first) // window.buckets.size

    assert window.buckets.high[bucket] == store.high[49_000]
    assert window.buckets.low[bucket] == store.low[49_000]


def test_at_open_the_bar_is_its_opening_price_alone() -> None:
    """S5.2"""
    store = walk(300)
    cursor = Cursor(250, Phase.OPEN)

    picture = paint(store, cursor, [CandleLayer()])

    window = window_of(store, cursor, Look())
    left = int(window.columns[0][-1])
    slot = plot(picture)[:, left : left + window.body]
    amber = coloured(slot, DARK.amber)
    assert amber.any(axis=0).all()
    assert amber.any(axis=1).sum() == 2
    assert not any(coloured(slot, ink).any() for ink in INK[:4])


def test_a_synthetic_bar_is_marked_and_has_no_candle() -> None:
    """S3.2"""
    store = walk(300)
    store.amend(250, Bar(np.nan, np.nan, np.nan, float(store.close[249]), 0.0))
    window = window_of(store, Cursor(250), Look())

    picture = plot(paint(store, Cursor(250), [GapLayer(), CandleLayer()]))

    left = int(window.left_of(np.array([250]))[0])
    slot = picture[:, left + 1 : left + int(window.step) - 1]
    assert coloured(slot, DARK.faint).any()
    assert not any(coloured(slot, ink).any() for ink in INK[:4])


def test_where_colour_must_not_stand_alone_rising_candles_are_hollow() -> None:
    picture = plot(paint(walk(300), Cursor(250), [CandleLayer()], Look(span=30.0, theme=COLOUR_BLIND)))
    up, down = coloured(picture, COLOUR_BLIND.up), coloured(picture, COLOUR_BLIND.down)
    edge_up = up[:, 1:-1] & ~(up[:, :-2] & up[:, 2:])
    edge_down = down[:, 1:-1] & ~(down[:, :-2] & down[:, 2:])

    assert edge_up.sum() / up.sum() > 2 * edge_down.sum() / down.sum()


def test_the_volume_scale_comes_from_what_is_visible_up_to_the_cursor() -> None:
    store = walk(300)
    store.amend(251, Bar(*(float(store.close[250]),) * 4, 1e9))

    before = paint(store, Cursor(250), [VolumeLayer()])

    assert (before == paint(cut(store, 251), Cursor(250), [VolumeLayer()])).all()
    assert coloured(before, DARK.volume_up).any()
    after = coloured(paint(store, Cursor(251), [VolumeLayer()]), DARK.volume_up)
    assert after.sum() < coloured(before, DARK.volume_up).sum()


def test_volume_is_not_known_at_open() -> None:
    """S5.2"""
    store = walk(300)
    cursor = Cursor(250, Phase.OPEN)
    window = window_of(store, cursor, Look())
    left = int(window.columns[0][-1])

    slot = plot(paint(store, cursor, [VolumeLayer()]))[:, left : left + window.body]

    assert not coloured(slot, DARK.volume_up).any()
    assert not coloured(slot, DARK.volume_down).any()


def test_past_one_bar_a_pixel_the_columns_leave_no_gap() -> None:
    store = walk(50_000)
    window = window_of(store, Cursor(49_999), Look(span=20_000.0))
    lefts, widths = window.columns

    assert window.exponent > 0
    assert (lefts[1:] == lefts[:-1] + widths[:-1]).all()
    assert set(widths.tolist()) <= {1, 2}
