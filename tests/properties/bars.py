"""What the markets of random cases look like: coarse, jumpy, with holes, with and without finer bars."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Row = list[float]


@dataclass(frozen=True)
class Market:
    """Rows per symbol and master bar (``None``: no real bar) and, per symbol and bar index, finer bars."""

    rows: dict[str, list[Row | None]]
    fine: dict[str, dict[str, list[Row]]]
    length: int

    def reference(self, symbol: str, bar: int, *, at_open: bool = True) -> float:
        """O (or C) of the bar, or of the nearest real one before or after it."""
        rows = self.rows[symbol]
        row = rows[bar]
        if row is not None:
            return row[0] if at_open else row[3]
        earlier = [row for row in rows[:bar] if row is not None]
        return earlier[-1][3] if earlier else next(row for row in rows if row is not None)[0]

    def soon(self, symbol: str, bar: int) -> list[float]:
        """Prices of this bar and the next two, from which levels are taken; extremes count twice."""
        rows = [row for row in self.rows[symbol][bar : bar + 3] if row is not None]
        prices = [price for row in rows for price in (*row, row[1], row[2])]
        return prices or [self.reference(symbol, bar)]


def random_market(rng: np.random.Generator, tick_sizes: dict[str, float], length: int) -> Market:
    """Bars for every symbol; every master bar is real for at least one of them."""
    counts = {name: _ticks(rng, length) for name in tick_sizes}
    holes = {name: rng.random(length) < (0.2 if len(tick_sizes) > 1 else 0.0) for name in tick_sizes}
    for bar in range(length):
        if all(hole[bar] for hole in holes.values()):
            holes[str(rng.choice(list(tick_sizes)))][bar] = False
    for hole in holes.values():
        if hole.all():
            hole[-1] = False
    rows: dict[str, list[Row | None]] = {}
    fine: dict[str, dict[str, list[Row]]] = {}
    for name, tick in tick_sizes.items():
        rows[name] = [None if holes[name][bar] else _priced(row, tick) for bar, row in enumerate(counts[name])]
        with_fine = [bar for bar in range(length) if not holes[name][bar] and rng.random() < 0.6]
        fine[name] = {str(bar): [_priced(row, tick) for row in _finer(rng, counts[name][bar])] for bar in with_fine}
    return Market(rows, fine, length)


def _priced(row: Row, tick: float) -> Row:
    return [float(count * tick) for count in row]


def _ticks(rng: np.random.Generator, length: int) -> list[Row]:
    """A walk in ticks: small steps, gaps at the open now and then, sometimes off the grid, sometimes near zero."""
    close = float(rng.choice([0, 12, 100, 400, 20000]))
    off_grid = rng.random() < 0.15
    size = int(rng.choice([2, 4, 12]))
    rows = []
    for _ in range(length):
        gap = rng.integers(-3 * size, 3 * size + 1) if rng.random() < 0.2 else rng.integers(-1, 2)
        opening = close + float(gap)
        close = opening + float(rng.integers(-size, size + 1))
        high = max(opening, close) + float(rng.integers(0, size))
        low = min(opening, close) - float(rng.integers(0, size))
        row = [opening, high, low, close]
        rows.append(_nudged(rng, row) if off_grid and rng.random() < 0.5 else row)
    return rows


def _nudged(rng: np.random.Generator, row: Row) -> Row:
    """Put a bar off the grid, still legal."""
    opening, close = (row[0] + _off(rng), row[3] + _off(rng))
    return [opening, max(opening, close, row[1] + _off(rng)), min(opening, close, row[2] + _off(rng)), close]


def _off(rng: np.random.Generator) -> float:
    return float(rng.choice([0.0, 0.375, -0.25, 0.5]))


def _finer(rng: np.random.Generator, row: Row) -> list[Row]:
    """One to four finer bars that begin at O, reach H, L and C, with jumps between them; sometimes a wrong one."""
    opening, high, low, close = row
    visits = [high, low] if rng.random() < 0.5 else [low, high]
    inner = [float(x) for x in rng.uniform(low, high, int(rng.integers(0, 5))).round() if low <= x <= high]
    middle = visits + inner
    if rng.random() < 0.3:
        rng.shuffle(middle)
    points = [opening, *middle, close]
    cuts = sorted({int(x) for x in rng.integers(1, len(points), int(rng.integers(0, 4)))})
    pieces = [points[a:b] for a, b in zip([0, *cuts], [*cuts, len(points)], strict=True)]
    bars = [[piece[0], max(piece), min(piece), piece[-1]] for piece in pieces]
    if rng.random() < 0.08:
        _spoil(rng, bars)
    return bars


def _spoil(rng: np.random.Generator, bars: list[Row]) -> None:
    """Make finer bars contradict their bar, so that they must count as none."""
    last: Any = bars[-1]
    if rng.random() < 0.5:
        last[1] += 1.0
    else:
        last[3] = (last[2] + last[3]) / 2 if last[3] != last[2] else last[3] + 1.0
        last[1] = max(last[1], last[3])
