"""The yardstick does the same work: the C loop's trades and equity are the engine's."""

from pathlib import Path

import numpy as np
import pytest

from tests.bench import c_loop
from tests.bench.markets import market
from tests.proof import reference_work as work


@pytest.mark.skipif(c_loop.compiler() is None, reason="there is no gcc")
@pytest.mark.parametrize("symbols", [1, 3])
def test_the_c_loop_trades_as_the_engine_does(tmp_path: Path, symbols: int) -> None:
    bars = market(symbols, 6000)
    run = work.run_here(bars)
    run.complete()
    rows = run.engine.tables.rows("trades")

    done = c_loop.CLoop(c_loop.build(tmp_path), bars).trade()

    assert len(rows) > 100 * symbols
    order = np.lexsort((rows["symbol"], rows["exit_bar"]))
    for name in ("symbol", "entry_bar", "exit_bar", "side"):
        np.testing.assert_array_equal(np.sort(done.trades, order=["exit_bar", "symbol"])[name], rows[order][name])
    np.testing.assert_allclose(done.equity, run.engine.tables.equity["equity"], rtol=0, atol=1e-4)
