"""Where the log of a live command goes: standard error and a file in the account's folder, secrets taken out."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.tradestation.tokenstore import Redacting

_FORMAT = "%(asctime)sZ %(levelname)s %(message)s"
FILE = "live.log"


@contextmanager
def logging_to(folder: Path) -> Iterator[None]:
    """Log until the block ends; times are UTC."""
    root = logging.getLogger()
    form = logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(folder / FILE, encoding="utf-8"))
    except OSError as error:
        logging.getLogger(__name__).warning("no log file: %s", error.strerror or error)
    level = root.level
    root.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(form)
        handler.addFilter(Redacting())
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
