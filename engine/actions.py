"""Orders and changes as plain records: what scripted bots replay and what the window records (rulebook S16).

A record is a mapping with ``type`` and what that type needs::

    {"bar": 12, "phase": "OPEN", "type": "stop", "symbol": "ES", "side": "buy", "qty": 1, "stop": 5006, "sl": 5001}

Types: market, limit, stop, stop_limit (side, qty, limit, stop, sl, tp, tif, reduce_only), close, flatten, cancel (id),
modify_order (id and any of qty, limit, stop, sl, tp; a price that is null is taken away), modify_stop (sl or null),
modify_target (tp or null), tighten_stop (sl; null changes nothing). ``phase`` is OPEN or CLOSE; ``source`` is bot
(default) or manual.
Interventions may also change a setting of the bot or exit: see ``engine.changing``.
"""

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from engine.backtester import BacktesterEngine
from engine.errors import ConfigError
from engine.kernel.schema import OrderType, Phase, Source, TimeInForce
from engine.orders import NO_PRICE, OrderRequest, Side

Action = Mapping[str, Any]

PHASES = {"OPEN": Phase.OPEN, "CLOSE": Phase.CLOSE}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
ORDER_TYPES = {kind.name.lower(): kind for kind in OrderType}
TIMES_IN_FORCE = {kind.name.lower(): kind for kind in TimeInForce}
SOURCES = {"bot": Source.BOT, "manual": Source.MANUAL}


def check_action(action: Action, place: str, also: Iterable[str] = ()) -> None:
    """Check a record's type, phase and words, and that it has what its type needs.

    Args:
        also: types that are carried out elsewhere.

    Raises:
        ConfigError: naming ``place``, the value and what is allowed.
    """
    if not isinstance(action, Mapping):
        raise ConfigError(f"{place}: {action!r} is no record of keys and values")
    unknown = [str(key) for key in action if key not in _KEYS]
    if unknown:
        raise ConfigError(f"{place}: unknown key {unknown[0]!r}; known are {', '.join(_KEYS)}")
    words: tuple[tuple[str, Mapping[str, Any], str | None], ...] = (
        ("type", ORDER_TYPES | _OTHERS | dict.fromkeys(also), None),
        ("phase", PHASES, None),
        ("side", SIDES, "buy"),
        ("tif", TIMES_IN_FORCE, "gtc"),
        ("source", SOURCES, "bot"),
    )
    for key, allowed, default in words:
        value = action.get(key, default) or default
        if not isinstance(value, str) or value not in allowed:
            raise ConfigError(f"{place}: {key} {value!r} is none of {', '.join(allowed)}")
    _check_kinds(action, place)
    missing = [key for key in _NEEDED.get(action["type"], ()) if action.get(key) is None]
    if missing:
        raise ConfigError(f"{place}: {action['type']} lacks {', '.join(missing)}")


def _check_kinds(action: Action, place: str) -> None:
    bar = action.get("bar")
    if not _is(bar, Integral) or bar < 0:  # type: ignore[operator]  # a whole number by then
        raise ConfigError(f"{place}: bar {bar!r} is not a bar number, 0 or more")
    for key, kind, told in _KINDS:
        if action.get(key) is not None and not _is(action[key], kind):
            raise ConfigError(f"{place}: {key} {action[key]!r} is not {told}")


def _is(value: object, kind: type) -> bool:
    """Whether it is of that kind; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


# What a record of each type must give; a price that an order lacks is the broker's to refuse (S8.2).
_ORDER, _SYMBOL, _ID = ("symbol", "side", "qty"), ("symbol",), ("id",)
_KINDS: tuple[tuple[str, type, str], ...] = (
    *((key, Real, "a number") for key in ("qty", "limit", "stop", "sl", "tp")),
    ("id", Integral, "an order's number"),
    ("symbol", str, "text"),
    ("reduce_only", bool, "true or false"),
)
_KEYS = ("bar", "phase", "type", "side", "tif", "source", *(key for key, *_ in _KINDS), "part", "values")
_NEEDED = dict.fromkeys(ORDER_TYPES, _ORDER) | {
    "close": _SYMBOL,
    "flatten": _SYMBOL,
    "cancel": _ID,
    "modify_order": _ID,
    "modify_stop": _SYMBOL,
    "modify_target": _SYMBOL,
    "tighten_stop": _SYMBOL,
}


def apply_action(engine: BacktesterEngine, action: Action) -> None:
    """Carry out one record at the phase in which the run stands."""
    source = SOURCES[action.get("source", "bot")]
    kind = action["type"]
    if kind in ORDER_TYPES:
        engine.place_order(request_of(action, source))
        return
    _OTHERS[kind](engine, action, source)


def request_of(action: Action, source: Source = Source.BOT) -> OrderRequest:
    """The order request of a record of an order type."""
    return OrderRequest(
        symbol=action["symbol"],
        side=SIDES[action["side"]],
        quantity=action["qty"],
        type=ORDER_TYPES[action["type"]],
        limit=action.get("limit"),
        stop=action.get("stop"),
        stop_loss=action.get("sl"),
        take_profit=action.get("tp"),
        time_in_force=TIMES_IN_FORCE[action.get("tif") or "gtc"],
        reduce_only=bool(action.get("reduce_only")),
        source=source,
    )


def _modify(engine: BacktesterEngine, action: Action, source: Source) -> None:
    names = {"limit": "limit", "stop": "stop", "sl": "stop_loss", "tp": "take_profit"}
    changes = {name: NO_PRICE if action[key] is None else action[key] for key, name in names.items() if key in action}
    changes["quantity"] = action.get("qty")
    try:
        engine.modify_order(action["id"], **changes)
    except ValueError as refused:
        engine.note(str(refused))


_OTHERS: dict[str, Callable[[BacktesterEngine, Action, Source], object]] = {
    "close": lambda engine, action, source: engine.close_position(action["symbol"], source),
    "flatten": lambda engine, action, source: engine.flatten(action["symbol"]),
    "cancel": lambda engine, action, source: engine.cancel_order(action["id"], source),
    "modify_order": _modify,
    "modify_stop": lambda engine, action, source: engine.modify_stop_loss(action["symbol"], action.get("sl")),
    "modify_target": lambda engine, action, source: engine.modify_take_profit(action["symbol"], action.get("tp")),
    "tighten_stop": lambda engine, action, source: engine.tighten_stop_loss(action["symbol"], action.get("sl")),
}
