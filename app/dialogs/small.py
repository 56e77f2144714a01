"""The small dialogs: a text to read, the help sheet, a date to go to, when to pause, an order to change."""

from collections.abc import Sequence
from datetime import UTC, datetime

from PyQt6.QtCore import QDateTime, Qt, QTimeZone
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import (
    QCheckBox,
    QDateTimeEdit,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.actions import ACTIONS, ActionKind, sheet
from app.charts.prices import PriceFormat
from app.panels.parts import label
from app.replay.orders import OrderState
from app.replay.playback import Condition, PauseRule
from app.theme.fonts import numbers

Buttons = QDialogButtonBox.StandardButton
PLACES = {"Replay": "second", "View": "third", "Help": "third"}  # columns of the help sheet


def plain_buttons(box: QDialogButtonBox) -> None:
    """Words alone: the desktop's icons do not belong to the window's look."""
    for button in box.buttons():
        button.setIcon(QIcon())


class Asking(QDialog):
    """A dialog with fields and buttons to accept or refuse."""

    def __init__(self, title: str, parent: QWidget | None = None, accept: str = "OK") -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.outer = QVBoxLayout(self)
        self.outer.setContentsMargins(16, 16, 16, 12)
        self.outer.setSpacing(10)
        self.buttons = QDialogButtonBox(Buttons.Ok | Buttons.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        button = self.buttons.button(Buttons.Ok)
        if button is not None:
            button.setText(accept)
            button.setProperty("tone", "accent")
        plain_buttons(self.buttons)

    def finish(self) -> None:
        """Put the buttons below what was added."""
        self.outer.addWidget(self.buttons)


class TextDialog(QDialog):
    """A text to read, such as the traceback of a bot.

    Attributes:
        told: the text.
    """

    def __init__(self, title: str, head: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.told = text
        self.setWindowTitle(title)
        self.resize(820, 460)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 12)
        told = QLabel(head)
        told.setWordWrap(True)
        told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(told)
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setFont(numbers(12))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(title)
        layout.addWidget(self.text, 1)
        buttons = QDialogButtonBox(Buttons.Close)
        buttons.rejected.connect(self.reject)
        plain_buttons(buttons)
        layout.addWidget(buttons)


def is_told(dialogs: Sequence[QWidget], text: str) -> bool:
    """Whether a text can be read in one of these dialogs: what goes wrong in every frame is told once."""
    return any(isinstance(each, TextDialog) and each.isVisible() and each.told == text for each in dialogs)


def show_beside(dialogs: list[QDialog], dialog: QDialog) -> None:
    """Show a dialog and keep it in the list until it is closed: then it goes, and what it asked about with it."""

    def closed() -> None:
        dialogs.remove(dialog)
        dialog.deleteLater()

    dialogs.append(dialog)
    dialog.finished.connect(closed)
    dialog.show()


class ShortcutSheet(QDialog):
    """Every action with its keys."""

    def __init__(self, parent: QWidget | None = None, actions: Sequence[ActionKind] = ACTIONS) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(40)
        columns = {name: QVBoxLayout() for name in ("first", "second", "third")}
        for menu, entries in sheet(actions):
            columns[PLACES.get(menu, "first")].addLayout(self._menu(menu, entries))
        for column in columns.values():
            column.setSpacing(16)
            column.addStretch(1)
            outer.addLayout(column)

    @staticmethod
    def _menu(name: str, entries: list[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.addWidget(label(name.upper(), "heading"), 0, 0)
        for row, (text, keys) in enumerate(entries, 1):
            shown = label(keys, "figures")
            shown.setFixedWidth(96)
            grid.addWidget(label(text), row, 0)
            grid.addWidget(shown, row, 1)
        grid.setColumnStretch(0, 1)
        return grid


class DateDialog(Asking):
    """Where to go: a date and time in the window's zone."""

    def __init__(
        self, now: datetime, first: datetime, last: datetime, zone: str, parent: QWidget | None = None
    ) -> None:
        super().__init__("Go to date", parent, "Go")
        self.field = date_field("Date and time", now, first, last)
        form = QFormLayout()
        form.addRow(f"First bar at or after ({zone})", self.field)
        self.outer.addLayout(form)
        self.finish()

    def chosen(self) -> datetime:
        """The date, without a zone: in the window's."""
        return read_field(self.field)


def date_field(name: str, now: datetime, first: datetime, last: datetime) -> QDateTimeEdit:
    """A field for a moment between two."""
    field = QDateTimeEdit()
    field.setTimeZone(QTimeZone.utc())
    field.setDisplayFormat("yyyy-MM-dd HH:mm")
    field.setCalendarPopup(True)
    field.setMinimumDateTime(_qt(first))
    field.setMaximumDateTime(_qt(last))
    field.setDateTime(_qt(now))
    field.setAccessibleName(name)
    return field


def read_field(field: QDateTimeEdit) -> datetime:
    """What a field says, without a zone."""
    chosen = field.dateTime()
    day, time = chosen.date(), chosen.time()
    return datetime(day.year(), day.month(), day.day(), time.hour(), time.minute(), tzinfo=UTC).replace(tzinfo=None)


def _qt(moment: datetime) -> QDateTime:
    return QDateTime.fromSecsSinceEpoch(int(moment.replace(tzinfo=UTC).timestamp()), QTimeZone.utc())


class PauseDialog(Asking):
    """At what playing stops; ``date`` is what the field for it begins with, in the zone of that name."""

    def __init__(
        self,
        rules: list[PauseRule],
        date: datetime,
        first: datetime,
        last: datetime,
        parent: QWidget | None = None,
        zone: str = "",
    ) -> None:
        super().__init__("Pause when", parent)
        given = {rule.condition: rule for rule in rules}
        self.boxes: dict[Condition, QCheckBox] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        for row, condition in enumerate(Condition):
            of_zone = f" ({zone})" if zone and condition is Condition.DATE else ""
            box = QCheckBox(condition.value.capitalize() + of_zone)
            box.setChecked(condition in given)
            self.boxes[condition] = box
            grid.addWidget(box, row, 0)
        self.drawdown = QDoubleSpinBox()
        self.drawdown.setRange(0.01, 100.0)
        self.drawdown.setSuffix(" %")
        self.drawdown.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.drawdown.setAccessibleName("Drawdown in percent")
        self.drawdown.setValue(100 * given[Condition.DRAWDOWN].limit if Condition.DRAWDOWN in given else 5.0)
        self.date = date_field("Date to pause at", date, first, last)
        grid.addWidget(self.drawdown, list(Condition).index(Condition.DRAWDOWN), 1)
        grid.addWidget(self.date, list(Condition).index(Condition.DATE), 1)
        self.outer.addLayout(grid)
        self.finish()

    def conditions(self) -> list[Condition]:
        """Those that are chosen."""
        return [condition for condition, box in self.boxes.items() if box.isChecked()]


class ChangeOrderDialog(Asking):
    """Other terms for a working order."""

    def __init__(self, order: OrderState, form: PriceFormat, parent: QWidget | None = None) -> None:
        super().__init__(f"Change order {order.id}", parent, "Change")
        self._order = order
        self.fields: dict[str, QDoubleSpinBox] = {}
        self._begun: dict[str, float] = {}
        layout = QFormLayout()
        for key, name, value in (
            ("qty", "Quantity", order.quantity), ("limit", "Limit", order.limit), ("stop", "Stop", order.stop),
            ("sl", "Stop loss", order.stop_loss), ("tp", "Take profit", order.take_profit),
        ):  # fmt: skip
            if value is None:
                continue
            field = QDoubleSpinBox()
            field.setDecimals(_decimals(value) if key == "qty" else max(form.decimals, 2))
            field.setRange(-1e9, 1e9)
            field.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
            field.setMinimumWidth(180)
            field.setSingleStep(1.0 if key == "qty" else form.tick)
            field.setValue(value)
            field.setAccessibleName(name)
            self.fields[key] = field
            self._begun[key] = field.value()  # as the field rounds it: what is not touched is not changed
            layout.addRow(name, field)
        self.outer.addLayout(layout)
        self.finish()

    def record(self) -> dict[str, object]:
        """The record that changes the order: what differs alone."""
        changed = {key: field.value() for key, field in self.fields.items() if field.value() != self._begun[key]}
        return {"type": "modify_order", "id": self._order.id, **changed}


def _decimals(quantity: float) -> int:
    """Decimals in which a quantity is written whole: lots may be small fractions."""
    return max(len(f"{quantity:.8f}".rstrip("0").partition(".")[2]), 2)
