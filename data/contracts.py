"""Decides an instrument's facts: the asset's own keys, over the file's defaults, over the shipped table (S1.1 to S1.4).

The table (``contracts.json``) holds seventeen futures with the source and date of each margin. Margins change by the
week: who cares about margin calls gives their own.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType

from data.errors import InstrumentError
from data.instruments import AssetClass, Instrument
from data.spelling import nearest_or_all

_TABLE = Path(__file__).with_name("contracts.json")
_EXPIRY = re.compile(r"^(.+?)[FGHJKMNQUVXZ](?:\d{1,2}|\d{4})$")
_NUMBERS = (
    "tick_size", "tick_value", "contract_size", "lot_size", "initial_margin", "maintenance_margin",
    "initial_margin_rate", "maintenance_margin_rate", "commission_per_contract", "fee_per_trade",
    "slippage_ticks", "slippage_pct",
)  # fmt: skip
_POSITIVE = {"tick_size", "tick_value", "contract_size", "lot_size"}
# One of each pair is set; where a level of keys gives one, the levels below have no say in the pair.
_PAIRS = (
    ("slippage_ticks", "slippage_pct"),
    ("initial_margin", "initial_margin_rate"),
    ("maintenance_margin", "maintenance_margin_rate"),
)
_FULLY_PAID = {"initial_margin_rate": 1.0, "maintenance_margin_rate": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFacts:
    """One line of the shipped table; money in ``currency``.

    Attributes:
        root: the exchange's root, ``6E``; ``tradestation_root`` is TradeStation's, ``@EC``.
        initial_margin, maintenance_margin: per contract, valid from ``margin_date``.
        calendar: name of the session calendar.
        timezone: the exchange's clock.
        source: where the figures come from.
    """

    root: str
    name: str
    exchange: str
    tradestation_root: str
    tick_size: float
    tick_value: float
    initial_margin: float
    maintenance_margin: float
    margin_date: str
    calendar: str
    timezone: str
    source: str
    currency: str = "USD"

    @property
    def point_value(self) -> float:
        """Money per 1.0 of price per contract (S1.2)."""
        return self.tick_value / self.tick_size


@cache
def contract_table() -> Mapping[str, ContractFacts]:
    """Return the shipped table, by the exchange's root."""
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return MappingProxyType(
        {root: ContractFacts(root=root, source=table["source"], **facts) for root, facts in table["contracts"].items()}
    )


def contract(root_or_symbol: str) -> ContractFacts | None:
    """Return the facts for ``ES``, ``@ES``, ``@ES=107XC``, ``ES=F``, ``ESZ3`` or ``ESZ25``, None if unknown.

    TradeStation's own roots (``@EC`` for 6E) are known with their ``@`` or with a month: ``EC`` alone may be a share.
    """
    text = root_or_symbol.strip().upper()
    bare = re.split(r"[=.]", text.lstrip("@"), maxsplit=1)[0]
    expiry = _EXPIRY.match(bare)
    roots = [bare] if expiry is None else [bare, expiry.group(1)]
    table = contract_table()
    found = next((table[root] for root in roots if root in table), None)
    if found is not None and not text.startswith("@"):
        return found
    named = {facts.tradestation_root: facts for facts in table.values()}
    candidates = roots if text.startswith("@") else roots[1:]
    return next((named[f"@{root}"] for root in candidates if f"@{root}" in named), found)


def build_instrument(symbol: str, given: Mapping[str, object], defaults: Mapping[str, object]) -> Instrument:
    """Return the complete and checked instrument of a symbol.

    Args:
        symbol: the symbol's name; a future's is looked up in the table unless ``contract`` names another root.
        given: the asset's own keys (S1.3); keys that are no field of an instrument, and None, play no part.
        defaults: the file's defaults for all assets.

    Raises InstrumentError: a fact is missing, not a number, out of bounds, or contradicts another one.
    """
    asset_class = _asset_class(symbol, given, defaults)
    facts = _facts(symbol, given, defaults, asset_class)
    levels = [_own(symbol, given), _own(symbol, defaults), _from_table(facts), _class_defaults(asset_class)]
    values = _merged(symbol, levels)
    _check_tick_pair(symbol, levels, facts)
    values["asset_class"] = asset_class
    if asset_class is not AssetClass.FUTURE and "tick_value" not in values and "tick_size" in values:
        values["tick_value"] = float(str(values["tick_size"])) * float(str(values.get("contract_size", 1)))
    _check_complete(symbol, values)
    instrument = Instrument(symbol=symbol, **values)  # type: ignore[arg-type]  # each value was checked by its name
    _check_margins(instrument)
    return instrument


def instrument_warnings(symbol: str, given: Mapping[str, object], defaults: Mapping[str, object]) -> tuple[str, ...]:
    """Return the sentences that a report owes its reader about facts that nobody gave (S18)."""
    keys = {key for level in (given, defaults) for key, value in level.items() if value is not None}
    sentences = []
    if not keys & {"commission_per_contract", "fee_per_trade"}:
        sentences.append(f"{symbol}: neither commission_per_contract nor fee_per_trade is given; both are taken as 0")
    facts = _facts(symbol, given, defaults, _asset_class(symbol, given, defaults))
    margins = {"initial_margin", "initial_margin_rate", "maintenance_margin", "maintenance_margin_rate"}
    if facts is not None and not keys & margins:
        sentences.append(
            f"{symbol}: margins are the shipped table's of {facts.margin_date} ({facts.initial_margin:g} initial, "
            f"{facts.maintenance_margin:g} maintenance); give initial_margin and maintenance_margin for other times"
        )
    return tuple(sentences)


def _asset_class(symbol: str, given: Mapping[str, object], defaults: Mapping[str, object]) -> AssetClass:
    stated = given.get("asset_class") if given.get("asset_class") is not None else defaults.get("asset_class")
    if stated is None:
        return AssetClass.FUTURE
    try:
        return AssetClass(str(stated))
    except ValueError as unknown:
        allowed = ", ".join(kind.value for kind in AssetClass)
        raise InstrumentError(f"{symbol}: asset_class {stated!r} is not known; it is one of {allowed}") from unknown


def _facts(
    symbol: str, given: Mapping[str, object], defaults: Mapping[str, object], asset_class: AssetClass
) -> ContractFacts | None:
    """Return the table's line for a future: the one that ``contract`` names, else the symbol's own."""
    if asset_class is not AssetClass.FUTURE:
        return None
    root = given.get("contract") if given.get("contract") is not None else defaults.get("contract")
    if root is None:
        return contract(symbol)
    found = contract(str(root))
    if found is None:
        near = nearest_or_all(root, contract_table(), most=3)
        raise InstrumentError(f"{symbol}: contract {root!r} is not in the table{near}")
    return found


def _own(symbol: str, keys: Mapping[str, object]) -> dict[str, object]:
    """Return one level's instrument fields that have a value; both of a pair at one level is an error."""
    names = {field.name for field in fields(Instrument)} - {"symbol", "asset_class"}
    level = {key: value for key, value in keys.items() if key in names and value is not None}
    for one, other in _PAIRS:
        if one in level and other in level:
            raise InstrumentError(
                f"{symbol}: both {one} ({level[one]}) and {other} ({level[other]}) are given; give only one (S1.1)"
            )
    return level


def _from_table(facts: ContractFacts | None) -> dict[str, object]:
    if facts is None:
        return {}
    names = ("tick_size", "tick_value", "initial_margin", "maintenance_margin", "currency", "exchange", "calendar")
    return {name: getattr(facts, name) for name in names}


def _class_defaults(asset_class: AssetClass) -> dict[str, object]:
    if asset_class is AssetClass.FUTURE:
        return {}
    tick: dict[str, object] = {"tick_size": 0.01} if asset_class is AssetClass.EQUITY else {}
    return tick | _FULLY_PAID


def _merged(symbol: str, levels: list[dict[str, object]]) -> dict[str, object]:
    """Return each field's value from the highest level that has a say in it, numbers checked."""
    merged: dict[str, object] = {}
    for level in levels:
        settled = {name for pair in _PAIRS if set(pair) & merged.keys() for name in pair}
        merged |= {key: value for key, value in level.items() if key not in merged and key not in settled}
    if "slippage_pct" in merged:
        merged["slippage_ticks"] = None
    numbers = {key: value for key, value in merged.items() if key in _NUMBERS and value is not None}
    return merged | {key: _number(symbol, key, value) for key, value in numbers.items()}


def _number(symbol: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InstrumentError(f"{symbol}: {key} is {value!r}; it must be a finite number (S1.1)")
    if key in _POSITIVE and value <= 0:
        raise InstrumentError(f"{symbol}: {key} is {value:g}; it must be above 0 (S1.1)")
    if value < 0:
        raise InstrumentError(f"{symbol}: {key} is {value:g}; it must not be negative (S1.1)")
    return float(value)


def _check_tick_pair(symbol: str, levels: list[dict[str, object]], facts: ContractFacts | None) -> None:
    """Refuse a tick size of one's own with the table's tick value, or the reverse: money per point would be wrong."""
    if facts is None:
        return
    stated = [key for key in ("tick_size", "tick_value") if any(key in level for level in levels[:2])]
    if len(stated) != 1:
        return
    key = stated[0]
    value = next(level[key] for level in levels if key in level)
    if value != getattr(facts, key):
        other = "tick_value" if key == "tick_size" else "tick_size"
        raise InstrumentError(
            f"{symbol}: {key} {value} is given without {other}, and the table's {facts.root} has a tick of "
            f"{facts.tick_size:g} worth {facts.tick_value:g}; give both tick_size and tick_value (S1.2)"
        )


def _check_complete(symbol: str, values: Mapping[str, object]) -> None:
    missing = list(_missing(values))
    if missing:
        hint = "" if values["asset_class"] is not AssetClass.FUTURE else "; for shares set asset_class: equity"
        raise InstrumentError(
            f"{symbol}: {', '.join(missing)} not given, and the contract table has no line for it (S1.1); "
            f"give them{hint}, or name a root of the table with `contract`"
        )


def _missing(values: Mapping[str, object]) -> Iterator[str]:
    yield from (key for key in ("tick_size", "tick_value") if key not in values)
    yield from (" or ".join(pair) for pair in _PAIRS[1:] if not set(pair) & values.keys())


def _check_margins(instrument: Instrument) -> None:
    """Refuse a maintenance margin above the initial one: a position would be liquidated as it opens."""
    for one, other in (("maintenance_margin", "initial_margin"), ("maintenance_margin_rate", "initial_margin_rate")):
        lower, upper = getattr(instrument, one), getattr(instrument, other)
        if lower is not None and upper is not None and lower > upper:
            raise InstrumentError(
                f"{instrument.symbol}: {one} {lower:g} is above {other} {upper:g}; give both, maintenance at most "
                "initial (S1.1)"
            )
