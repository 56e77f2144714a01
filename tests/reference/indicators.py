"""The three indicators that the base bot needs, written plainly (S10.1): true range, Wilder's ATR, EMA.

Each takes the real bars of one symbol as price rows and gives one value per row, ``None`` until warm.
"""

from itertools import pairwise


def average_true_range(rows: list[list[float]], period: int) -> list[float | None]:
    """Wilder's ATR: the first true range belongs to row 1, the first value, a plain mean, to row ``period``."""
    ranges = [max(row[1], before[3]) - min(row[2], before[3]) for before, row in pairwise(rows)]
    values: list[float | None] = [None] * min(period, len(rows))
    if len(ranges) < period:
        return values
    value = sum(ranges[:period]) / period
    values.append(value)
    for true_range in ranges[period:]:
        value = (value * (period - 1) + true_range) / period
        values.append(value)
    return values


def exponential_average(closes: list[float], span: int) -> list[float | None]:
    """EMA whose first value, at row ``span - 1``, is the mean of the first ``span`` closes."""
    values: list[float | None] = [None] * min(span - 1, len(closes))
    if len(closes) < span:
        return values
    value = sum(closes[:span]) / span
    values.append(value)
    for close in closes[span:]:
        value += (close - value) * (2.0 / (span + 1))
        values.append(value)
    return values
