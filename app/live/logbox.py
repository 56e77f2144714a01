"""The log in the window: what was logged anywhere, taken in once a frame."""

import logging
import time
from collections import deque

from PyQt6.QtWidgets import QPlainTextEdit

from data.tradestation.tokenstore import Redacting

MOST_LINES = 2_000


class _Waiting(logging.Handler):
    """Keeps lines until the window takes them; any thread may log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        form = logging.Formatter("%(asctime)sZ %(levelname)-7s %(message)s", "%H:%M:%S")
        form.converter = time.gmtime  # as in the log file: the same line has the same time in both
        self.setFormatter(form)
        self.addFilter(Redacting())
        # What the feeds make of a broken line is said by them, in words.
        self.addFilter(lambda record: not record.name.startswith("urllib3"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class LogBox(QPlainTextEdit):
    """The newest lines of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setMaximumBlockCount(MOST_LINES)
        self.setAccessibleName("Log")
        self._waiting = _Waiting()
        logging.getLogger().addHandler(self._waiting)

    def refresh(self) -> None:
        """Show what was logged since the last frame."""
        lines: list[str] = []
        while self._waiting.lines:
            lines.append(self._waiting.lines.popleft())
        if lines:
            self.appendPlainText("\n".join(lines))

    def end(self) -> None:
        """Listen no longer."""
        logging.getLogger().removeHandler(self._waiting)
