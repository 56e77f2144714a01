"""The journal of a run: its tables as named columns in prices, quantities and money, in memory and on disk.

Statistics, report, window, export and comparison all read it. ``docs/journal.md`` explains every column; a test keeps
document, columns and dtypes equal. Words (``phase``, ``reason``, ...) are coded columns: codes and their names.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from data.checked_tables import CheckedFile, write_checked
from data.series import FloatArray, TimeArray
from engine.backtester import BacktesterEngine
from engine.errors import JournalError
from engine.kernel.learned import MOST_ARMS
from engine.kernel.schema import (
    PRICE_EVENTS,
    TERM_EVENTS,
    EventKind,
    ExitReason,
    Gate,
    OrderStatus,
    OrderType,
    Phase,
    Reason,
    Reject,
    Source,
    TimeInForce,
)
from engine.scale import ScaleTable

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 3
#: Hashes of the tables, in the form of sha256sum.
SUMS = "SHA256SUMS"
TABLES = ("equity", "fills", "trades", "orders", "events", "margin_calls", "choices")
SIDES = ("sell", "none", "buy")


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words: codes and what they stand for; -1 stands for nothing."""

    codes: NDArray[Any]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def array(self) -> NDArray[Any]:
        """The words themselves, objects; None where there is none."""
        names: NDArray[Any] = np.array([*self.names, None], dtype=object)
        words: NDArray[Any] = names[self.codes]
        return words


Column = NDArray[Any] | Words
Table = dict[str, Column]


def _words(kind: type[IntEnum]) -> tuple[str, ...]:
    return tuple(member.name.lower() for member in kind)


def _phases(codes: NDArray[Any]) -> Words:
    return Words(codes, tuple(member.name for member in Phase))


def _sides(sides: NDArray[Any]) -> Words:
    return Words(sides + 1, SIDES)


def _times(time_ns: TimeArray, bars: NDArray[Any]) -> NDArray[Any]:
    """Opening times of bars; not-a-time where there is no bar."""
    times = time_ns[np.maximum(bars, 0)].astype("datetime64[ns]") if len(time_ns) else bars.astype("datetime64[ns]")
    return np.where(bars < 0, np.datetime64("NaT", "ns"), times)


class Journal:
    """Columns of one run, cut to the bars that have closed.

    Attributes:
        tables: name -> columns; see docs/journal.md.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = dict(tables)

    def frame(self, name: str) -> "pd.DataFrame":
        """A table as a DataFrame; words become categories, times have the zone UTC."""
        import pandas as pd

        data: dict[str, Any] = {}
        for column, values in self.tables[name].items():
            if isinstance(values, Words):
                data[column] = pd.Categorical.from_codes(values.codes, categories=pd.Index(values.names))
            elif values.dtype.kind == "M":
                data[column] = pd.DatetimeIndex(values, tz="UTC")
            else:
                data[column] = values
        return pd.DataFrame(data)

    def write(self, folder: Path) -> None:
        """Write every table as Parquet into ``folder``, and their hashes beside them (``sha256sum -c SHA256SUMS``)."""
        _write_tables(self.tables.items(), folder)

    @classmethod
    def read(cls, folder: Path) -> "Journal":
        """The tables of a run folder.

        Raises:
            JournalError: where a table is missing, damaged, or not as it was written.
        """
        tables: dict[str, Table] = {}
        for name in TABLES:
            with StoredTable(folder, name) as stored:
                tables[name] = {column: stored.column(column) for column in stored.names}
        return cls(tables)


class StoredTable:
    """A table of a run folder. Columns are read one at a time: who makes something else of them holds no more than one.

    Attributes:
        names: of its columns, in order; rows: how many there are.

    Raises:
        JournalError: where it is missing, damaged, or not as it was written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.parquet"
        with _said_as_journal_error(self._path):
            self._held_to(_sums(folder / SUMS))
            self._file = CheckedFile(self._path)
        self.names: list[str] = self._file.schema.names
        self.rows = self._file.rows
        written = (self._file.schema.metadata or {}).get(b"triphase_journal", b"none").decode()
        if written != str(FORMAT):
            raise JournalError(
                f"{self._path} is of journal format {written}, this version reads {FORMAT}; run the backtest again"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__()

    def _held_to(self, sums: Mapping[str, str]) -> None:
        found, expected = _sha256(self._path), sums.get(self._path.name)
        if found != expected:
            raise JournalError(
                f"{self._path} is damaged or was changed: its SHA-256 is {found}, {SUMS} says {expected}; run the "
                "backtest again"
            )

    def column(self, name: str) -> Column:
        """A column.

        Raises:
            KeyError: where the table has none of that name; JournalError: where it is damaged.
        """
        import pyarrow as pa

        with _said_as_journal_error(self._path):
            return _column(_whole(self._file.column(name), pa), pa)


def journal_of(engine: BacktesterEngine, bars: int) -> Journal:
    """The journal of an account when ``bars`` bars have closed."""
    return Journal(dict(_made(engine, bars)))


def write_journal(engine: BacktesterEngine, bars: int, folder: Path) -> None:
    """Write what ``journal_of`` gives, with no more than one table of it in memory at a time; see Journal.write."""
    _write_tables(_made(engine, bars), folder)


def _made(engine: BacktesterEngine, bars: int) -> Iterator[tuple[str, Table]]:
    maker = _Maker(engine, bars)
    for name in TABLES:
        yield name, getattr(maker, name)()


class _Maker:
    """Turns the kernel's tables into columns."""

    def __init__(self, engine: BacktesterEngine, bars: int) -> None:
        self.engine, self.bars = engine, bars
        self.scales = ScaleTable(engine.scales)
        self.time_ns = engine.market.time_ns
        self.symbols = engine.market.symbols

    def _symbol(self, columns: NDArray[Any]) -> Words:
        return Words(columns, self.symbols)

    def _prices(self, rows: NDArray[Any], *names: str) -> list[FloatArray]:
        return [self.scales.prices(rows[name], rows["symbol"]) for name in names]

    def equity(self) -> Table:
        """One row per master bar that has closed."""
        rows = self.engine.tables.equity[: self.bars]
        bar = np.arange(self.bars, dtype=np.int32)
        names = ("equity", "cash", "used_margin", "maintenance_margin", "worst_equity")
        return {"bar": bar, "time": _times(self.time_ns, bar), **{name: rows[name].copy() for name in names}}

    def fills(self) -> Table:
        """One row per fill, in order of execution."""
        rows = self.engine.tables.rows("fills")
        price, base, average = self._prices(rows, "price", "base_price", "average")
        flat = rows["position"] == 0.0
        return {
            "fill": np.arange(len(rows), dtype=np.int64),
            "bar": rows["bar"].copy(),
            "time": _times(self.time_ns, rows["bar"]),
            "phase": _phases(rows["phase"].copy()),
            "symbol": self._symbol(rows["symbol"].copy()),
            "order": rows["order"].copy(),
            "trade": rows["trade"].copy(),
            "side": _sides(rows["side"]),
            "quantity": self.scales.quantities(rows["lots"], rows["symbol"]),
            "price": price,
            "base_price": base,
            "reason": Words(rows["reason"].copy(), _words(Reason)),
            "source": Words(rows["source"].copy(), _words(Source)),
            **{name: rows[name].copy() for name in ("slippage_cost", "commission", "fee", "realised", "cash")},
            "position": self.scales.quantities(rows["position"], rows["symbol"]),
            "average": np.where(flat, np.nan, average),
        }

    def trades(self) -> Table:
        """One row per closed trade, in order of exit."""
        rows = self.engine.tables.rows("trades")
        entry, exit_price = self._prices(rows, "entry_price", "exit_price")
        money = ("gross", "commission", "fees", "slippage_cost", "net", "mae", "mfe", "initial_risk", "r_multiple")
        return {
            "trade": rows["number"].copy(),
            "symbol": self._symbol(rows["symbol"].copy()),
            "side": Words((rows["side"] > 0).astype(np.int8), ("short", "long")),
            "quantity": self.scales.quantities(rows["max_lots"], rows["symbol"]),
            "entry_bar": rows["entry_bar"].copy(),
            "entry_time": _times(self.time_ns, rows["entry_bar"]),
            "entry_phase": _phases(rows["entry_phase"].copy()),
            "entry_price": entry,
            "exit_bar": rows["exit_bar"].copy(),
            "exit_time": _times(self.time_ns, rows["exit_bar"]),
            "exit_phase": _phases(rows["exit_phase"].copy()),
            "exit_price": exit_price,
            "bars_held": rows["exit_bar"] - rows["entry_bar"],
            "exit_reason": Words(rows["exit_reason"].copy(), _words(ExitReason)),
            **{name: rows[name].copy() for name in money},
            "ambiguous": rows["ambiguous"] != 0,
        }

    def orders(self) -> Table:
        """One row per order, by id, as it ended or stands."""
        rows = self.engine.tables.rows("orders")
        limit, stop, loss, profit = self._prices(rows, "limit", "stop", "stop_loss", "take_profit")
        symbol = rows["symbol"].copy()
        table: Table = {
            "id": rows["id"].copy(),
            "symbol": self._symbol(symbol),
            "type": Words(rows["type"].copy(), _words(OrderType)),
            "side": _sides(rows["side"]),
            "quantity": self.scales.quantities(rows["lots"], symbol),
            "limit": limit,
            "stop": stop,
            "stop_loss": loss,
            "take_profit": profit,
            "time_in_force": Words(rows["tif"].copy(), _words(TimeInForce)),
            "reduce_only": rows["reduce_only"] != 0,
            "status": Words(rows["status"].copy(), _words(OrderStatus)),
            "reject": Words(rows["reject"].copy(), _words(Reject)),
            "reason": self._reasons(rows),
            "source": Words(rows["source"].copy(), _words(Source)),
            "triggered": rows["triggered"] != 0,
        }
        for name in ("placed", "ended"):
            table[f"{name}_bar"] = rows[f"{name}_bar"].copy()
            table[f"{name}_time"] = _times(self.time_ns, rows[f"{name}_bar"])
            table[f"{name}_phase"] = _phases(rows[f"{name}_phase"].copy())
        return table

    def _reasons(self, rows: NDArray[Any]) -> Words:
        """Sentences for what was rejected or cancelled; most orders have none, so each is worded once."""
        codes = np.full(len(rows), -1, np.int32)
        told: dict[str, int] = {}
        for index in np.flatnonzero(rows["reject"] != 0):
            order = self.engine.order(int(index) + 1)
            codes[index] = told.setdefault(order.reason, len(told))
        return Words(codes, tuple(told))

    def events(self) -> Table:
        """Everything that happened, in order; what ``reference``, ``a``, ``b`` and ``c`` mean depends on the kind."""
        rows = self.engine.tables.rows("events")
        kind, symbol = rows["kind"], rows["symbol"]
        a, b, c = self._figures(rows)
        return {
            "event": np.arange(len(rows), dtype=np.int64),
            "bar": rows["bar"].copy(),
            "time": _times(self.time_ns, rows["bar"]),
            "phase": _phases(rows["phase"].copy()),
            "symbol": self._symbol(symbol.copy()),
            "kind": Words(kind.copy(), _words(EventKind)),
            "reference": rows["ref"].copy(),
            "a": a,
            "b": b,
            "c": c,
        }

    def _figures(self, rows: NDArray[Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The figures of events in prices, quantities and money, by kind; of a rejection, by its reason too."""
        kind, symbol = rows["kind"], rows["symbol"]
        refused = kind == EventKind.ORDER_REJECTED
        reject = np.zeros(len(rows), np.int8)
        reject[refused] = self.engine.tables.orders["reject"][rows["ref"][refused] - 1]
        sides = np.isin(reject, [Reject.STOP_LOSS_SIDE, Reject.TAKE_PROFIT_SIDE])
        moved = np.isin(kind, PRICE_EVENTS)
        terms = np.isin(kind, TERM_EVENTS)
        decided = kind == EventKind.DECISION
        a, b = self._prices(rows, "a", "b")
        c = self.scales.quantities(rows["c"], symbol)
        return (
            np.where(moved | terms | sides, a, rows["a"]),
            np.where(moved | terms | sides | decided, b, rows["b"]),
            np.where(terms | decided | (reject == Reject.MARGIN), c, rows["c"]),
        )

    def margin_calls(self) -> Table:
        """One row per margin call."""
        rows = self.engine.tables.rows("calls")
        names = ("first_fill", "fills", "worst_equity", "required", "between", "equity_after")
        columns = {name: rows[name].copy() for name in names}
        return {"bar": rows["bar"].copy(), "time": _times(self.time_ns, rows["bar"]), **columns}

    def choices(self) -> Table:
        """One row per entry that a learned exit chose a multiple for, in order (S12.3)."""
        rows = self.engine.tables.rows("choices")
        table: Table = {
            "bar": rows["bar"].copy(),
            "time": _times(self.time_ns, rows["bar"]),
            "symbol": self._symbol(rows["symbol"].copy()),
            "side": _sides(rows["side"]),
            "order": rows["order"].copy(),
            "multiple": rows["multiple"].copy(),
            "arm": rows["arm"].copy(),
            "proposed": rows["proposed"].copy(),
            "gated": rows["gated"] != 0,
            "width": rows["width"].copy(),
        }
        return table | {f"value_{number + 1}": rows[f"v{number}"].copy() for number in range(MOST_ARMS)}


def gate_counts(engine: BacktesterEngine) -> dict[str, dict[str, int]]:
    """How often each gate decided, per symbol (S11.2); gates that never did are left out."""
    counts = engine.tables.gates
    return {
        symbol: {gate.name.lower(): int(counts[column, gate]) for gate in Gate if counts[column, gate]}
        for column, symbol in enumerate(engine.market.symbols)
    }


def give_back_memory() -> None:
    """Let the operating system have what the reader and writer of Parquet keep for their next use."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _write_tables(tables: Iterable[tuple[str, Table]], folder: Path) -> None:
    lines = []
    for name, table in tables:
        file = folder / f"{name}.parquet"
        _write_parquet(table, file)
        lines.append(f"{_sha256(file)}  {file.name}\n")
    give_back_memory()
    (folder / SUMS).write_text("".join(lines), encoding="ascii")


def _write_parquet(table: Table, file: Path) -> None:
    import pyarrow as pa

    columns = {name: _arrow(values, pa) for name, values in table.items()}
    schema = pa.schema(
        [pa.field(name, column.type) for name, column in columns.items()], metadata={"triphase_journal": str(FORMAT)}
    )
    write_checked(pa.table(list(columns.values()), schema=schema), file)


def _arrow(values: Column, pa: Any) -> Any:
    if isinstance(values, Words):
        codes = pa.array(values.codes.astype(np.int32), mask=values.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(values.names, pa.string()))
    if values.dtype.kind == "M":
        return pa.array(values.astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC"))
    return pa.array(np.ascontiguousarray(values))


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sums(file: Path) -> dict[str, str]:
    """File name -> hash."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except FileNotFoundError:
        raise JournalError(f"{file} is missing: the run folder is incomplete; run the backtest again") from None
    except (OSError, ValueError) as error:
        raise JournalError(f"{file} cannot be read: {error}; run the backtest again") from None


@contextmanager
def _said_as_journal_error(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise JournalError(f"{file} is missing: the run folder is incomplete; run the backtest again") from None
    except (OSError, ValueError) as error:
        raise JournalError(f"{file} cannot be read: {error}; run the backtest again") from None


def _whole(column: Any, pa: Any) -> Any:
    """A column in one piece; of none, pyarrow would import pandas to make one."""
    return column.combine_chunks() if column.num_chunks else pa.nulls(0, column.type)


def _column(column: Any, pa: Any) -> Column:
    if pa.types.is_dictionary(column.type):
        return Words(_numbers(column.indices, pa, -1), tuple(column.dictionary.to_pylist()))
    if pa.types.is_timestamp(column.type):
        whole = column.cast(pa.timestamp("ns")).view(pa.int64())
        return _numbers(whole, pa, np.iinfo(np.int64).min).view("datetime64[ns]")
    if pa.types.is_boolean(column.type):
        return _numbers(column.cast(pa.uint8()), pa, 0).view(np.bool_)
    return _numbers(column, pa, 0)


def _numbers(column: Any, pa: Any, missing: int) -> NDArray[Any]:
    """Numbers as they lie there, ``missing`` where there is none.

    pyarrow's own ways to get at them and to fill them import pandas first, a third of a second.
    """
    if not len(column):
        return np.zeros(0, column.type.to_pandas_dtype())
    kind = np.dtype(column.type.to_pandas_dtype())
    values: NDArray[Any] = np.frombuffer(column.buffers()[1], kind, len(column), column.offset * kind.itemsize)
    if column.null_count:
        gone = np.from_dlpack(column.is_null().cast(pa.uint8())).view(np.bool_)
        values = np.where(gone, kind.type(np.nan if kind.kind == "f" else missing), values)
    return values
