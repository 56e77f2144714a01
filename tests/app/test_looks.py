"""What everybody must be able to see and to hear: names of controls, keys, themes; faults of the first sketch."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTabWidget,
    QWidget,
)

from app.actions import ACTIONS
from app.charts.time_chart import TimeChart
from app.dialogs.indicators import IndicatorDialog
from app.dialogs.run import RunDialog
from app.dialogs.settings import SettingsDialog
from app.dialogs.small import ChangeOrderDialog, DateDialog, PauseDialog, ShortcutSheet, TextDialog
from app.main_window import MainWindow
from app.panels.parts import Value
from app.theme import DARK, THEMES
from app.theme.apply import palette
from engine.kernel.schema import Phase
from tests.app.runs import CONFIGS
from tests.app.staging import go, opened, pump, rest_far_below

DAY = "end=2024-09-03"
CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
    QTabWidget, TimeChart,
)  # fmt: skip
WHOLES = (QComboBox, QLineEdit, QAbstractSpinBox, QAbstractItemView, QTabBar)
PARTS = (QScrollBar, QHeaderView, QTabBar)  # pieces of another control, named through it
MOMENTS = (datetime(2024, 9, 2, 20), datetime(2024, 9, 2), datetime(2024, 9, 3))  # noqa: DTZ001 - as the window asks


def controls(widget: QWidget) -> Iterator[QWidget]:
    """Every control of a widget; what belongs to another control is that one's affair."""
    for child in [widget, *widget.findChildren(QWidget)]:
        above, inside = child.parentWidget(), False
        while above is not None and not inside:
            inside = isinstance(above, WHOLES)
            above = above.parentWidget()
        private = child.objectName().startswith("qt_")
        if isinstance(child, CONTROLS) and not isinstance(child, PARTS) and not inside and not private:
            yield child


def nameless(widget: QWidget) -> list[str]:
    """Controls that a screen reader could not name: neither a name nor a text of their own."""
    found = []
    for control in controls(widget):
        text = control.text() if isinstance(control, QAbstractButton) else ""
        if not control.accessibleName() and not text:
            found.append(f"{type(control).__name__} {control.objectName()} in {type(control.parentWidget()).__name__}")
    return found


def test_every_control_of_the_window_has_a_name(on_a_day: MainWindow) -> None:
    for name in on_a_day.docks:
        on_a_day.docks[name].show()
    for place in range(on_a_day.activity.tabs.count()):
        on_a_day.activity.tabs.setCurrentIndex(place)
        pump(on_a_day)()
    assert nameless(on_a_day) == []
    assert len(list(controls(on_a_day))) > 80


def dialogs(on_a_day: MainWindow) -> list[QDialog]:
    """Every dialog there is."""
    session = on_a_day.session
    assert session is not None
    order, form = rest_far_below(on_a_day), session.facts.forms[0]
    return [
        RunDialog(CONFIGS / "sample.yaml"), RunDialog(None, by_hand=True), IndicatorDialog(on_a_day.charts.chosen),
        SettingsDialog(session.config, []), ChangeOrderDialog(order, form), DateDialog(*MOMENTS, "UTC"),
        PauseDialog([], *MOMENTS), ShortcutSheet(), TextDialog("Title", "head", "text"),
    ]  # fmt: skip


def test_every_control_of_every_dialog_has_a_name(on_a_day: MainWindow, qtbot: Any) -> None:
    """The dialogs are all there are: a new one must be listed here."""
    made = dialogs(on_a_day)
    for dialog in made:
        qtbot.addWidget(dialog)
        assert nameless(dialog) == [], dialog.windowTitle()
        assert dialog.windowTitle()
    kinds, left = set(), [QDialog]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith("app.dialogs"):
            kinds.add(kind.__name__)
    assert kinds == {type(dialog).__name__ for dialog in made} | {"Asking"}


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("play", "Space"), ("bar on", "Right"), ("bar back", "Left"), ("phase on", "Shift+Right"),
        ("phase back", "Shift+Left"), ("trade on", "]"), ("trade back", "["), ("date", "Ctrl+G"), ("buy", "B"),
        ("sell", "S"), ("flatten", "F"), ("undo", "Ctrl+Z"),
    ],
)  # fmt: skip
def test_the_keys_are_those_that_were_promised(key: str, keys: str) -> None:
    assert {kind.key: kind.shortcut for kind in ACTIONS}[key] == keys


def test_the_style_is_fusion_and_the_dark_tokens_are_those_of_the_design(look: QApplication) -> None:
    style = look.style()
    assert style is not None
    assert style.name() in ("fusion", "")  # a sheet wraps the style that it is drawn over
    told = (
        "bg0 #0b0e14, chart #11151d, card #171c26, hover #1f2632, line #252d3a, grid #1a202b, text #dbe1ea, "
        "muted #8d98aa, faint #5b6577, accent #4c8dff, up #2ebd85, down #f6465d, wick_up #1c7a58, wick_down #a03344, "
        "volume_up #1d4f46, volume_down #5a2733, amber #f0b429, violet #9d7bff, cyan #35c4dc"
    )
    for pair in told.split(", "):
        token, colour = pair.split()
        assert DARK.colour(token) == colour


@pytest.mark.parametrize("name", list(THEMES))
def test_what_is_written_into_empty_fields_can_be_read(name: str) -> None:
    """The faint token is for decoration alone."""
    colour = palette(THEMES[name]).color(QPalette.ColorRole.PlaceholderText).name()
    assert colour == THEMES[name].muted


def test_a_layout_is_saved_by_name_and_chosen_from_the_menu(
    on_a_day: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QDockWidget, saveState."""
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (" wide ", True))
    on_a_day.docks["Equity and drawdown"].hide()
    on_a_day.handling.slot("layout_save")()
    assert list(on_a_day.workspace.layouts) == ["wide"]
    on_a_day.docks["Equity and drawdown"].show()
    menu = on_a_day.handling.views.layouts
    assert menu is not None
    menu.aboutToShow.emit()
    entries = {action.text(): action for action in menu.actions()}
    entries["wide"].trigger()
    assert not on_a_day.docks["Equity and drawdown"].isVisible()
    entries["As at first"].trigger()
    assert on_a_day.docks["Equity and drawdown"].isVisible()


# Figures and texts


def test_no_figure_says_minus_zero(on_a_day: MainWindow) -> None:
    """The sketch said -0.00 R in the bar of the entry, marked at its own fill."""
    session = on_a_day.session
    assert session is not None
    for fill in session.model.store.fills.rows[:20]:
        go(on_a_day, int(fill["bar"]), Phase(int(fill["phase"])))
        for card in (on_a_day.account.account, on_a_day.account.position):
            told = [value.text().replace("\N{MINUS SIGN}", "-") for value in card.findChildren(Value)]
            assert len(told) == 7
            assert not [text for text in told if text.split(" ")[0] == "-0.00"]


def test_levels_of_the_position_lie_on_the_tick_grid(on_a_day: MainWindow) -> None:
    """The sketch showed 4,425.94 with a tick of 0.25."""
    session = on_a_day.session
    assert session is not None
    seen = 0
    for bar in range(60, 1400, 20):
        session.model.cursor_model.go(bar, Phase.CLOSE)
        for position in session.model.positions:
            tick = session.facts.contracts[position.column].facts.tick_size
            for level in (position.stop, position.target):
                if level is not None:
                    seen += 1
                    assert level / tick == pytest.approx(round(level / tick), abs=1e-6)
    assert seen > 20


def test_the_risk_on_the_ticket_is_the_distance_to_its_stop_with_costs(on_a_day: MainWindow) -> None:
    """The sketch's risk did not match its stop."""
    session = on_a_day.session
    assert session is not None
    go(on_a_day, 30, Phase.OPEN)
    ticket = on_a_day.ticket
    ticket.quantity.setValue(2)
    ticket.loss_unit.setCurrentText("ticks")
    ticket.loss.setValue(16)
    pump(on_a_day)()
    contract = session.facts.contracts[0]
    ticks = 16 * contract.facts.tick_size * contract.money * 2
    told = float(ticket.told.text().split("Risk   ")[1].split(" ")[0].replace(",", ""))
    assert ticks <= told <= ticks + 4 * contract.costs(2) + 4 * contract.facts.tick_size * contract.money
    session_equity = session.model.account.equity
    share = float(ticket.told.text().split("(")[1].split(" ")[0])
    assert share == pytest.approx(100 * told / session_equity, abs=0.006)


def test_a_run_begins_with_bars_to_look_at_and_not_with_one(window: MainWindow) -> None:
    """The sketch opened on one bar, or with the right half empty."""
    session = opened(window, DAY)
    assert session.model.cursor.bar >= 100
    view = window.charts.charts[0].viewport_model
    pump(window)()
    assert view.span >= 40
    assert view.right - session.model.cursor.bar < 0.15 * view.span


def test_symbols_are_called_what_the_configuration_calls_them(on_a_day: MainWindow) -> None:
    """The sketch showed a contract code of another year."""
    assert on_a_day.session is not None
    assert tuple(on_a_day.session.config.symbols) == on_a_day.session.facts.symbols
    assert [chart.symbol for chart in on_a_day.charts.charts] == list(on_a_day.session.config.symbols[:2])


def test_a_tick_and_not_colour_alone_says_that_a_box_is_checked(on_a_day: MainWindow) -> None:
    """Never colour alone. In the middle of the box lies something that is neither its fill nor its edge."""
    box = on_a_day.ticket.reduce
    box.setChecked(True)
    picture = box.grab().toImage()
    row = picture.height() // 2
    colours = {picture.pixelColor(x, row + y).name() for x in range(3, 13) for y in (-2, 0, 2)}
    assert DARK.accent in colours
    assert DARK.on_fill in colours


def test_a_window_of_a_small_screen_shows_all_its_steps(on_a_day: MainWindow) -> None:
    on_a_day.resize(1100, 700)
    pump(on_a_day)()
    bar = on_a_day.controls
    for button in bar.buttons():
        assert button.geometry().right() <= bar.width(), button.accessibleName()
    assert bar.speed_told.geometry().right() <= bar.width()
