"""The reference work as a C loop: compiled with gcc where there is one, called over the engine's own tables."""

import ctypes
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.market import Market
from tests.proof import reference_work as work

SOURCE = Path(__file__).with_name("loop.c")
TRADE = np.dtype([("symbol", "i8"), ("entry_bar", "i8"), ("exit_bar", "i8"), ("side", "i8"), ("net", "f8")])
_POSITION = np.dtype([("side", "f8"), ("average", "f8"), ("stop", "f8"), ("mark", "f8"), ("entry_bar", "i8")])


@dataclass(frozen=True)
class Done:
    """Equity per bar and closed trades."""

    equity: NDArray[np.float64]
    trades: NDArray[Any]


def compiler() -> str | None:
    """Path of gcc, None where there is none."""
    return shutil.which("gcc")


def build(folder: Path) -> ctypes.CDLL:
    """Compile ``loop.c`` into ``folder`` and load it."""
    library = folder / "loop.so"
    gcc = compiler()
    if gcc is None:
        raise FileNotFoundError("gcc is not installed; the rows that compare with a C loop need it")
    subprocess.run([gcc, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def address(table: NDArray[Any]) -> ctypes.c_void_p:
    """Where an array's bytes lie."""
    return ctypes.c_void_p(table.ctypes.data)


class CLoop:
    """The work over one market; its bars and its inputs are made once.

    Args:
        library: from ``build``; market: bars of symbols that all cost the same.
    """

    def __init__(self, library: ctypes.CDLL, market: Market) -> None:
        self.library, self.market = library, market
        self.library.trade.restype = ctypes.c_int64
        self.bars, self.symbols = market.bars.shape
        self.table = np.ascontiguousarray(market.bars)
        self.sides = np.zeros(market.bars.shape, np.int8)
        self.atr = np.zeros(market.bars.shape)
        facts = market.instruments[0]
        self.work = np.array(
            [work.MULTIPLE, facts.tick_value, work.SLIPPAGE_TICKS, work.COMMISSION, work.CASH], np.float64
        )
        self.signals()

    def signals(self) -> None:
        """Sides and ATR of every bar."""
        n, k = ctypes.c_int64(self.bars), ctypes.c_int64(self.symbols)
        spans = [ctypes.c_int64(each) for each in (work.FAST, work.SLOW, work.ATR)]
        self.library.signals(n, k, address(self.table), *spans, address(self.sides), address(self.atr))

    def trade(self) -> Done:
        """Trade them."""
        equity = np.empty(self.bars)
        trades = np.empty(self.bars * self.symbols // 4 + 16, TRADE)
        positions = np.zeros(self.symbols, _POSITION)
        count = self.library.trade(
            ctypes.c_int64(self.bars), ctypes.c_int64(self.symbols), address(self.table), address(self.sides),
            address(self.atr), address(self.work), address(positions), address(equity), address(trades),
        )  # fmt: skip
        return Done(equity, trades[:count])
