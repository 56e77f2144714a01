"""Where the crosshair is, for all charts that share it, and what the legend says there."""

from dataclasses import dataclass

from app.charts.bars import Bar
from app.charts.frame import Window
from app.charts.prices import PriceFormat, compact, number
from app.theme.tokens import Theme

NOTHING = "\N{EN DASH}"


@dataclass(slots=True)
class Crosshair:
    """The bar that the mouse points at, in master bars, and in one pane of one chart also a value.

    Attributes:
        bar: master bar, None while the mouse is over no bar that is known.
        owner: name of the chart and pane that the mouse is in.
        x, y: where the mouse is in that chart, logical pixels.
        revision: grows with every change.
    """

    bar: int | None = None
    owner: tuple[object, str] | None = None
    x: float = 0.0
    y: float = 0.0
    revision: int = 0

    def move(self, bar: int | None, owner: tuple[object, str], x: float, y: float) -> None:
        """The mouse points here."""
        self.bar, self.owner, self.x, self.y = bar, owner, x, y
        self.revision += 1

    def leave(self) -> None:
        """The mouse is nowhere."""
        self.bar = self.owner = None
        self.revision += 1


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a legend: text, colour, whether it is a number, and whether it belongs to the piece before it."""

    text: str
    colour: str
    numeric: bool = True
    tied: bool = False


def bar_at(window: Window, index: int) -> Bar | None:
    """What is visible of a bar; None outside of what is known."""
    if not 0 <= index < window.cut.count:
        return None
    return window.cut.tail if index == window.cut.whole else window.view.store.bar(index)


def bar_words(window: Window, index: int, form: PriceFormat, theme: Theme) -> list[Words]:
    """O H L C, the change from the close before, and the volume of a bar: only what is known of it."""
    bar = bar_at(window, index)
    if bar is None:
        return []
    if bar.synthetic:
        return [Words("no trade in this bar", theme.muted, numeric=False)]
    opening = window.cut.opening and index == window.cut.whole
    colour = theme.amber if opening else theme.up if bar.close >= bar.open else theme.down
    rest = [NOTHING] * 3 if opening else [form.text(price) for price in (bar.high, bar.low, bar.close)]
    pieces: list[Words] = []
    for letter, text in zip("OHLC", (form.text(bar.open), *rest), strict=True):
        pieces += [Words(letter, theme.muted), Words(text, colour, tied=True)]
    if not opening and index > 0:
        pieces += _change(bar.close, float(window.view.store.close[index - 1]), form, colour)
    volume = NOTHING if opening else compact(bar.volume)
    return [*pieces, Words("Vol", theme.muted, numeric=False), Words(volume, theme.text, tied=True)]


def _change(close: float, before: float, form: PriceFormat, colour: str) -> list[Words]:
    move = close - before
    if move != move:
        return []
    share = f" ({number(100 * move / before, 2, signed=True)}%)" if before > 0 else ""
    return [Words(f"{number(move, form.decimals, signed=True)}{share}", colour)]
