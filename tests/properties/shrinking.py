"""How a failing random case is made small: drop actions, bars, symbols and settings while it still fails."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.reference.model import Case

Predicate = Callable[[Case], bool]
PER_BAR_OF_BOT = ("sides", "allow", "flatten", "session")


def shrink(case: Case, fails: Predicate, attempts: int = 5000) -> Case:
    """The smallest case found for which the predicate still holds; the given one is left as it is."""
    best = copy.deepcopy(case)
    tried, progress = 0, True
    while progress and tried < attempts:
        progress = False
        for candidate in _smaller(best):
            tried += 1
            if is_legal(candidate) and fails(candidate):
                best, progress = candidate, True
                break
            if tried >= attempts:
                break
    return best


def told(case: Case) -> str:
    """A case as text to paste into a test: one line per key."""
    return "{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in case.items()) + "\n}"


def is_legal(case: Case) -> bool:
    """At least one symbol and bar, every master bar real for somebody, every symbol with a real bar."""
    rows = list(case["bars"].values())
    if not rows or not rows[0]:
        return False
    printed = all(any(row[bar] is not None for row in rows) for bar in range(len(rows[0])))
    return printed and all(any(row is not None for row in each) for each in rows)


def _smaller(case: Case) -> Iterator[Case]:
    """Candidates one step smaller, the boldest first."""
    length = len(next(iter(case["bars"].values())))
    for keep in (length // 2, length - 1):
        yield without_bars(case, set(range(keep, length)))
    for symbol in case["spec"]:
        yield _without_symbol(case, symbol)
    for half in (slice(0, len(case["actions"]) // 2), slice(len(case["actions"]) // 2, None)):
        if len(case["actions"]) > 3:
            yield {**case, "actions": case["actions"][half]}
    for number in reversed(range(len(case["actions"]))):
        yield {**case, "actions": case["actions"][:number] + case["actions"][number + 1 :]}
    for bar in range(length - 1):
        yield without_bars(case, {bar})
    yield from _simpler(case)


def _simpler(case: Case) -> Iterator[Case]:
    """The same bars and actions with fewer particulars."""
    for key in ("fine", "days", "slippage", "bot"):
        if key in case:
            yield {name: value for name, value in case.items() if name != key}
    for key in case["policy"]:
        yield {**case, "policy": {name: value for name, value in case["policy"].items() if name != key}}
    for key in case.get("bot", {}):
        if key not in ("kind", "exit", "sides"):
            yield {**case, "bot": {name: value for name, value in case["bot"].items() if name != key}}
    for number, action in enumerate(case["actions"]):
        for key in ("sl", "tp", "tif", "reduce_only", "source"):
            if key in action:
                less = {name: value for name, value in action.items() if name != key}
                yield {**case, "actions": [*case["actions"][:number], less, *case["actions"][number + 1 :]]}
    for symbol, spec in case["spec"].items():
        for key in ("commission_per_contract", "fee_per_trade", "slippage_ticks", "slippage_pct"):
            if spec.get(key):
                yield {**case, "spec": {**case["spec"], symbol: {**spec, key: 0}}}


def _without_symbol(case: Case, symbol: str) -> Case:
    def less(given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if name != symbol}

    smaller: Case = dict(case)
    smaller |= {key: less(case[key]) for key in ("spec", "bars", "fine", "slippage") if key in case}
    smaller["actions"] = [action for action in case["actions"] if action.get("symbol") != symbol]
    if "bot" in case:
        given = {key: less(case["bot"][key]) for key in PER_BAR_OF_BOT if key in case["bot"]}
        smaller["bot"] = {**case["bot"], **given}
    return smaller


def without_bars(case: Case, gone: set[int]) -> Case:
    """The case without some master bars; what comes later moves up."""
    place = {old: new for new, old in enumerate(bar for bar in range(_length(case)) if bar not in gone)}

    def kept(values: list[Any]) -> list[Any]:
        return [value for bar, value in enumerate(values) if bar not in gone]

    smaller = {**case, "bars": {symbol: kept(rows) for symbol, rows in case["bars"].items()}}
    smaller["actions"] = [{**each, "bar": place[each["bar"]]} for each in case["actions"] if each["bar"] in place]
    if "days" in case:
        smaller["days"] = kept(case["days"])
    if "fine" in case:
        smaller["fine"] = {
            symbol: {str(place[int(bar)]): rows for bar, rows in given.items() if int(bar) in place}
            for symbol, given in case["fine"].items()
        }
    if "slippage" in case:
        smaller["slippage"] = {
            symbol: {key: kept(value) if isinstance(value, list) else value for key, value in given.items()}
            for symbol, given in case["slippage"].items()
        }
    if "bot" in case:
        given = {key: case["bot"][key] for key in PER_BAR_OF_BOT if key in case["bot"]}
        shorter = {key: {symbol: kept(values) for symbol, values in each.items()} for key, each in given.items()}
        smaller["bot"] = {**case["bot"], **shorter}
    return smaller


def _length(case: Case) -> int:
    return len(next(iter(case["bars"].values())))
