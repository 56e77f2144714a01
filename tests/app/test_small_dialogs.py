"""The small dialogs: what was set is shown again, and what was not touched is not changed."""

import gc
import weakref
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QDialog

from app.charts.prices import PriceFormat
from app.dialogs.forms import SettingField
from app.dialogs.small import ChangeOrderDialog, PauseDialog, TextDialog
from app.main_window import MainWindow
from app.replay.orders import OrderState
from app.replay.playback import Condition, PauseRule
from bots.base import BotSettings
from engine.config import BacktestConfig
from engine.errors import ConfigError
from engine.kernel.schema import OrderStatus, OrderType, Source, TimeInForce
from engine.settings import describe


def order(quantity: float, limit: float) -> OrderState:
    return OrderState(
        id=7, column=0, symbol="BTC", side=1, type=OrderType.LIMIT, quantity=quantity, limit=limit, stop=None,
        stop_loss=None, take_profit=None, time_in_force=TimeInForce.GTC, reduce_only=False,
        status=OrderStatus.ACCEPTED, source=Source.MANUAL, placed_bar=3, reason="", triggered=False,
    )  # fmt: skip


@pytest.mark.parametrize("quantity", [0.001, 0.00025, 2.0])
def test_an_order_of_a_fraction_of_a_lot_keeps_its_quantity_when_its_price_is_changed(
    look: object, qtbot: Any, quantity: float
) -> None:
    dialog = ChangeOrderDialog(order(quantity, 60_000.0), PriceFormat.for_tick(0.01))
    qtbot.addWidget(dialog)
    assert dialog.fields["qty"].value() == quantity
    dialog.fields["limit"].setValue(59_000.0)
    assert dialog.record() == {"type": "modify_order", "id": 7, "limit": 59_000.0}


def test_the_date_to_pause_at_is_shown_again(on_a_day: MainWindow) -> None:
    """Accepted once more without a change, the dialog must not move the date to where the cursor is."""
    session = on_a_day.session
    assert session is not None
    limit = float(session.facts.time_ns(900))
    session.playback.rules = [PauseRule(Condition.DATE, limit)]
    on_a_day.handling.slot("conditions")()
    dialog = on_a_day.dialogs[-1]
    assert isinstance(dialog, PauseDialog)
    dialog.accept()
    assert session.playback.rules == [PauseRule(Condition.DATE, limit)]


def test_a_setting_that_may_be_left_open_says_so_in_a_word(look: object, qtbot: Any) -> None:
    info = next(each for each in describe(BotSettings) if each.name == "flatten_before_maintenance")
    field = SettingField(info, None)
    qtbot.addWidget(field)
    assert field.editor.currentText() == "default"  # type: ignore[attr-defined]
    assert field.value() is None
    field.put(True)
    assert field.value() is True
    field.put(None)
    assert field.value() is None


def test_a_day_that_is_none_stays_as_it_was_written_to_be_refused_at_its_field(look: object, qtbot: Any) -> None:
    info = next(each for each in describe(BacktestConfig) if each.name == "start")
    field = SettingField(info, None)
    qtbot.addWidget(field)
    field.editor.setText("2024-02-30")  # type: ignore[attr-defined]

    with pytest.raises(ConfigError, match='start: "2024-02-30" is not a date or time'):
        BacktestConfig(assets=[{"symbol": "ES", "file": "es.csv"}], start=field.value())


def test_what_goes_wrong_in_every_frame_is_told_in_one_dialog(on_a_day: MainWindow) -> None:
    for _ in range(3):  # what a signal of it was joined to goes a turn later
        on_a_day.tell_exception("IndexError: 3", "Traceback: line 1")
    on_a_day.tell_exception("KeyError: 'ES'", "Traceback: line 2")
    told = [each for each in on_a_day.dialogs if isinstance(each, TextDialog)]
    assert [each.text.toPlainText() for each in told] == ["Traceback: line 1", "Traceback: line 2"]
    assert on_a_day.notes.text.toPlainText().count("IndexError") == 1


def test_a_dialog_that_is_closed_goes_and_lets_go_of_the_run_that_it_asked_about(on_a_day: MainWindow) -> None:
    """A run of ten million bars would stay in memory until the window closes."""
    held = weakref.ref(on_a_day.session)
    for key in ("setting", "conditions", "date", "shortcuts"):
        on_a_day.actions_by_key[key].trigger()
        on_a_day.dialogs[-1].close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert on_a_day.dialogs == []
    assert on_a_day.findChildren(QDialog) == []

    on_a_day.close_session()
    for _ in range(3):  # what a signal of it was joined to goes a turn later
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert held() is None
