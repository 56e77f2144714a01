"""Text is readable in every theme, the style sheet is complete, the fonts are there with their licences."""

import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtGui import QFontInfo, QFontMetricsF, QPalette
from PyQt6.QtWidgets import QApplication

from app.theme import DARK, THEMES, Theme, apply_theme
from app.theme.fonts import FOLDER, NUMBERS, WORDS, load_fonts, numbers, words
from app.theme.style import style_sheet
from app.theme.tokens import SERIES, blend, contrast

EVERY = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())


@EVERY
@pytest.mark.parametrize("token", ["text", "muted", "up", "down", "amber", "violet", "accent", "cyan"])
def test_text_on_every_surface_reaches_aa(theme: Theme, token: str) -> None:
    surfaces = (theme.bg0, theme.chart, theme.card)

    assert min(contrast(theme.colour(token), surface) for surface in surfaces) >= 4.5


@EVERY
@pytest.mark.parametrize("token", ["up", "down", "accent", "amber", "violet"])
def test_text_on_filled_buttons_and_tags_reaches_aa(theme: Theme, token: str) -> None:
    """White on red would fail."""
    assert contrast(theme.on_fill, theme.colour(token)) >= 4.5


def test_contrast_is_that_of_the_guideline() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_blend_lies_between_its_colours() -> None:
    assert blend("#ffffff", "#000000", 0.5) == "#808080"
    assert blend("#102030", "#ffffff", 1.0) == "#102030"


def test_tokens_of_series_exist_and_an_unknown_token_is_an_error() -> None:
    assert all(DARK.colour(token).startswith("#") for token in SERIES)
    assert DARK.colour("#123456") == "#123456"
    with pytest.raises(AttributeError):
        DARK.colour("pink")


@EVERY
def test_the_style_sheet_has_every_token_filled_in_and_qt_takes_it(theme: Theme, qapp: QApplication) -> None:
    """Qt says so in a warning, and a warning fails the test, where it cannot parse a sheet."""
    sheet = style_sheet(theme)

    assert "$" not in sheet
    assert sheet.count("{") == sheet.count("}")
    apply_theme(qapp, theme)
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == theme.bg0
    apply_theme(qapp, DARK)


def test_the_bundled_fonts_are_used(qapp: QApplication) -> None:
    families = load_fonts()

    assert {WORDS, NUMBERS} <= set(families)
    assert QFontInfo(words(13)).family() == WORDS
    assert QFontInfo(numbers(13)).family() == NUMBERS


@pytest.mark.usefixtures("look")
def test_every_digit_has_one_width() -> None:
    metrics = QFontMetricsF(numbers(12))

    assert len({metrics.horizontalAdvance(character) for character in "0123456789.,+-\N{MINUS SIGN}"}) == 1


def test_fonts_come_with_their_licences_and_stay_small() -> None:
    licences = sorted(FOLDER.glob("*OFL.txt"))

    assert len(licences) == 2
    assert all("SIL OPEN FONT LICENSE Version 1.1" in file.read_text(encoding="utf-8") for file in licences)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 500_000


def test_stores_pyramids_and_models_need_no_qt(repo_root: Path) -> None:
    modules = "bars columns cursor levels line_pyramid marks prices pyramid scale tags ticks timeframe viewport"
    code = f"import sys\nfor name in '{modules}'.split(): __import__('app.charts.' + name)\n"
    code += "sys.exit(any(name.startswith(('PyQt', 'pyqtgraph')) for name in sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, timeout=60, check=False)

    assert done.returncode == 0
