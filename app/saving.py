"""What is seen while finished branches are saved at the end of a run: nothing if it is quick, else how far it is."""

import time

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QProgressDialog

SOON = 0.4  # seconds of saving of which nothing is said


class SavingNotice:
    """Tells how many branches are saved, and offers to leave the others; it stands alone, the window may be hidden.

    Attributes:
        dialog: what is shown, None while nothing is.
    """

    def __init__(self) -> None:
        self.dialog: QProgressDialog | None = None
        self._begun = time.monotonic()

    def goes_on(self, done: int, total: int) -> bool:
        """Called again and again while ``done`` of ``total`` branches are saved; False: leave the rest unsaved."""
        if self.dialog is None and time.monotonic() - self._begun > SOON:
            self.dialog = QProgressDialog("", "Close without saving the rest", 0, total)
            self.dialog.setWindowTitle("Triphase")
            self.dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
            self.dialog.setMinimumDuration(0)
        if self.dialog is None:
            return True
        self.dialog.setLabelText(f"Saving finished branches: {done} of {total}")
        self.dialog.setValue(done)
        QApplication.processEvents()
        return not self.dialog.wasCanceled()

    def end(self) -> None:
        """Take it away."""
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
            self.dialog = None
