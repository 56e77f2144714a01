"""What the emulated service is like: its market, its habits, its faults, as plain data or a YAML file.

Every place where the real service's behaviour is not documented is a switch here, so that a client can be tried
against both. Times called ``at`` and ``seconds`` are market seconds; ``at`` counts from the emulator's start.
"""

import dataclasses
import math
import typing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from data.errors import SourceError
from data.tradestation.bars import parse_time


class FaultKind(StrEnum):
    """What can go wrong. The first group hits an open stream, the second a request."""

    HANG = "hang"  # no bytes at all for `seconds`
    MUTE = "mute"  # heartbeats, but no data, for `seconds`
    GOAWAY_V2 = "goaway_v2"
    GOAWAY_V3 = "goaway_v3"
    CUT = "cut"  # the connection closes without the terminating chunk
    RESET = "reset"  # TCP reset; on a request: before any answer
    END = "end"  # clean end: the zero chunk
    DUAL_LOGON = "dual_logon"
    NOT_ENTITLED = "not_entitled"  # the old servers' text line
    STREAM_ERROR = "stream_error"  # an error object, `text` its code
    ERROR_LINE = "error_line"  # a line that is no JSON; the stream goes on
    GARBAGE = "garbage"  # a bar without figures; the stream goes on
    CORRECTION = "correction"  # a closed bar gets other figures
    UNAVAILABLE = "unavailable"  # 503
    TOO_MANY = "too_many"  # 429; `seconds` as Retry-After where `retry_after`
    UNAUTHORIZED = "unauthorized"  # 401 in spite of a good token
    FORBIDDEN = "forbidden"
    SLOW_HEADERS = "slow_headers"  # the answer begins after `seconds`
    NOT_JSON = "not_json"  # 200 with a page of HTML


REQUEST_FAULTS = frozenset(
    {
        FaultKind.UNAVAILABLE,
        FaultKind.TOO_MANY,
        FaultKind.UNAUTHORIZED,
        FaultKind.FORBIDDEN,
        FaultKind.SLOW_HEADERS,
        FaultKind.NOT_JSON,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        path: part of the path it hits, as ``stream/barcharts``; empty hits any.
        symbol: hits this symbol only; empty hits any.
        times: how many requests or streams it hits.
        seconds: how long a hang, a mute or slow headers last, or what Retry-After says.
        on_request: a reset hits the next request instead of an open stream.
        bars_back: which closed bar a correction changes, 1 is the last one; ``ticks``: by how many ticks.
    """

    kind: FaultKind
    at: float = 0.0
    path: str = ""
    symbol: str = ""
    times: int = 1
    seconds: float = 0.0
    retry_after: bool = True
    on_request: bool = False
    bars_back: int = 1
    ticks: int = 1
    text: str = ""


class Chunking(StrEnum):
    """How objects are cut into HTTP chunks."""

    LINE = "line"
    JOINED = "joined"
    SPLIT = "split"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How streams look on the wire."""

    chunking: Chunking = Chunking.LINE
    blank_lines: bool = False
    crlf: bool = False
    duplicates: bool = False
    unknown_fields: bool = False
    heartbeat_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BarHabits:
    """How bars look: a final Closed copy or none, optional fields, the order of a stream's history, range edges."""

    closed_frame: bool = True
    status_field: bool = True
    unchanged_fields: bool = True
    shuffled_history: bool = False
    updates_per_minute: int = 6
    first_inclusive: bool = True
    last_inclusive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSpec:
    """One instrument of the emulated market.

    Attributes:
        file: minute bars to replay (CSV or Parquet); empty: a seeded random walk from ``price``.
        file_stamp: whether the file's times are those at which bars ``open`` or ``close``.
        quiet: share of minutes without a trade.
        volatility: standard deviation of a minute's move, in ticks.
        contracts: contracts a continuous symbol stands for, one after another; ``rolls_at``: when it changes, and
            ``roll_gap``: by how much the back-adjusted history shifts then, in ticks.
    """

    symbol: str
    price: float = 4500.0
    tick_size: float = 0.25
    point_value: float = 50.0
    volatility: float = 4.0
    quiet: float = 0.0
    asset_type: str = "FUTURE"
    exchange: str = "CME"
    description: str = "emulated"
    root: str = ""
    file: str = ""
    file_stamp: str = "close"
    contracts: tuple[str, ...] = ()
    rolls_at: tuple[float, ...] = ()
    roll_gap: int = 40
    price_style: str = "Decimal"
    fraction: int = 1
    sub_fraction: int = 1
    delayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthHabits:
    """How signing in goes.

    Attributes:
        rotate: a refresh gives a new refresh token and the old one is dead.
        absolute_s: refresh tokens die so long after the sign-in, used or not; 0 means never.
        deny: the user refuses consent; wrong_state: the redirect carries another state.
        refusal_status: status of a failed refresh, which is not documented.
    """

    client_id: str = "emulated-key"
    client_secret: str = "emulated-secret"
    pkce: bool = False
    rotate: bool = False
    expires_in: float = 1200.0
    absolute_s: float = 0.0
    deny: bool = False
    wrong_state: bool = False
    refusal_status: int = 403
    scopes: tuple[str, ...] = ("openid", "offline_access", "MarketData", "ReadAccount", "Trade", "profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookHabits:
    """How orders fare: ``script`` is one of plain, ack_with_fill, fill_twice, partial, reject, cancel_race.

    ``silent_expiry``: orders for the day that end with it are not told on the streams, as has been seen.
    """

    accounts: tuple[str, ...] = ("SIM1234567F", "SIM1234567M")
    script: str = "plain"
    new_id_on_replace: bool = False
    silent_expiry: bool = False
    delay_s: float = 0.2
    cash: float = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most ``count`` requests in ``seconds``, the window beginning with the first."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything about an emulator.

    Attributes:
        start: UTC market time at which it starts, RFC 3339; empty: now.
        rate: market seconds per second of the machine.
        history_days, live_hours: extent of a generated market before and after the start.
        session: ``24/7`` or ``cme`` (18:00 to 17:00 New York, Sunday to Friday).
        holidays: trade dates without a session, ``YYYY-MM-DD``.
        clock_offset_s: the server's clock, and with it its dates and heartbeats, is wrong by so much.
        limits: overrides of the quotas, by category; ``limited: false`` switches them off.
    """

    seed: int = 1
    start: str = "2024-03-06T15:00:30Z"
    rate: float = 1.0
    history_days: float = 2.0
    live_hours: float = 24.0
    session: str = "24/7"
    holidays: tuple[str, ...] = ()
    symbols: tuple[SymbolSpec, ...] = (SymbolSpec(symbol="ESH24"),)
    auth: AuthHabits = field(default_factory=AuthHabits)
    bars: BarHabits = field(default_factory=BarHabits)
    framing: Framing = field(default_factory=Framing)
    book: BookHabits = field(default_factory=BookHabits)
    faults: tuple[Fault, ...] = ()
    limited: bool = True
    limits: dict[str, Limit] = field(default_factory=dict)
    clock_offset_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a time or a rate at which no market can run (SourceError)."""
        if not 0 < self.rate < math.inf:
            raise SourceError(f"scenario: rate is {self.rate:g} market seconds per second; it must be above 0")
        try:
            if self.start:
                parse_time(self.start)
        except ValueError as error:
            raise SourceError(
                f"scenario: start {self.start!r} is no time ({error}); write it as 2024-03-06T15:00:30Z"
            ) from None


def load_scenario(path: Path) -> Scenario:
    """The scenario in a YAML file; SourceError names file, key and what is allowed."""
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SourceError(f"{path}: is no YAML: {error}") from error
    return scenario_from(tree or {}, str(path))


def scenario_from(tree: dict[str, Any], place: str = "scenario") -> Scenario:
    """The scenario that nested mappings describe."""
    return typing.cast(Scenario, _build(Scenario, tree, place))


def _build(kind: Any, tree: Any, place: str) -> Any:
    """An instance of the dataclass ``kind`` from a mapping, its parts likewise."""
    if not isinstance(tree, dict):
        raise SourceError(f"{place}: {tree!r} should be a mapping")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(tree) - set(hints))
    if unknown:
        raise SourceError(f"{place}: unknown key {unknown[0]!r}; known are {', '.join(sorted(hints))}")
    missing = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory and f.name not in tree]
    if missing:
        raise SourceError(f"{place}: {missing[0]!r} is missing")
    return kind(**{name: _value(hints[name], value, f"{place}.{name}") for name, value in tree.items()})


def _value(hint: Any, value: Any, place: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        if not isinstance(value, list):
            raise SourceError(f"{place}: {value!r} should be a list")
        return tuple(_value(inner, item, f"{place}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        inner = typing.get_args(hint)[1]
        return {str(key): _value(inner, item, f"{place}.{key}") for key, item in dict(value).items()}
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, place)
    return _plain(hint, value, place)


def _plain(hint: type, value: Any, place: str) -> Any:
    if issubclass(hint, StrEnum):
        if value not in list(hint):
            raise SourceError(f"{place}: {value!r} is none of {', '.join(hint)}")
        return hint(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint):
        raise SourceError(f"{place}: {value!r} should be {hint.__name__}")
    return value
