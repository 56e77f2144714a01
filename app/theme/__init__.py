"""The look: tokens, palette, style sheet, fonts."""

from app.theme.apply import apply_theme
from app.theme.tokens import COLOUR_BLIND, DARK, HIGH_CONTRAST, LIGHT, THEMES, Theme

__all__ = ["COLOUR_BLIND", "DARK", "HIGH_CONTRAST", "LIGHT", "THEMES", "Theme", "apply_theme"]
