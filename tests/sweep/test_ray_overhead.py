"""What Ray takes beside the work: CPU time of driver and worker per slice, against the same slice in this process."""

import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from research.sweeping.plan import Slice
from research.sweeping.planning import plan_sweep
from research.sweeping.rows import Row
from research.sweeping.stage import Workplace
from tests.sweep.worlds import HUNDRED, world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (requirements-ray.txt)"),
    pytest.mark.timeout(400),
]

BARS, SLICES, WARM, MOST = 102_041, 24, 4, 0.05  # one bar in fifty is missing


def test_ray_adds_little_to_a_slice_of_a_hundred_runs(tmp_path: Path) -> None:
    """The same slice again and again; of each process the cheapest one counts, so that other load hardly does."""
    from research.sweeping.cluster import LOCAL, Ray, RayWorker

    class Clocked(RayWorker):
        """Writes its CPU time at the begin and at the end of a slice beside the first row."""

        def run(self, kit: list[Any], piece: Slice) -> list[Row]:
            begun = time.process_time()
            rows = super().run(kit, piece)
            rows[0]["clock"] = (id(self), begun, time.process_time())
            return rows

    plan, library = plan_sweep(world(tmp_path, HUNDRED, bars=BARS))
    piece = Slice(0, 0, 100)
    place = Workplace(plan, library)
    alone = min(_taken(place, piece) for _ in range(6))

    way = Ray(plan, library, LOCAL)
    way.worker = Clocked
    clocks: dict[int, list[tuple[float, float]]] = {}
    driver = 0.0
    for number, rows in enumerate(way.rows([piece] * SLICES), 1):
        who, *times = rows[0]["clock"]
        clocks.setdefault(who, []).append((times[0], times[1]))
        if number == WARM:
            driver = time.process_time()
        if number == SLICES:
            driver = (time.process_time() - driver) / (SLICES - WARM)
    between = [after[0] - before[1] for each in clocks.values() for before, after in pairwise(each)]
    at_work = [end - begin for each in clocks.values() for begin, end in each[1:]]
    print(f"alone {alone:.4f} s, on Ray {min(at_work):.4f} s; beside it {median(between):.4f} s, driver {driver:.4f} s")
    assert min(at_work) + median(between) + driver <= (1 + MOST) * alone


def _taken(place: Workplace, piece: Slice) -> float:
    begun = time.process_time()
    place.run(piece)
    return time.process_time() - begun
