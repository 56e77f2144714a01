"""The account and the position of the chosen symbol, at the cursor."""

from PyQt6.QtWidgets import QVBoxLayout

from app.charts.prices import number, quantity_text
from app.charts.ticks import LocalTime
from app.panels.panel import Panel
from app.panels.parts import DASH, Figures, money, tone_of
from app.session import RunSession
from app.theme.tokens import Theme


class AccountPanel(Panel):
    """Equity, cash, margins, the day's result; and one position.

    Attributes:
        column: symbol whose position is shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.column = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 0)
        layout.setSpacing(8)
        self.account = Figures(
            "Account",
            ("Equity", "Cash", "Used margin", "Free margin", "Over maintenance", "Day's result", "Drawdown"),
        )
        self.position = Figures(
            "Position", ("Side, quantity", "Average entry", "Mark", "Unrealised", "Stop", "Target", "R multiple")
        )
        layout.addWidget(self.account)
        layout.addWidget(self.position)

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        self.account.set_look(look)
        self.position.set_look(look)

    def begin(self) -> None:
        self.column = 0

    def set_column(self, column: int) -> None:
        """Show another symbol's position."""
        self.column, self._drawn = column, None

    def show_state(self, session: RunSession) -> None:
        state, put = session.model.account, self.account.put
        put("Equity", money(state.equity))
        put("Cash", money(state.cash))
        put("Used margin", money(state.used_margin))
        put("Free margin", money(state.free_margin), "down" if state.free_margin < 0 else "")
        over = state.equity - state.maintenance
        put("Over maintenance", money(over), "down" if over < 0 else "")
        put("Day's result", money(state.day_result, True), tone_of(round(state.day_result, 2)))
        put("Drawdown", f"{number(100 * state.drawdown, 2)} %", tone_of(round(state.drawdown, 4)))
        self._show_position(session)

    def _show_position(self, session: RunSession) -> None:
        symbol, put = session.facts.symbols[self.column], self.position.put
        heading = f"POSITION \N{MIDDLE DOT} {symbol}"
        if self.position.heading.text() != heading:
            self.position.heading.setText(heading)
        held = session.model.position(self.column)
        if held is None:
            put("Side, quantity", "flat")
            for name in ("Average entry", "Mark", "Unrealised", "Stop", "Target", "R multiple"):
                put(name, DASH)
            return
        form = session.facts.forms[self.column]
        word, tone = ("LONG", "accent") if held.side > 0 else ("SHORT", "violet")
        put("Side, quantity", f"{word} {quantity_text(abs(held.quantity))}", tone)
        put("Average entry", form.text(held.average))
        put("Mark", form.text(held.mark))
        put("Unrealised", money(held.unrealised, True), tone_of(round(held.unrealised, 2)))
        put("Stop", DASH if held.stop is None else form.text(held.stop))
        put("Target", DASH if held.target is None else form.text(held.target))
        r = held.r_multiple
        put("R multiple", DASH if r is None else f"{number(r, 2, True)} R", "" if r is None else tone_of(round(r, 2)))
