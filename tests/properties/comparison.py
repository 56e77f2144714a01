"""Whether two simulations agree on a case, and the smallest case on which they do not."""

from collections.abc import Callable, Collection
from typing import Any

from tests.properties.shrinking import shrink, told
from tests.reference.model import Case
from tests.scenarios.loader import differences

Simulate = Callable[[Case], dict[str, Any]]

# The figures of a refusal are a text in the engine; a market order's time in force has no effect (S8.1).
NOT_COMPARED = ("figures",)
OF_A_REJECTED_ORDER = ("id", "symbol", "side", "status", "reject")


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """The result with orders told alike: nothing of a rejected one but what it was and why, no empty reason.

    Where an order has several faults, a bankrupt account is told first by the engine and last by the reference.
    """
    reasons = 4 if result["status"] == "bankrupt" else 5
    result["orders"] = [_order(order, OF_A_REJECTED_ORDER[:reasons]) for order in result["orders"]]
    return result


def _order(order: dict[str, Any], of_a_rejected_one: tuple[str, ...]) -> dict[str, Any]:
    told = {**order, "reject": order["reject"] or "none"}
    if order["status"] == "rejected":
        return {key: told[key] for key in of_a_rejected_one}
    return {**told, "tif": "gtc"} if order["type"] == "market" else told


def disagreement(case: Case, reference: Simulate, other: Simulate, ignore: Collection[str] = ()) -> str:
    """The smallest case found on which the other simulation differs from the reference, and where; empty: they agree.

    ``ignore`` names fields that are not compared, of the result or of its entries (``figures``).
    """

    def found(candidate: Case) -> list[str]:
        return result_differences(reference(candidate), other(candidate), ignore)

    if not found(case):
        return ""
    smallest = shrink(case, lambda candidate: bool(found(candidate)))
    return "\n".join([told(smallest), *found(smallest)[:20]])


def result_differences(first: dict[str, Any], second: dict[str, Any], ignore: Collection[str] = ()) -> list[str]:
    """Where a whole result differs from another, in everything that the first one tells."""
    numbers = len(first["orders"]), len(second["orders"])
    more = [f"orders: expected {numbers[0]} entries, got {numbers[1]}"] if numbers[0] != numbers[1] else []
    return more + differences(_without(first, ignore), second)


def _without(result: dict[str, Any], ignore: Collection[str]) -> dict[str, Any]:
    def less(value: Any) -> Any:
        if isinstance(value, list):
            return [less(each) for each in value]
        if isinstance(value, dict):
            return {key: less(each) for key, each in value.items() if key not in ignore}
        return value

    return {key: less(value) for key, value in result.items() if key not in ignore}
