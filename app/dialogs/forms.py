"""A form made from typed settings: one field per setting, with unit, bounds and help; errors stand at their field."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.panels.parts import label, set_tone
from engine.config.yaml_source import read_scalar
from engine.errors import ConfigError
from engine.settings import SettingInfo

ACRONYMS = {"atr": "ATR", "ema": "EMA", "sma": "SMA", "pct": "", "sl": "stop loss", "tp": "take profit"}
OPEN = "default"  # how a choice that is left open reads; what it stands for, the setting's help says
LABELS, UNITS = 210, 210  # widths of what stands before and behind a field
BOX = 28  # height of a box to check: that of every other field


def heading(name: str) -> str:
    """How a setting is called in a form: ``atr_period`` is ATR period; what a share is of, its unit says."""
    told = " ".join(each for word in name.split("_") if (each := ACRONYMS.get(word, word)))
    return told[:1].upper() + told[1:]


def unchanged(info: SettingInfo, value: object) -> bool:
    """Whether a value is the setting's default, so that it need not be written."""
    return value == info.default and not info.required


class SettingField(QWidget):
    """One setting with its error.

    Attributes:
        info: the setting; editor: where it is written.
    """

    def __init__(self, info: SettingInfo, value: object) -> None:
        super().__init__()
        self.info = info
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.editor = self._editor(info, value)
        self.editor.setAccessibleName(heading(info.name))
        allowed, usual = info.allowed(), _text(info.default) or "empty"
        told = [info.help, f"Allowed: {allowed}." if allowed else "", f"Default: {usual}."]
        self.editor.setToolTip(" ".join(each for each in told if each))
        self.error = QLabel()
        self.error.setWordWrap(True)
        self.error.hide()
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self.editor, 1)
        unit = label(info.unit, "unit")
        unit.setFixedWidth(UNITS)
        line.addWidget(unit)
        layout.addLayout(line)
        layout.addWidget(self.error)

    @staticmethod
    def _editor(info: SettingInfo, value: object) -> QWidget:
        if info.type == "bool" and not info.optional:
            box = QCheckBox()
            box.setChecked(bool(value))
            box.setMinimumHeight(BOX)
            return box
        if info.type in ("choice", "bool"):
            choices = QComboBox()
            words = info.choices or ("true", "false")
            choices.addItems([*([OPEN] if info.optional else []), *words])
            choices.setCurrentText(_text(value) or OPEN)
            return choices
        line = QLineEdit(_text(value))
        line.setPlaceholderText("none" if info.optional else "")
        line.setProperty("role", "number" if info.type in ("int", "float") else "")
        return line

    def value(self) -> object:
        """What is written; None for an optional one that is left open."""
        if isinstance(self.editor, QCheckBox):
            return self.editor.isChecked()
        text = self._written()
        if text == "":
            return None
        if self.info.type in ("text", "file", "choice"):
            return text
        try:
            found = read_scalar(text)
        except ConfigError:
            return text  # what checks the configuration says at this field what is wrong
        return float(found) if self.info.type == "float" and isinstance(found, int) else found

    def _written(self) -> str:
        if isinstance(self.editor, QComboBox):
            left_open = self.info.optional and self.editor.currentIndex() == 0
            return "" if left_open else self.editor.currentText()
        return self.editor.text().strip() if isinstance(self.editor, QLineEdit) else ""

    def put(self, value: object) -> None:
        """Write a value."""
        if isinstance(self.editor, QCheckBox):
            self.editor.setChecked(bool(value))
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentText(_text(value) or OPEN)
        elif isinstance(self.editor, QLineEdit):
            self.editor.setText(_text(value))

    def tell_standing(self, value: object) -> None:
        """Show, where nothing is written, what then holds; None: nothing."""
        if isinstance(self.editor, QLineEdit):
            self.editor.setPlaceholderText(_text(value) or "none")

    def say(self, text: str) -> None:
        """Show what is wrong with it; empty: nothing is."""
        self.error.setText(text)
        self.error.setVisible(bool(text))
        set_tone(self.error, "down" if text else "")
        self.editor.setProperty("invalid", "true" if text else "false")
        style = self.editor.style()
        if style is not None:
            style.unpolish(self.editor)
            style.polish(self.editor)


class SettingsForm(QWidget):
    """Fields of a settings class or of a section."""

    def __init__(self) -> None:
        super().__init__()
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 4, 8, 4)
        self._form.setVerticalSpacing(4)
        self._form.setHorizontalSpacing(10)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.fields: dict[str, SettingField] = {}

    def show_settings(self, infos: Sequence[SettingInfo], values: Mapping[str, object]) -> None:
        """Make fields; ``values`` are those that are given, the others stand at their defaults."""
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields.clear()
        for info in infos:
            if info.type in ("mapping", "list"):
                continue
            field = SettingField(info, values.get(info.name, info.default))
            self.fields[info.name] = field
            told = label(heading(info.name), "muted")
            told.setMinimumWidth(LABELS)
            told.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            told.setContentsMargins(0, 6, 0, 0)
            self._form.addRow(told, field)

    def editors(self) -> list[QWidget]:
        """What is written in, from top to bottom."""
        return [field.editor for field in self.fields.values()]

    def values(self) -> dict[str, object]:
        """What differs from the defaults."""
        found = {name: field.value() for name, field in self.fields.items()}
        return {name: value for name, value in found.items() if not unchanged(self.fields[name].info, value)}

    def values_over(self, given: Mapping[str, object]) -> dict[str, object]:
        """What differs from the defaults, and what was given that has no field here: lists, mappings, unknown keys."""
        return {name: value for name, value in given.items() if name not in self.fields} | self.values()

    def clear_errors(self) -> None:
        """Nothing is wrong any more."""
        for field in self.fields.values():
            field.say("")


def in_order(widgets: Sequence[QWidget]) -> None:
    """Let the tab key go through them one after the other, however late they were made."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)


def refused_text(count: int) -> str:
    """What is said below forms of which so many fields are refused."""
    return f"{'A setting is' if count == 1 else f'{count} settings are'} refused: see the fields in red"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(getattr(value, "value", value))
