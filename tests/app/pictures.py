"""Pictures of every screen of the real application, for eyes and for the documents.

``python -m tests.app.pictures OUT`` paints them offscreen where QT_QPA_PLATFORM names nothing else; ``--scale 2`` for a
screen of twice as many pixels; ``--documents`` writes those that the documents show, small.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.theme.tokens import THEMES, Theme

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QDialog, QWidget

    from app.session import RunSession

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "configs" / "sample.yaml"
SIZE = (1600, 950)
# What the documents show: theme -> screen -> file.
DOCUMENTS = {
    "dark": {
        "replay": "replay", "intrabar": "intrabar", "why": "why", "branch": "branch", "run-dialog-bot": "run-dialog",
        "statistics-figures": "statistics", "statistics-r": "statistics-r", "learned-exit": "learned-exit",
        "start": "start",
    },
    "light": {"replay": "replay-light"},
    "high contrast": {"replay": "replay-high-contrast"},
    "colour-blind": {"replay": "replay-colour-blind"},
}  # fmt: skip
COLOURS = 256


class Stage:
    """A window to take pictures of, over a run of the sample.

    Attributes:
        window: the window; app: its application.
    """

    def __init__(self, folder: Path, theme: str) -> None:
        from PyQt6.QtWidgets import QApplication

        from app.main_window import MainWindow
        from app.workspace import Workspace

        self.app: QApplication = QApplication.instance() or QApplication(["pictures"])  # type: ignore[assignment]
        self.window: MainWindow = MainWindow(Workspace(folder / "window.json", theme=theme), own_process=False)
        self.window.resize(*SIZE)
        self.window.show()
        self.frames(3)

    def frames(self, count: int) -> None:
        """Let so many frames pass."""
        for _ in range(count):
            self.window.clock.tick()
            self.app.processEvents()

    def until(self, condition: Callable[[], bool]) -> None:
        """Let frames pass until something holds."""
        end = time.monotonic() + 60.0
        while not condition():
            self.window.wake()
            if time.monotonic() > end:
                raise TimeoutError("waited a minute in vain")
            self.frames(1)
            time.sleep(0.004)

    @property
    def session(self) -> "RunSession":
        """The run that is open."""
        assert self.window.session is not None
        return self.window.session

    def open(self, *, exit_name: str | None = None) -> None:
        """Run the sample, to its end."""
        from app.opening import new_session
        from engine.config import load_config

        config = load_config(SAMPLE).with_overrides(("output.report=false",))
        if exit_name is not None:
            config = config.with_part("exit", {"name": exit_name}, f"exit={exit_name}")
        self.window.load("the sample", lambda: new_session(config, False))
        self.until(lambda: self.window.session is not None and not self.window.session.running)
        self.until(lambda: self.session.courses[0].folder is not None)
        foot = self.window.statusBar()
        if foot is not None:
            foot.clearMessage()  # that it was saved has been read
        self.frames(4)

    def go(self, bar: int, phase: int = 2) -> None:
        """Move the cursor."""
        from app.charts.cursor import Cursor
        from engine.kernel.schema import Phase

        self.window.go(Cursor(bar, Phase(phase)))
        self.frames(8)

    def stop_out(self, column: int = 0, after: int = 2000) -> int:
        """A bar in which the stop of a symbol's position is hit on the way."""
        from engine.kernel.schema import Phase, Reason

        rows = self.session.model.store.fills.rows
        found = (rows["symbol"] == column) & (rows["reason"] == Reason.STOP_LOSS) & (rows["phase"] == Phase.INTRABAR)
        return next(int(bar) for bar in rows["bar"][found] if bar > after)

    def held(self, column: int = 0, after: int = 2000) -> int:
        """A bar in the middle of a trade of a symbol."""
        rows = self.session.model.store.trades.rows
        long_enough = rows[(rows["symbol"] == column) & (rows["exit_bar"] - rows["entry_bar"] > 24)]
        trade = next(row for row in long_enough if row["entry_bar"] > after)
        return int(trade["entry_bar"] + 18)

    def tab(self, title: str) -> None:
        """Show a page of the activity dock."""
        self.window.docks["Activity"].raise_()
        tabs = self.window.activity.tabs
        tabs.setCurrentIndex([tabs.tabText(number) for number in range(tabs.count())].index(title))
        self.frames(4)

    def dialog(self, dialog: "QDialog") -> "QWidget":
        """Show a dialog."""
        dialog.setModal(False)
        self.window.open_dialog(dialog)
        self.frames(4)
        return dialog


def start(stage: Stage) -> "QWidget":
    """The start page with recent runs."""
    stage.window.close_session()
    stage.window.start_page.set_recent(stage.window.workspace.recent)
    stage.frames(3)
    return stage.window


def replay(stage: Stage) -> "QWidget":
    """A position is held, the bar is closed."""
    stage.go(stage.held())
    stage.tab("Trades")
    return stage.window


def intrabar(stage: Stage) -> "QWidget":
    """The stop is hit on the way through the bar."""
    stage.go(stage.stop_out(), 1)
    stage.window.charts.charts[0].viewport_model.span = 60.0
    stage.tab("Fills")
    return stage.window


def opening(stage: Stage) -> "QWidget":
    """Of the bar its open alone is known."""
    stage.go(stage.stop_out(), 0)
    stage.tab("Log")
    return stage.window


def first_bars(stage: Stage) -> "QWidget":
    """Where a run begins."""
    stage.window.charts.charts[0].viewport_model.span = 160.0
    stage.go(12)
    stage.tab("Trades")
    return stage.window


def orders(stage: Stage) -> "QWidget":
    """The table of orders, in a chart of longer bars with an indicator of its own pane."""
    window = stage.window
    stage.go(stage.held())
    window.chart_bar.timeframe_chosen.emit("15m")
    window.charts.set_indicators([
        {"name": "ema", "parameters": {"period": 21}}, {"name": "bollinger"}, {"name": "rsi"},
    ])  # fmt: skip
    stage.tab("Orders")
    return window


def why(stage: Stage) -> "QWidget":
    """The inspector on a fill."""
    window = stage.window
    window.chart_bar.timeframe_chosen.emit(None)
    window.charts.set_indicators([{"name": "ema", "parameters": {"period": 50}}])
    stage.go(stage.stop_out(), 1)
    rows = stage.session.model.store.fills.rows
    index = next(i for i, row in enumerate(rows) if row["bar"] == stage.stop_out() and row["symbol"] == 0)
    window.docks["Why"].raise_()
    window.handling.explain_fill(index)
    stage.until(lambda: not window.inspector.waiting and not stage.session.asking)
    return window


def branch(stage: Stage) -> "QWidget":
    """An order by hand: the branch beside its parent, an order that works."""
    window, session = stage.window, stage.session
    window.charts.charts[0].viewport_model.span = 160.0
    stage.go(stage.held(), 0)
    form, mark = session.facts.forms[0], session.facts.mark(0, session.model.cursor)
    window.handling.act({"type": "close", "symbol": session.facts.symbols[0]})
    stage.until(lambda: not session.branching)
    limit = {"type": "limit", "symbol": session.facts.symbols[0], "side": "buy", "qty": 1.0}
    window.handling.act(limit | {"limit": form.snapped(mark - 24 * form.tick)})
    stage.until(lambda: not session.branching and not session.running)
    stage.go(session.model.cursor.bar + 6)
    stage.tab("Branches")
    return window


def working(stage: Stage) -> "QWidget":
    """The order that works, chosen."""
    stage.tab("Working")
    stage.window.working.choose(0)
    stage.frames(3)
    return stage.window


def refused(stage: Stage) -> "QWidget":
    """A ticket that would be refused, and says why."""
    ticket = stage.window.ticket
    ticket.quantity.setValue(500)
    stage.frames(4)
    return stage.window


def narrow(stage: Stage) -> "QWidget":
    """A small screen."""
    stage.window.ticket.quantity.setValue(1)
    stage.window.resize(1100, 700)
    stage.tab("Trades")
    stage.frames(4)
    return stage.window


def change_order(stage: Stage) -> "QWidget":
    """Other terms for an order."""
    from app.dialogs.small import ChangeOrderDialog

    stage.window.resize(*SIZE)
    order = stage.session.model.working[0]
    return stage.dialog(ChangeOrderDialog(order, stage.session.facts.forms[order.column], stage.window))


def settings(stage: Stage) -> "QWidget":
    """Other settings from the cursor on, one of them refused."""
    from app.dialogs.settings import SettingsDialog

    dialog = SettingsDialog(stage.session.config, [], stage.window)
    dialog.form.fields["atr_multiple"].put("-2")
    dialog.accept()
    return stage.dialog(dialog)


def indicators(stage: Stage) -> "QWidget":
    """Which indicators are drawn."""
    from app.dialogs.indicators import IndicatorDialog

    dialog = IndicatorDialog(stage.window.charts.chosen, stage.window)
    dialog.choose("macd")
    dialog.search.clear()
    return stage.dialog(dialog)


def pause(stage: Stage) -> "QWidget":
    """When playing stops."""
    from app.dialogs.small import PauseDialog
    from app.replay.playback import Condition, PauseRule

    moments = (datetime(2024, 9, 9, 14, 30), datetime(2024, 9, 2), datetime(2024, 9, 27))  # noqa: DTZ001 - as the window asks
    return stage.dialog(PauseDialog([PauseRule(Condition.STOP_HIT)], *moments, stage.window))


def date(stage: Stage) -> "QWidget":
    """Where to go."""
    from app.dialogs.small import DateDialog

    moments = (datetime(2024, 9, 9, 14, 30), datetime(2024, 9, 2), datetime(2024, 9, 27))  # noqa: DTZ001 - as the window asks
    return stage.dialog(DateDialog(*moments, "Chicago", stage.window))


def shortcuts(stage: Stage) -> "QWidget":
    """The help sheet."""
    from app.dialogs.small import ShortcutSheet

    return stage.dialog(ShortcutSheet(stage.window))


def crash(stage: Stage) -> "QWidget":
    """A bot that raised."""
    from app.dialogs.small import TextDialog

    told = 'Traceback (most recent call last):\n  File "my_bot.py", line 7, in decide_side\nRuntimeError: no more ideas'
    return stage.dialog(TextDialog("The bot stopped the run", "MyBot raised at bar 1,204, OPEN", told, stage.window))


def run_dialog(page: int, *, wrong: bool = False) -> Callable[[Stage], "QWidget"]:
    """A page of the run dialog; with fields that are refused."""

    def screen(stage: Stage) -> "QWidget":
        from app.dialogs.run import RunDialog

        dialog = RunDialog(SAMPLE, parent=stage.window)
        dialog.source.setText("configs/sample.yaml")
        dialog.tabs.setCurrentIndex(page)
        if wrong:
            dialog.bot_form.fields["ema_span"].put(0)
            dialog.exit_form.fields["atr_multiple"].put("wide")
            dialog.check()
        return stage.dialog(dialog)

    return screen


def statistics(page: int) -> Callable[[Stage], "QWidget"]:
    """A page of the statistics, at the run's end."""

    def screen(stage: Stage) -> "QWidget":
        dock = stage.window.docks["Statistics"]
        dock.setVisible(True)
        stage.window.handling.slot("parent")()
        stage.window.handling.slot("end")()
        stage.window.statistics.tabs.setCurrentIndex(page)
        stage.frames(6)
        return dock

    return screen


def learned(stage: Stage) -> "QWidget":
    """What a bandit chose, and how its arms went."""
    stage.window.close_session()
    stage.open(exit_name="linucb")
    stage.go(21_000)
    stage.tab("Multiples")
    return stage.window


def choices(stage: Stage) -> "QWidget":
    """What every multiple was worth to the bandit."""
    stage.tab("Choices")
    return stage.window


SCREENS: dict[str, Callable[[Stage], "QWidget"]] = {
    "replay": replay, "intrabar": intrabar, "open": opening, "first-bars": first_bars, "orders": orders, "why": why,
    "branch": branch, "working": working, "refused": refused, "narrow": narrow, "change-order": change_order,
    "settings": settings, "indicators": indicators, "pause": pause, "date": date, "shortcuts": shortcuts,
    "crash": crash, "run-dialog-account": run_dialog(0), "run-dialog-data": run_dialog(1),
    "run-dialog-rules": run_dialog(2), "run-dialog-bot": run_dialog(3), "run-dialog-exit": run_dialog(4),
    "run-dialog-wrong": run_dialog(3, wrong=True), "statistics-figures": statistics(0),
    "statistics-months": statistics(1), "statistics-r": statistics(2), "statistics-mae": statistics(3),
    "learned-exit": learned, "choices": choices, "start": start,
}  # fmt: skip


def take(theme: str, files: Mapping[str, Path]) -> None:
    """Write pictures of screens in a theme, each to its file."""
    with tempfile.TemporaryDirectory(prefix="triphase-") as folder:
        os.chdir(folder)
        stage = Stage(Path(folder), theme)
        for name, file in files.items():
            if stage.window.session is None and (name != "start" or not stage.window.workspace.recent):
                stage.open()
            widget = SCREENS[name](stage)
            if not widget.grab().save(str(file), "PNG"):
                raise OSError(f"{file} cannot be written")
            if widget.isWindow() and widget is not stage.window:
                widget.close()
        stage.window.close()
        os.chdir(ROOT)


def shrink(file: Path, theme: Theme) -> None:
    """Give a picture a palette: the theme's own colours, then those that are there most; a third of the bytes."""
    from PIL import Image

    with Image.open(file) as image:
        whole = image.convert("RGB")
    counted = sorted(whole.getcolors(whole.width * whole.height) or [], reverse=True)
    own = [tuple(bytes.fromhex(colour[1:])) for colour in theme.colours().values()]
    chosen = list(dict.fromkeys([*own, *(colour for _, colour in counted)]))[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in chosen for channel in colour])
    whole.quantize(palette=palette, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description="Pictures of every screen")
    parser.add_argument("out", type=Path)
    parser.add_argument("--theme", default="dark", choices=tuple(DOCUMENTS))
    parser.add_argument("--scale", type=int, default=1, help="device pixels per logical one")
    parser.add_argument("--only", nargs="*", default=list(SCREENS), choices=list(SCREENS))
    parser.add_argument("--documents", action="store_true", help="those that the documents show, small")
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = str(given.scale)
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    wanted = DOCUMENTS if given.documents else {given.theme: {name: name for name in given.only}}
    for theme, screens in wanted.items():
        files = {screen: out / f"{file}.png" for screen, file in screens.items()}
        take(theme, files)
        if given.documents:
            for file in files.values():
                shrink(file, THEMES[theme])


if __name__ == "__main__":
    main()
