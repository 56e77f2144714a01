"""Where the docks stand: an arrangement is the window's, whatever run is open, and is found again at the next start."""

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QByteArray, Qt

if TYPE_CHECKING:
    from app.main_window import MainWindow

LAYOUT_VERSION = 1
TRADE = 324  # width of account and ticket at first
GAP = 4  # between docks
LATER = ("Statistics",)  # docks that are shown only when they are asked for


class Arrangement:
    """The places of a window's docks, which are in sight only while a run is open.

    Args:
        window: with its docks, as they stand at first.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        for name in LATER:
            window.docks[name].hide()  # else it would come up, and go, each time the first places are restored
        self._fit()
        self._first = window.saveState(LAYOUT_VERSION)
        self._kept: str | None = None
        self._known: list[str] = []  # docks that the arrangement knows: one that is new to it is shown
        self._shown: bool | None = None

    def _fit(self) -> None:
        """No larger than the screen: what lies beyond its edge cannot be reached."""
        screen = self._window.screen()
        if screen is not None:
            self._window.resize(self._window.size().boundedTo(screen.availableGeometry().size()))

    def recall(self, kept: dict[str, Any]) -> None:
        """Take what the window had when it was closed last; what is damaged counts as nothing."""
        docks, state, place = kept.get("docks"), kept.get("state"), kept.get("place")
        if isinstance(state, str) and isinstance(docks, list):
            self._kept, self._known = state, [str(name) for name in docks]
        if isinstance(place, str):
            self._window.restoreGeometry(_bytes(place))

    def remembered(self) -> dict[str, Any]:
        """What the next start is to find."""
        place = {"place": _text(self._window.saveGeometry())}
        return place if self._kept is None else place | {"state": self._kept, "docks": self._known}

    def show(self, on: bool) -> None:
        """Put the docks where they stood when they were seen last, or take them out of sight."""
        before, self._shown = self._shown, on
        if before == on:
            return
        if not on:
            self._leave(bool(before))
        elif self._kept is None:
            self._show_all()
        elif not self._put(self._kept):
            self.as_at_first()
        else:
            for name, dock in self._window.docks.items():
                if name not in self._known:
                    dock.show()

    def _leave(self, seen: bool) -> None:
        if seen:
            self._kept, self._known = self.text(), list(self._window.docks)
        for dock in self._window.docks.values():
            dock.hide()

    def as_at_first(self) -> None:
        """Every dock in its own place, at sizes that suit the window."""
        self._window.restoreState(self._first, LAYOUT_VERSION)
        self._show_all()

    def _show_all(self) -> None:
        size = self._window.size()
        for name, dock in self._window.docks.items():
            dock.setVisible(name not in LATER)
        self._window.docks["Activity"].raise_()
        self._proportion()
        if self._window.size() != size:  # a dock comes as wide as it would like to be, and pushes the window
            self._window.resize(size)
            self._proportion()

    def _proportion(self) -> None:
        """Sizes of the docks in a window as it is first seen; docks that are hidden cannot be sized."""
        window, across, down = self._window, Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        equity, *tables = (window.docks[name] for name in ("Equity and drawdown", "Activity", "Why"))
        side = min(TRADE, window.width() - window.stack.minimumSizeHint().width() - GAP)
        bottom = window.width() - side - 2 * GAP
        # What is wider than there is room for would make the window wider.
        left = max(round(0.25 * bottom), equity.minimumSizeHint().width())
        window.resizeDocks([window.docks["Trade"]], [side], across)
        window.resizeDocks([equity, *tables], [left, *(bottom - left for _ in tables)], across)
        window.resizeDocks([window.docks["Activity"]], [max(round(0.3 * window.height()), 200)], down)

    def text(self) -> str:
        """The docks' places, as text."""
        return _text(self._window.saveState(LAYOUT_VERSION))

    def restore(self, text: str | None) -> bool:
        """Put the docks where a layout has them; None: as at first. False where the text is damaged."""
        good = text is not None and self._put(text)
        if not good:
            self.as_at_first()
        return good or text is None

    def _put(self, text: str) -> bool:
        return bool(self._window.restoreState(_bytes(text), LAYOUT_VERSION))


def _text(state: QByteArray) -> str:
    return bytes(state.toBase64().data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(text.encode("ascii", "replace"))
