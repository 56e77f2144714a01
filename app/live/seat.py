"""The paper account as the backtest's own panels see it: facts, account and positions as they are now.

``AccountPanel``, ``TicketPanel`` and the arithmetic of a ticket (``app.replay.ticket``) ask a run for little; a
``PaperSeat`` answers just that, so that paper trading has the same panels and the same refusals as a backtest.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from app.charts.cursor import Cursor
from app.charts.prices import PriceFormat
from app.replay.account import AccountState, PositionState
from app.replay.facts import Contract
from engine.config import BacktestConfig
from engine.kernel.schema import Phase
from engine.market import Market
from engine.paper import PaperRun

LastPrice = Callable[[str], float | None]


class PaperFacts:
    """Contract facts and the newest prices of an account's symbols; see ``app.replay.facts.RunFacts``."""

    def __init__(self, run: PaperRun, last: LastPrice) -> None:
        self._run, self._last = run, last
        self.config: BacktestConfig = run.config
        self.symbols: tuple[str, ...] = tuple(run.bars.symbols)
        facts = [run.env.instrument(symbol) for symbol in self.symbols]
        rates = [1.0 if i.currency == run.config.currency else run.config.fx_rates[i.currency] for i in facts]
        self.contracts = [Contract.of(i, rate) for i, rate in zip(facts, rates, strict=True)]

    @property
    def market(self) -> Market:
        """The bars so far."""
        return self._run.engine.market

    @cached_property
    def forms(self) -> list[PriceFormat]:
        """How each symbol's prices are written."""
        return [PriceFormat.for_tick(contract.facts.tick_size) for contract in self.contracts]

    def mark(self, column: int, cursor: Cursor) -> float:
        """The newest price that is known: an order by hand is given now, whatever the account's marks are (S17.3)."""
        last = self._last(self.symbols[column])
        if last is not None:
            return last
        tables = self._run.engine.tables
        return float(self._run.engine.scales[column].price(float(tables.symbols[column]["mark"])))


class PaperModel:
    """The account as it stands; see ``app.replay.model.ReplayModel``."""

    def __init__(self, run: PaperRun, facts: PaperFacts) -> None:
        self._run, self.facts = run, facts

    @property
    def cursor(self) -> Cursor:
        """Where the account stands: the last bar that has closed."""
        return Cursor(self._run.next_bar - 1, Phase.CLOSE)

    @property
    def standing(self) -> bool:
        """Whether there is a bar at all."""
        return self._run.next_bar > 0

    @property
    def state(self) -> tuple[object, ...]:
        """Differs whenever anything that panels show differs."""
        run, tables = self._run, self._run.engine.tables
        prices = tuple(self.facts.mark(column, self.cursor) for column in range(len(self.facts.symbols)))
        return (tables.count("events"), tables.count("fills"), run.next_bar, run.is_open, len(run.held), prices)

    @property
    def account(self) -> AccountState:
        """The account at its marks (S4)."""
        now = self._run.engine.get_portfolio()
        closed = self._run.engine.tables.equity["equity"][: self._run.next_bar]
        peak = max(float(np.max(closed, initial=self._run.config.initial_cash)), now.equity)
        return AccountState(
            equity=now.equity,
            cash=now.cash,
            used_margin=now.used_margin,
            free_margin=now.free_margin,
            maintenance=now.maintenance_margin,
            unrealised=now.unrealised,
            day_result=now.day_result,
            drawdown=(now.equity - peak) / peak if peak > 0 else 0.0,
            bankrupt=now.bankrupt,
        )

    def position(self, column: int) -> PositionState | None:
        """A symbol's position, None when flat."""
        held = self._run.engine.position(self.facts.symbols[column])
        if held is None:
            return None
        return PositionState(
            column=column,
            symbol=held.symbol,
            quantity=held.quantity,
            average=held.average,
            mark=held.mark,
            unrealised=held.unrealised,
            stop=held.stop_loss,
            target=held.take_profit,
            risk=held.initial_risk,
            trade=held.trade,
            entry_bar=held.entry_bar,
        )


class Still:
    """How an account is played: not at all, its bars come when they come; see ``app.replay.playback.Playback``."""

    playing = rushing = False
    turn = 0


class PaperSeat:
    """What panels ask of a run; see ``app.session.RunSession``.

    Attributes:
        branching: False: nothing is computed anew, an order by hand goes to the account as it is.
    """

    branching = False
    playback = Still()

    def __init__(self, run: PaperRun, last: LastPrice) -> None:
        self.run, self.config = run, run.config
        self.facts = PaperFacts(run, last)
        self.model = PaperModel(run, self.facts)
