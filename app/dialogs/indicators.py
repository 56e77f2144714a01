"""Which indicators are drawn: any registered one, with its parameters."""

from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.forms import heading
from app.dialogs.small import Asking
from app.panels.parts import label
from engine import indicators
from engine.indicators.definition import Parameter


class IndicatorDialog(Asking):
    """Two lists: what there is, and what is drawn."""

    def __init__(self, chosen: list[dict[str, Any]], parent: QWidget | None = None) -> None:
        super().__init__("Indicators", parent, "Draw")
        self.resize(900, 560)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search indicators")
        self.search.textChanged.connect(self._find)
        self.offered, self.drawn = QListWidget(), QListWidget()
        self.offered.setAccessibleName("Indicators there are")
        self.drawn.setAccessibleName("Indicators drawn")
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.form = QFormLayout()
        self.form.setVerticalSpacing(6)
        self.form.setHorizontalSpacing(12)
        self.fields: dict[str, QWidget] = {}
        self._lay_out()
        for one in chosen:
            self._append(str(one["name"]), dict(one.get("parameters", {})))
        self.offered.currentItemChanged.connect(lambda: self._show_parameters())
        self._find("")
        self.finish()

    def _lay_out(self) -> None:
        left, middle, right = QVBoxLayout(), QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.search)
        left.addWidget(self.offered)
        middle.addWidget(self.about)
        middle.addLayout(self.form)
        self.add, self.remove = QPushButton("Add"), QPushButton("Remove")
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(lambda: self.drawn.takeItem(self.drawn.currentRow()))
        middle.addWidget(self.add)
        middle.addStretch(1)
        right.addWidget(label("DRAWN", "heading"))
        right.addWidget(self.drawn)
        right.addWidget(self.remove)
        row = QHBoxLayout()
        row.setSpacing(14)
        for layout, share in ((left, 5), (middle, 4), (right, 3)):
            row.addLayout(layout, share)
        self.outer.addLayout(row)

    def _find(self, text: str) -> None:
        self.offered.clear()
        for name in indicators.names():
            about = indicators.describe(name)
            if text.lower() in f"{name} {about.title}".lower():
                item = QListWidgetItem(f"{name.upper()}  {about.title}")
                item.setData(Qt.ItemDataRole.UserRole, name)
                item.setToolTip(about.title)
                self.offered.addItem(item)
        if self.offered.count():
            self.offered.setCurrentRow(0)

    def _show_parameters(self) -> None:
        while self.form.rowCount():
            self.form.removeRow(0)
        self.fields.clear()
        item = self.offered.currentItem()
        if item is None:
            return
        about = indicators.describe(item.data(Qt.ItemDataRole.UserRole))
        self.about.setText(f"{about.title}. {about.help}")
        for parameter in about.parameters:
            field = _field(parameter)
            field.setAccessibleName(heading(parameter.name))
            field.setToolTip(parameter.help)
            self.fields[parameter.name] = field
            self.form.addRow(label(heading(parameter.name), "muted"), field)

    def _add(self) -> None:
        item = self.offered.currentItem()
        if item is not None:
            given = {name: _value(field) for name, field in self.fields.items()}
            self._append(item.data(Qt.ItemDataRole.UserRole), given)

    def _append(self, name: str, parameters: dict[str, Any]) -> None:
        shown = " ".join(str(value) for value in parameters.values())
        item = QListWidgetItem(f"{name.upper()} {shown}".strip())
        item.setData(Qt.ItemDataRole.UserRole, {"name": name, "parameters": parameters})
        self.drawn.addItem(item)

    def choose(self, name: str) -> None:
        """Choose an indicator in the list of those there are."""
        self.search.setText(name)
        for row in range(self.offered.count()):
            item = self.offered.item(row)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == name:
                self.offered.setCurrentRow(row)

    def chosen(self) -> list[dict[str, Any]]:
        """What is to be drawn."""
        items = [self.drawn.item(row) for row in range(self.drawn.count())]
        return [item.data(Qt.ItemDataRole.UserRole) for item in items if item is not None]


def _field(parameter: Parameter) -> QWidget:
    if parameter.kind == "choice":
        box = QComboBox()
        box.addItems(list(parameter.choices))
        box.setCurrentText(str(parameter.default))
        return box
    low = -1e6 if parameter.minimum is None else parameter.minimum
    high = 1e6 if parameter.maximum is None else parameter.maximum
    if parameter.kind == "int":
        whole = QSpinBox()
        whole.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        whole.setRange(int(low), int(high))
        whole.setValue(int(parameter.default))
        return whole
    field = QDoubleSpinBox()
    field.setDecimals(4)
    field.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    field.setRange(low, high)
    field.setValue(float(parameter.default))
    return field


def _value(field: QWidget) -> Any:
    if isinstance(field, QComboBox):
        return field.currentText()
    return field.value() if isinstance(field, QSpinBox | QDoubleSpinBox) else None
