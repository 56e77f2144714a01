"""What a person does in the live window: symbols, orders on paper, dragged lines, menus of a chart, signing in."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QMenu

from app.charts.levels import MoveLevel
from app.charts.prices import quantity_text
from app.live.menus import ACTIONS, Slots
from app.live.papers import Before, moved, outcome
from data.errors import TriphaseError
from engine.actions import Action

if TYPE_CHECKING:
    from app.live.window import LiveWindow

LOG = logging.getLogger(__name__)


class Hands:
    """Slots of a live window."""

    def __init__(self, window: "LiveWindow") -> None:
        self._window = window
        self._given: Before | None = None
        self._failure_told = False
        self._signing_in = False

    def slots(self) -> Slots:
        """What each action of the menus does."""
        window = self._window
        looks, ticket = window.looks, window.paper.ticket
        toggles = {key: self._toggle(key) for key in ("volume", "sessions", "trades", "log")}
        charts = {f"charts {count}": self._charts(count) for count in (1, 2, 3, 4)}
        return {
            "reconnect": window.session.feed.reconnect,
            "reload": window.session.feed.reload,
            "search": window.watch_list.field.setFocus,
            "quit": window.close,
            "buy": lambda: ticket.send(1),
            "sell": lambda: ticket.send(-1),
            "flatten": ticket.ask_flatten,
            "indicators": self.ask_indicators,
            "auto": self._auto,
            "layout_save": looks.save_layout,
            "shortcuts": self._shortcuts,
            **toggles,
            **charts,
        }

    def _toggle(self, key: str) -> Callable[[bool], None]:
        return lambda on: self._window.looks.toggle(key, on)

    def _charts(self, count: int) -> Callable[[], None]:
        return lambda: self._window.looks.set_charts(count)

    def _auto(self) -> None:
        for one in self._window.charts.visible:
            if one.chart is not None:
                one.chart.set_auto()
                one.chart.viewport_model.home()
                one.chart.touch()

    def _shortcuts(self) -> None:
        from app.dialogs.small import ShortcutSheet

        kinds = [kind for kind in ACTIONS if kind.key in self._window.actions_by_key]
        self._window.open_dialog(ShortcutSheet(self._window, kinds))

    def ask_indicators(self) -> None:
        """Choose what is drawn."""
        from app.dialogs.indicators import IndicatorDialog

        looks = self._window.looks
        dialog = IndicatorDialog(looks.choices.indicators, self._window)
        dialog.accepted.connect(lambda: looks.set_indicators(dialog.chosen()))
        self._window.open_dialog(dialog)

    # Symbols

    def search(self, text: str) -> None:
        """Offer what the service finds."""

        def found(rows: list[tuple[str, str]]) -> None:
            self._window.watch_list.show_found(rows)
            if not rows:
                self._window.say(f"The service has no symbol that begins with {text}")

        self._window.session.search(text, found)

    def add(self, symbol: str) -> None:
        """Watch a symbol; one that is watched is shown."""
        if symbol in self._window.books:
            self._window.choose(symbol)
        else:
            self._window.wanted.add(symbol)
            self._window.session.watch(symbol)

    def remove(self, symbol: str) -> None:
        """Watch a symbol no longer."""
        if not self._window.session.unwatch(symbol):
            self._window.say(f"{symbol} is traded by the account and stays")
            return
        self._window.forget(symbol)

    # Paper

    def give(self, action: Action) -> None:
        """Hand an order or change to the account, and say what becomes of it."""
        account, paper = self._window.session.account, self._window.paper
        if account is None or account.run is None:
            paper.say("there is no account yet", "amber")
            return
        waits, before = account.run.is_open, Before.of(account.run)
        try:
            account.by_hand(action)
        except (TriphaseError, KeyError, ValueError) as refused:
            paper.say(str(refused), "down")
            return
        self._given = before
        if waits:
            paper.say("Waits for the bar's close; fills at the next open.", "amber")
        else:
            paper.say("Fills at the next open, if the account takes it.", "amber")
            self.tell_outcome()

    def tell_outcome(self) -> None:
        """Say how the last order by hand has fared, once the account has carried it out."""
        run = self._window.run
        if self._given is None or run is None or run.held:
            return
        told = outcome(run, self._given)
        if told is not None:
            self._given = None
            self._window.paper.say(*told)

    def tell_failure(self) -> None:
        """Say once, with the traceback, that the bot has raised and decides no more (S17)."""
        run = self._window.run
        if run is None or run.error is None or self._failure_told:
            return
        from app.dialogs.small import TextDialog

        self._failure_told = True
        head, _, trace = str(run.error).partition("\n")
        self._window.chart_bar.say("On paper     the bot has failed and decides no more")
        self._window.open_dialog(TextDialog("The bot has failed", head, trace or head, self._window))

    def move(self, wish: MoveLevel) -> None:
        """A line was dragged: a stop or a target of the position, or a working order."""
        run = self._window.run
        record = None if run is None else moved(wish, run)
        if record is None:
            self._window.paper.say("the order is gone meanwhile", "amber")
        else:
            self.give(record)

    def chart_menu(self, asked: tuple[str, float, Any]) -> None:
        """A right click on a chart: protective levels and orders at its price."""
        symbol, price, where = asked
        run = self._window.run
        if run is None or symbol not in run.bars.symbols:
            return
        menu = QMenu(self._window)
        for text, record in self.offers(symbol, price):
            action = menu.addAction(text)
            if action is not None:
                action.triggered.connect(lambda _=False, record=record: self.give(record))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def offers(self, symbol: str, price: float) -> list[tuple[str, Action]]:
        """What can be done at a price of a symbol that the account trades, in words and as records."""
        run, form = self._window.run, self._window.forms[symbol]
        assert run is not None
        at = form.snapped(price)
        told, offers = form.text(at), list[tuple[str, Action]]()
        if run.engine.position(symbol) is not None:
            offers += [
                (f"Stop loss at {told}", {"type": "modify_stop", "symbol": symbol, "sl": at}),
                (f"Take profit at {told}", {"type": "modify_target", "symbol": symbol, "tp": at}),
                ("Close the position", {"type": "close", "symbol": symbol}),
            ]
        last = self._window.last(symbol)
        below = last is not None and at < last
        quantity = self._window.paper.ticket.quantity.value()
        for side, kind in (("buy", "limit" if below else "stop"), ("sell", "stop" if below else "limit")):
            record = {"type": kind, "symbol": symbol, "side": side, "qty": quantity, kind: at}
            offers.append((f"{side.title()} {quantity_text(quantity)} {kind} {told}", record))
        return offers

    # Signing in

    def sign_in(self) -> None:
        """Sign in on the service's page, aside."""
        window = self._window
        if window.ask_sign_in is None or self._signing_in:
            return
        self._signing_in = True
        window.say("Sign in on the page that opens in the browser")

        def ended(text: str) -> None:
            self._signing_in = False
            window.session.ask_again()
            window.say(text)

        window.session.errands.run(
            "sign in", window.ask_sign_in, lambda _: ended("signed in"), lambda error: ended(str(error))
        )
