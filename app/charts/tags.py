"""Where labels go that must not overlap: each as near to its place as the others allow."""

from collections.abc import Sequence


def spread(centres: Sequence[float], size: float, low: float, high: float) -> list[float]:
    """Places for labels of one size, in the order given, at least ``size`` apart, between ``low`` and ``high``.

    Neighbours that collide move apart evenly (least squares). Where there is no room for all, they are packed
    from ``low`` on and the last ones lie beyond ``high``; whoever draws leaves those away.

    >>> spread([10.0, 12.0, 50.0], 8.0, 0.0, 100.0)
    [7.0, 15.0, 50.0]
    """
    order = sorted(range(len(centres)), key=lambda number: centres[number])
    groups: list[tuple[float, int]] = []  # (sum of centres, each less its distance from the group's first; count)
    for number in order:
        total, count = centres[number], 1
        while groups and groups[-1][0] / groups[-1][1] + groups[-1][1] * size > total / count:
            before, members = groups.pop()
            total, count = before + total - count * members * size, members + count
        groups.append((total, count))
    return _placed(groups, order, size, low + size / 2, high - size / 2)


def _placed(groups: list[tuple[float, int]], order: list[int], size: float, low: float, high: float) -> list[float]:
    places = [total / count + step * size for total, count in groups for step in range(count)]
    ceiling = high
    for number in range(len(places) - 1, -1, -1):
        places[number] = min(places[number], ceiling)
        ceiling = places[number] - size
    floor = low
    for number in range(len(places)):
        places[number] = max(places[number], floor)
        floor = places[number] + size
    result = [0.0] * len(order)
    for place, number in zip(places, order, strict=True):
        result[number] = place
    return result
