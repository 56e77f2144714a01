"""Which colours everything has: four tables of tokens, and how two colours blend.

Contrast: text on every surface and on every filled button reaches 4.5 : 1 (a test computes it); ``faint`` is for
decoration only. Colour never stands alone: sides carry L and S or an arrow, results a sign.
"""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A table of colours, each as ``#rrggbb``.

    Attributes:
        name: what the settings call it.
        dark: whether surfaces are darker than text.
        bg0, chart, card, hover, line, grid: surfaces, from the window's ground up.
        text, muted, faint: text, labels, decoration.
        accent: the one colour of what is active; average entry.
        up, down, wick_up, wick_down, volume_up, volume_down: bars and results.
        amber: cursor and phase. violet: short. cyan: the second indicator colour.
        on_fill: text on filled buttons and tags.
        hollow: rising candles are drawn hollow, so that they differ by more than colour.
    """

    name: str
    dark: bool
    bg0: str
    chart: str
    card: str
    hover: str
    line: str
    grid: str
    text: str
    muted: str
    faint: str
    accent: str
    up: str
    down: str
    wick_up: str
    wick_down: str
    volume_up: str
    volume_down: str
    amber: str
    violet: str
    cyan: str
    on_fill: str
    hollow: bool = False

    def colour(self, name: str) -> str:
        """A token's colour; a ``#rrggbb`` stays what it is. AttributeError for an unknown token."""
        return name if name.startswith("#") else str(getattr(self, name))

    def colours(self) -> dict[str, str]:
        """Every colour by its token's name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.type is str and f.name != "name"}


DARK = Theme(
    name="dark",
    dark=True,
    bg0="#0b0e14",
    chart="#11151d",
    card="#171c26",
    hover="#1f2632",
    line="#252d3a",
    grid="#1a202b",
    text="#dbe1ea",
    muted="#8d98aa",
    faint="#5b6577",
    accent="#4c8dff",
    up="#2ebd85",
    down="#f6465d",
    wick_up="#1c7a58",
    wick_down="#a03344",
    volume_up="#1d4f46",
    volume_down="#5a2733",
    amber="#f0b429",
    violet="#9d7bff",
    cyan="#35c4dc",
    on_fill="#0b0e14",
)

LIGHT = Theme(
    name="light",
    dark=False,
    bg0="#e9edf3",
    chart="#ffffff",
    card="#f7f9fc",
    hover="#e3e9f2",
    line="#cbd3df",
    grid="#eef1f6",
    text="#18202c",
    muted="#566275",
    faint="#98a3b3",
    accent="#1f5fd0",
    up="#0a7a52",
    down="#c2213b",
    wick_up="#4fa585",
    wick_down="#dd7686",
    volume_up="#bfe3d6",
    volume_down="#f3c6cd",
    amber="#8a5a00",
    violet="#6238cf",
    cyan="#0a6f83",
    on_fill="#ffffff",
)

HIGH_CONTRAST = replace(
    DARK,
    name="high contrast",
    bg0="#000000",
    chart="#000000",
    card="#0a0a0a",
    hover="#2a2a2a",
    line="#7a8494",
    grid="#2c3440",
    text="#ffffff",
    muted="#d0d6e0",
    faint="#9aa4b4",
    accent="#6ea8ff",
    up="#3ee6a3",
    down="#ff6b7f",
    wick_up="#3ee6a3",
    wick_down="#ff6b7f",
    volume_up="#1f7a58",
    volume_down="#8f3545",
    amber="#ffc83d",
    violet="#bda4ff",
    cyan="#5fe0f5",
    on_fill="#000000",
    hollow=True,
)

COLOUR_BLIND = replace(
    DARK,
    name="colour-blind",
    up="#4ea1ff",
    down="#f0a030",
    wick_up="#2f6bb0",
    wick_down="#9a6a22",
    volume_up="#22456b",
    volume_down="#5c4320",
    accent="#8fb8e8",
    amber="#f5d76e",
    violet="#c79bff",
    cyan="#7fe0e8",
    hollow=True,
)

# Tokens for indicator lines, in the order in which they are given out.
SERIES = ("amber", "cyan", "violet", "accent", "muted")

THEMES = {theme.name: theme for theme in (DARK, LIGHT, HIGH_CONTRAST, COLOUR_BLIND)}


def blend(over: str, under: str, share: float) -> str:
    """``over`` drawn on ``under`` with that opacity, as one opaque colour: translucent drawing is slow."""
    mixed = (round(a * share + b * (1 - share)) for a, b in zip(_channels(over), _channels(under), strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def contrast(first: str, second: str) -> float:
    """Contrast of two colours by WCAG 2.2: 1 (none) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = []
    for channel in _channels(colour):
        share = channel / 255
        linear.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
