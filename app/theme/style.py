"""How controls look: one style sheet, written from the tokens (4 px grid, radius 6, hairlines, 22 px rows)."""

from pathlib import Path
from string import Template

from app.theme.tokens import Theme, blend

ICONS = Path(__file__).parent / "icons"

_SHEET = Template("""
* { font-family: "Inter"; font-size: 13px; }
QWidget { color: $text; background: $bg0; selection-background-color: $selection; selection-color: $text; }
QLabel { background: transparent; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="number"], QTableView[role="number"], QLineEdit[role="number"] { font-family: "JetBrains Mono"; }
QLabel[role="figures"] { font-family: "JetBrains Mono"; font-size: 12px; }
QLabel[role="unit"] { color: $muted; font-size: 12px; }
QPushButton[role="choice"] { padding: 0; min-height: 52px; }
QPushButton[role="choice"] QLabel { background: transparent; }
QPushButton[role="choice"][tone="accent"] QLabel { color: $on_fill; }
QPushButton[role="choice"] QLabel[role="name"] { font-weight: 600; }
QLabel[role="heading"] { color: $muted; font-size: 11px; font-weight: 600; }
QLabel[tone="up"] { color: $up; }
QLabel[tone="down"] { color: $down; }
QLabel[tone="amber"] { color: $amber; }
QLabel[tone="accent"] { color: $accent; }
QLabel[tone="violet"] { color: $violet; }
QFrame[role="card"] { background: $card; border: 1px solid $line; border-radius: 6px; }
QFrame[role="card"] QLabel, QFrame[role="card"] QCheckBox { background: transparent; }
QFrame[role="rule"] { background: $line; border: none; }

QPushButton, QToolButton {
    background: $card; border: 1px solid $line; border-radius: 6px; padding: 4px 12px; min-height: 20px;
}
QToolButton { padding: 4px 8px; }
QToolButton[role="bar"] { padding: 4px 6px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:checked, QToolButton:checked { background: $active; border-color: $accent_line; color: $text; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $faint; background: $bg0; }
QToolButton[flat="true"] { background: transparent; border-color: transparent; }
QToolButton[flat="true"]:hover { background: $hover; }
QToolButton[flat="true"]:checked { background: $active; }
QPushButton[tone="accent"], QToolButton[tone="accent"] { background: $accent; color: $on_fill; border-color: $accent; }
QPushButton[tone="up"] { background: $up; color: $on_fill; border-color: $up; font-weight: 600; }
QPushButton[tone="down"] { background: $down; color: $on_fill; border-color: $down; font-weight: 600; }
QPushButton[tone="accent"]:hover, QToolButton[tone="accent"]:hover { background: $accent_hover; }
QPushButton[tone="up"]:hover { background: $up_hover; }
QPushButton[tone="down"]:hover { background: $down_hover; }
QPushButton[tone]:disabled { background: $card; color: $faint; border-color: $line; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateTimeEdit, QPlainTextEdit, QTextEdit {
    background: $chart; border: 1px solid $line; border-radius: 6px; padding: 3px 8px; min-height: 20px;
}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled, QDateTimeEdit:disabled {
    color: $faint; background: $bg0;
}
QLineEdit, QComboBox, QPlainTextEdit { placeholder-text-color: $muted; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QDateTimeEdit:focus, QPlainTextEdit:focus {
    border-color: $accent;
}
QLineEdit[invalid="true"], QSpinBox[invalid="true"], QDoubleSpinBox[invalid="true"] { border-color: $down; }
QSpinBox, QDoubleSpinBox, QDateTimeEdit { font-family: "JetBrains Mono"; }
QPlainTextEdit { font-family: "JetBrains Mono"; font-size: 12px; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow, QDateTimeEdit::down-arrow {
    image: none; width: 0; height: 0; margin-right: 8px;
    border-left: 4px solid $chart; border-right: 4px solid $chart; border-top: 5px solid $muted;
}
QDateTimeEdit::drop-down { border: none; width: 20px; }
QComboBox QAbstractItemView, QMenu {
    background: $card; border: 1px solid $line; border-radius: 6px; padding: 4px; outline: 0;
}
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 4px; background: transparent; }
QMenu::item:selected, QComboBox QAbstractItemView::item:selected { background: $hover; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenuBar { background: $bg0; }
QMenuBar::item { padding: 4px 10px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: $hover; }

QTableView, QTreeView, QListView {
    background: $chart; alternate-background-color: $row; border: 1px solid $chart; gridline-color: $grid; outline: 0;
}
QTableView::item { padding: 0 5px; border: none; }
QTreeView::item, QListView::item { padding: 0 6px; border: none; }
QListView::item { padding: 3px 8px; }
QTableView, QListView { placeholder-text-color: $muted; }
QTreeView::item { padding: 2px 8px; }
QListView:focus, QTableView:focus, QTreeView:focus { border: 1px solid $accent_line; }
QTableView::item:hover, QTreeView::item:hover, QListView::item:hover { background: $hover; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected { background: $selection; color: $text; }
QHeaderView { background: $chart; }
QHeaderView::section {
    background: $chart; color: $muted; border: none; border-bottom: 1px solid $line; padding: 3px 9px; font-weight: 500;
    font-size: 12px;
}
QAbstractScrollArea::corner { background: transparent; border: none; }
QTableCornerButton::section { background: $chart; border: none; }

QTabWidget::pane { border: none; border-top: 1px solid $line; }
QTabBar { background: $bg0; }
QTabBar::tab {
    background: transparent; color: $muted; padding: 6px 12px; border: none; border-bottom: 2px solid transparent;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }

QDockWidget {
    color: $muted;
    titlebar-close-icon: url("$icons/close-$ink.svg"); titlebar-normal-icon: url("$icons/float-$ink.svg");
}
QDockWidget::title { background: $bg0; padding: 5px 8px; border-bottom: 1px solid $line; text-align: left; }
QMainWindow::separator { background: $bg0; width: 4px; height: 4px; }
QMainWindow::separator:hover { background: $accent_line; }
QSplitter::handle { background: $bg0; }
QSplitter::handle:hover { background: $accent_line; }
QStatusBar { background: $bg0; color: $muted; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QToolBar { background: $bg0; border: none; border-bottom: 1px solid $line; spacing: 4px; padding: 4px; }
QToolBar::separator { background: $line; width: 1px; margin: 4px 6px; }
QToolTip { background: $card; color: $text; border: 1px solid $line; padding: 4px 6px; }
QGroupBox { border: 1px solid $line; border-radius: 6px; margin-top: 8px; padding-top: 8px; }
QGroupBox::title { subcontrol-origin: margin; left: 8px; padding: 0 4px; color: $muted; }

QCheckBox, QRadioButton { background: transparent; spacing: 8px; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $faint; border-radius: 3px; background: $chart; }
QCheckBox::indicator:checked {
    background: $accent; border-color: $accent; image: url("$icons/check-$fill.svg");
}
QCheckBox::indicator:focus, QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:disabled { border-color: $line; }
QCheckBox:disabled { color: $faint; }
QSlider { background: transparent; }
QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: $text; }
QSlider::handle:horizontal:focus { background: $accent; }
QProgressBar { background: $line; border: none; border-radius: 3px; height: 6px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


def style_sheet(theme: Theme) -> str:
    """The style sheet of a theme; roles and tones are dynamic properties (``role="card"``, ``tone="up"``)."""
    lighter = "#ffffff" if theme.dark else "#000000"
    return _SHEET.substitute(
        theme.colours(),
        row=blend(theme.card, theme.chart, 0.45),
        selection=blend(theme.accent, theme.card, 0.32),
        active=blend(theme.accent, theme.card, 0.24),
        icons=ICONS.as_posix(),
        ink="dark" if theme.dark else "light",
        fill="dark" if theme.dark else "light",
        accent_line=blend(theme.accent, theme.line, 0.55),
        accent_hover=blend(lighter, theme.accent, 0.12),
        up_hover=blend(lighter, theme.up, 0.12),
        down_hover=blend(lighter, theme.down, 0.12),
    )
