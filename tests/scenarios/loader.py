"""What the worked scenarios say, one case per path policy, and whether a result agrees with them.

A scenario names a few things; only those are compared: prices and counts exactly (floating-point dust apart), money
to 1e-9 relative.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATHS = ("worst_case", "best_case", "proximity", "colour")
EXACT = ("price", "base_price", "limit", "stop", "sl", "tp", "qty", "position")
DUST = 1e-12
MONEY = 1e-9


@dataclass(frozen=True)
class Scenario:
    """One case under one path policy, with what must come of it."""

    name: str
    case: dict[str, Any]
    expected: dict[str, Any]


def load_scenarios(folder: Path) -> list[Scenario]:
    """Every scenario of ``cases.json`` in the folder, repeated for each path that it holds under."""
    document = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    return [scenario for case in document["cases"] for scenario in _expand(case)]


def _expand(case: dict[str, Any]) -> Iterator[Scenario]:
    expected = case["expected"]
    if "by_path" in expected:
        for path, result in expected["by_path"].items():
            yield _under(case, path, result)
    elif case.get("any_path"):
        for path in PATHS:
            yield _under(case, path, expected)
    else:
        yield Scenario(case["id"], case, expected)


def _under(case: dict[str, Any], path: str, expected: dict[str, Any]) -> Scenario:
    return Scenario(f"{case['id']}-{path}", {**case, "policy": {**case["policy"], "path": path}}, expected)


def differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """Where a result differs from what is expected, as ``place: expected this, got that``."""
    return list(_compare("", "", expected, actual))


def _compare(place: str, key: str, expected: Any, actual: Any) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        yield from _compare_named(place, key, expected, actual)
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _compare_lists(place, key, expected, actual)
    elif not _same(key, expected, actual):
        yield f"{place}: expected {expected!r}, got {actual!r}"


def _compare_named(place: str, key: str, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[str]:
    if key == "position_after_bar":
        for symbol in actual.keys() - expected.keys():
            yield f"{place}: expected no position in {symbol}, got {actual[symbol]!r}"
    for name, value in expected.items():
        if name not in actual:
            yield f"{place}.{name}: expected {value!r}, got nothing"
        else:
            yield from _compare(f"{place}.{name}", name if key != "position_after_bar" else "", value, actual[name])


def _compare_lists(place: str, key: str, expected: list[Any], actual: list[Any]) -> Iterator[str]:
    if key == "orders":
        by_id = {order["id"]: order for order in actual}
        actual = [by_id.get(order["id"]) for order in expected]
    elif len(expected) != len(actual):
        yield f"{place}: expected {len(expected)} entries, got {len(actual)}: {actual!r}"
    for number, (want, got) in enumerate(zip(expected, actual, strict=False)):
        yield from _compare(f"{place}[{number}]", key, want, got)


def _same(key: str, expected: Any, actual: Any) -> bool:
    if _is_number(expected) and _is_number(actual):
        tolerance = DUST if key in EXACT else MONEY
        return math.isclose(expected, actual, rel_tol=tolerance, abs_tol=tolerance * 100)
    return bool(expected == actual and isinstance(expected, bool) == isinstance(actual, bool))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
