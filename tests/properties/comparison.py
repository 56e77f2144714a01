"""Whether two simulations agree on a case, and the smallest case on which they do not."""

from collections.abc import Callable
from typing import Any

from tests.properties.shrinking import shrink, told
from tests.reference.model import Case
from tests.scenarios.loader import differences

Simulate = Callable[[Case], dict[str, Any]]


def assert_agree(case: Case, reference: Simulate, other: Simulate, ignore: tuple[str, ...] = ()) -> None:
    """Fail with the smallest case found on which the other simulation differs from the reference."""

    def found(candidate: Case) -> list[str]:
        expected = {key: value for key, value in reference(candidate).items() if key not in ignore}
        return differences(expected, other(candidate))

    if not found(case):
        return
    smallest = shrink(case, lambda candidate: bool(found(candidate)))
    raise AssertionError("\n".join([told(smallest), *found(smallest)[:20]]))
