"""Which fonts are used: Inter for words, JetBrains Mono for numbers, bundled under the OFL."""

from functools import cache
from pathlib import Path

from PyQt6.QtGui import QFont, QFontDatabase

WORDS = "Inter"
NUMBERS = "JetBrains Mono"
FOLDER = Path(__file__).parent / "fonts"


def load_fonts() -> list[str]:
    """Register the bundled fonts with Qt and give back the families found; needs a QGuiApplication.

    Where a file cannot be read, Qt takes the system's sans-serif or monospaced font in its place.
    """
    families: set[str] = set()
    for file in sorted(FOLDER.glob("*.ttf")):
        number = QFontDatabase.addApplicationFont(str(file))
        if number >= 0:
            families.update(QFontDatabase.applicationFontFamilies(number))
    return sorted(families)


@cache
def words(pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font for words, its height in pixels of what is drawn on."""
    return _font(WORDS, QFont.StyleHint.SansSerif, pixels, weight)


@cache
def numbers(pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font for numbers: every digit has one width."""
    return _font(NUMBERS, QFont.StyleHint.Monospace, pixels, weight)


def _font(family: str, hint: QFont.StyleHint, pixels: int, weight: QFont.Weight) -> QFont:
    font = QFont(family)
    font.setStyleHint(hint)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    # Ligatures would join ">=" and "->" in numbers' font.
    font.setFeature(QFont.Tag("calt"), 0)
    return font
