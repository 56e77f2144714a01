"""What a long run adds to the window's memory, told by a process of its own: ``python -m tests.app.resident CASE A B``.

``CASE`` is saved, thread or process (where the engine of a new run is); ``A`` and ``B`` are run folders, a short one
whose opening loads all libraries, and the long one. Prints the growth in bytes, and what its bars and its journal take.
"""

import gc
import os
import sys
import time
from pathlib import Path

from engine.freeing import hand_large_blocks_back, read_tables_through_the_c_library


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(case: str, short: Path, long: Path) -> None:
    """Open one run after the other in a window, as a person would, and print three numbers."""
    read_tables_through_the_c_library()
    hand_large_blocks_back()
    from PyQt6.QtWidgets import QApplication

    from app.main_window import MainWindow
    from app.opening import new_session, saved_session
    from app.replay.saved import config_of, read_manifest
    from app.session import RunSession
    from app.workspace import Workspace
    from tests.app.staging import frame

    application = QApplication([])
    window = MainWindow(Workspace(None))
    window.resize(1600, 950)
    window.show()
    window.clock.stop()
    window.clock._timer.setInterval(10**7)  # the calls below are the only frames

    def session_of(folder: Path) -> RunSession:
        if case == "saved":
            return saved_session(folder)
        return new_session(config_of(read_manifest(folder), folder), case == "process")

    def opened(folder: Path) -> RunSession:
        window.load("a run", lambda: session_of(folder))
        while window.loading is not None:
            frame(window)
            time.sleep(0.005)
        session = window.session
        assert session is not None
        while session.running or session.asking:
            frame(window)
            time.sleep(0.005)
        for _ in range(5):
            frame(window)
        return session

    opened(short)
    before = resident()
    session = opened(long)
    grown = resident() - before
    store = session.model.store
    tables = (store.equity, store.fills, store.trades, store.events, store.calls, store.choices, store.orders)
    bars = sum(48 * len(series) for series in session.facts.market.series)
    print(grown, bars, sum(table.rows.nbytes for table in tables), flush=True)
    window.close()
    application.processEvents()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
