"""How runs come from files and go to them: opened, begun, saved, exported as tables, pictures and reports."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog, QInputDialog

from app.dialogs.run import RunDialog
from app.opening import hand_session, new_session, sample_config, saved_session
from app.replay.export import columns_of, write_columns, write_tables
from app.session import RunSession
from engine.config import BacktestConfig
from engine.errors import SaveError
from engine.run_folders import new_folder

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Files:
    """Slots of the window's file menu and start page.

    Args:
        window: whose files they are.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

    # Opening

    def start_choice(self, key: str) -> None:
        """A choice on the start page."""
        if key == "sample":
            self.run(sample_config(), False)
        elif key == "data":
            self.ask_data()
        elif key == "open":
            self.ask_folder()
        else:
            self.ask_run(None, key == "hand")

    def open_recent(self, text: str) -> None:
        """A recent run folder or configuration."""
        path = Path(text)
        if path.is_dir():
            self.open_folder(path)
        else:
            self.ask_run(path, False)

    def run(self, config: BacktestConfig, by_hand: bool) -> None:
        """Begin a run and play it from its first bars."""
        make = hand_session if by_hand else new_session
        own_process = self._window.own_process
        self._window.load(config.name, lambda: make(config, own_process))

    def open_folder(self, folder: Path) -> None:
        """Open a saved run."""
        self._window.load(str(folder), lambda: saved_session(folder))

    def ask_folder(self) -> None:
        """Ask for a run folder, and open it."""
        folder = QFileDialog.getExistingDirectory(self._window, "Open run folder", "runs")
        if folder:
            self.open_folder(Path(folder))

    def ask_data(self) -> None:
        """Ask for a file of bars, and for how it is to be run."""
        file, _ = QFileDialog.getOpenFileName(
            self._window, "Open data file", "", "Bars (*.csv *.csv.gz *.txt *.parquet);;All files (*)"
        )
        if file:
            self._show_run_dialog(RunDialog.for_data(Path(file), self._window))

    def ask_run(self, file: Path | None, by_hand: bool) -> None:
        """Ask what is to be run, beginning with a configuration file where there is one."""
        self._show_run_dialog(RunDialog(file, by_hand=by_hand, parent=self._window))

    def _show_run_dialog(self, dialog: RunDialog) -> None:
        dialog.accepted.connect(lambda: self._begin(dialog))
        self._window.open_dialog(dialog)

    def _begin(self, dialog: RunDialog) -> None:
        if dialog.config is not None:
            self.run(dialog.config, dialog.by_hand.isChecked())
            if dialog.file is not None:
                self._window.workspace.remember(str(dialog.file.resolve()))

    # Keeping and exporting

    def _writable(self) -> RunSession | None:
        """The run whose course the engine can write down now; while it computes a branch, that is said."""
        session = self._window.session
        if session is not None and session.branching:
            self._window.announce("A branch is being computed: save or report once it is shown")
            return None
        return session

    def save_as(self) -> None:
        """Ask where, and save the shown course as a run folder."""
        session = self._writable()
        if session is None:
            return
        proposed = str(new_folder(session.config.output.folder, session.config.name, datetime.now()))  # noqa: DTZ005 - own time
        name, _ = QFileDialog.getSaveFileName(self._window, "Save run as a folder", proposed)
        if name and self._window.session is session:
            session.save(Path(name), report=True)
            self._window.wake()

    def ask_export(self, kind: str) -> None:
        """Ask where, and write every table up to the cursor; ``kind``: csv or parquet."""
        session = self._window.session
        folder = QFileDialog.getExistingDirectory(self._window, "Export tables into a folder") if session else ""
        if session is not None and folder:
            self.export_all(session, Path(folder), kind)

    def export_all(self, session: RunSession, folder: Path, kind: str) -> None:
        """Write every table up to the cursor."""
        try:
            files = write_tables(session.facts, session.model.store, session.model.cursor, folder, kind)
            self._window.announce(f"{len(files)} tables up to the cursor are in {folder}")
        except SaveError as error:
            self._window.announce(str(error), "error")

    def ask_table(self, table: str) -> None:
        """Ask where, and write one table up to the cursor."""
        session, name = self._window.session, {"log": "events"}.get(table, table)
        if session is None:
            return
        file, _ = QFileDialog.getSaveFileName(
            self._window, f"Export {table}", f"{name}.csv", "CSV (*.csv);;Parquet (*.parquet)"
        )
        if not file:
            return
        path = Path(file) if Path(file).suffix in (".csv", ".parquet") else Path(f"{file}.csv")
        try:
            write_columns(columns_of(session.facts, session.model.store, name, session.model.cursor), path)
            self._window.announce(f"{table} up to the cursor are in {path}")
        except OSError as error:
            self._window.announce(f"{path} cannot be written: {error.strerror}; choose another place", "error")

    def ask_picture(self) -> None:
        """Ask for a chart and where, and write it as it is shown."""
        names = [*(chart.symbol for chart in self._window.charts.charts), "Equity and drawdown"]
        name, given = QInputDialog.getItem(self._window, "Export chart", "Which chart", names, 0, False)
        if not given:
            return
        file, _ = QFileDialog.getSaveFileName(self._window, "Export chart", f"{name}.png", "PNG (*.png)")
        if file:
            self.export_png(Path(file), -1 if name == names[-1] else names.index(name))

    def export_png(self, file: Path, which: int = 0) -> None:
        """Write a chart as it is shown; ``which`` counts from the top, -1 is the equity chart."""
        chart = self._window.equity.chart if which < 0 else self._window.charts.charts[which]
        if chart is not None and chart.grab().save(str(file), "PNG"):
            self._window.announce(f"The chart is in {file}")
        else:
            self._window.announce(f"{file} cannot be written; choose another place", "error")

    def ask_report(self) -> None:
        """Ask where, and write the shown course's report."""
        session = self._writable()
        folder = QFileDialog.getExistingDirectory(self._window, "Write report.html into a folder") if session else ""
        if session is not None and folder and self._window.session is session:
            session.report(Path(folder))
            self._window.wake()
