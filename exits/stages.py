"""Private accounts beside a run: one symbol's bars, the run's own fill rules, no limit of money (engine.kernel.seats).

A stage answers what a trade with another multiple would have come to; it never touches the run's account.
"""

import numpy as np
from numpy.typing import NDArray

from data.series import FloatArray
from engine.backtester import BacktesterEngine
from engine.kernel.learned import SEAT, UNIT_ATR, UNIT_STOP
from engine.tables import RunTables

_RULES = ("path", "through", "next_open", "liquidate_all", "breach", "flatten_on")
_PLENTY = 1e15
UNITS = {"initial_stop": UNIT_STOP, "atr": UNIT_ATR}


class Stage:
    """The private account of one symbol.

    Args:
        engine: the account of the run, prepared (sessions kept, costs attached).
        column: the symbol's column.
        atr_ticks: ATR of closed bars in ticks, float64[n_bars, n_symbols].

    Attributes:
        address: of the account record; template: a fresh position, the start of every seat.
    """

    def __init__(self, engine: BacktesterEngine, column: int, atr_ticks: FloatArray) -> None:
        source = engine.tables
        instruments = source.instruments[[column]].copy()
        for name in ("initial_abs", "initial_rate", "maintenance_abs", "maintenance_rate"):
            instruments[name] = 0.0
        bars, flags = source.bars[:, [column]].copy(), source.flags[:, [column]].copy()
        self.tables = RunTables(bars, flags, instruments, _PLENTY)
        account, own = source.account[0], self.tables.account[0]
        for name in _RULES:
            own[name] = account[name]
        own["risk_pct"], own["max_margin_pct"] = 1.0, 1.0
        own["max_daily_loss_pct"] = np.inf
        self.tables.attach("exit_atr_a", np.ascontiguousarray(atr_ticks[:, column]))
        self._share(source, column, len(bars))
        self.template = self.tables.symbols.copy()
        self.seat = np.zeros(1, SEAT)
        self.tables.links[:] = -1

    def _share(self, source: RunTables, column: int, n_bars: int) -> None:
        """Slippage tables of the symbol, and finer bars where the run has them."""
        for field in ("slip_ticks_a", "slip_sqrt_a"):
            table = source.attached.get(field)
            if table is not None:
                self.tables.attach(field, np.ascontiguousarray(table[:, column]))
        if "fine_a" in source.attached:
            first = column * (n_bars + 1)
            start = source.attached["fine_start_a"][first : first + n_bars + 1].copy()
            self.tables.attach("fine_a", source.attached["fine_a"])
            self.tables.attach("fine_start_a", start)

    @property
    def address(self) -> int:
        """Address of the account record."""
        return self.tables.address

    def labels(
        self,
        bars: NDArray[np.int64],
        sides: NDArray[np.int8],
        multiples: FloatArray,
        unit: str = "initial_stop",
        lots: float = 1.0,
        stop: int | None = None,
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """R of every multiple, float64[n, arms], and the bar each exits in, int64[n, arms].

        Args:
            bars, sides: where and which way to enter, int64[n] and int8[n].
            multiples: of the ATR, float64[arms].
            unit: what one R is: ``initial_stop`` or ``atr``.
            lots: size of each trade in lots (a fee per fill weighs less on larger ones).
            stop: bars to run, all by default. NaN and -1 where a trade is open then; NaN and -2 where none began.
        """
        n, arms = len(bars), len(multiples)
        from engine.kernel import seats

        out, exits = np.full((n, arms), np.nan), np.full((n, arms), -1, np.int64)
        where, which = np.ascontiguousarray(bars, np.int64), np.ascontiguousarray(sides, np.int8)
        wanted, sizes = np.ascontiguousarray(multiples, np.float64), np.full(arms, float(lots))
        seats.label(
            self.address, self.template.ctypes.data, self.seat.ctypes.data, where.ctypes.data, which.ctypes.data, 0, n,
            wanted.ctypes.data, arms, UNITS[unit], len(self.tables.bars) if stop is None else stop,
            out.ctypes.data, exits.ctypes.data, sizes.ctypes.data,
        )  # fmt: skip
        return out, exits
