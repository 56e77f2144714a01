"""How a theme becomes the application's look: Fusion, a palette, one style sheet, the bundled fonts."""

from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication

from app.theme.fonts import load_fonts, words
from app.theme.style import style_sheet
from app.theme.tokens import Theme, blend


def palette(theme: Theme) -> QPalette:
    """What Fusion draws with where the style sheet says nothing."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.bg0,
        role.WindowText: theme.text,
        role.Base: theme.chart,
        role.AlternateBase: blend(theme.card, theme.chart, 0.45),
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.card,
        role.ButtonText: theme.text,
        role.BrightText: theme.down,
        role.Highlight: blend(theme.accent, theme.card, 0.32),
        role.HighlightedText: theme.text,
        role.ToolTipBase: theme.card,
        role.ToolTipText: theme.text,
        role.Link: theme.accent,
        role.Light: theme.hover,
        role.Midlight: theme.hover,
        role.Mid: theme.line,
        role.Dark: theme.bg0,
        role.Shadow: theme.bg0,
    }
    result = QPalette()
    for where, colour in colours.items():
        result.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, where, QColor(theme.faint))
    return result


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application a look; called at the start and when the user chooses another theme.

    Where it has that look already nothing is done: Qt would polish every widget anew.
    """
    sheet = style_sheet(theme)
    if app.styleSheet() == sheet:
        return
    load_fonts()
    app.setStyle("Fusion")
    app.setFont(words(13))
    app.setPalette(palette(theme))
    app.setStyleSheet(sheet)
