"""Pictures of the live window in each of its states, for eyes: ``python -m tests.app.live_pictures OUT``.

Every state is brought about by a switch of the emulator, in the real window with a paper account. With a display the
window is shown there and its own pixels are taken, without one it is painted offscreen. ``QT_SCALE_FACTOR=2`` paints
for a screen of twice as many pixels; ``--only live --only stale`` takes some of them.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PyQt6.QtWidgets import QApplication

from app.live.window import LiveWindow
from app.theme import THEMES, apply_theme
from app.workspace import Workspace
from bots.catalog import make_bot
from data.tradestation.emulator.scenario import Fault, FaultKind, Scenario, SymbolSpec
from data.tradestation.emulator.server import Emulator
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.live import LiveFeed
from data.tradestation.patience import FeedSettings
from data.tradestation.reconnect import Backoff
from data.tradestation.rest import TradeStationClient
from engine.config import BacktestConfig
from engine.live import LiveSection, LiveSession

SYMBOLS = ("ESH24", "NQH24")


def config(calendar: str | None) -> BacktestConfig:
    """What is traded; ``calendar``: None for the one that the service tells."""
    own = {} if calendar is None else {"calendar": calendar}
    return BacktestConfig(
        initial_cash=300_000,
        name="pictures",
        assets=[{"symbol": name, "commission_per_contract": 2.0} | own for name in SYMBOLS],
        bot={"name": "TrendFollowing", "settings": {"flatten_before_maintenance": False, "risk_pct": 0.01}},
        exit={"name": "TrailingATR", "settings": {"atr_multiple": 3.0}},
    )


ALL_STREAMS, ALL_BARS = "stream/barcharts", "marketdata/barcharts"
FOREVER = 1_000_000.0
Done = Callable[[LiveWindow], bool]
Act = Callable[[LiveWindow, Emulator], None]


def reached(word: str) -> Done:
    """The bar on top says so."""
    return lambda window: window.state_bar.state.text() == word


def traded(window: LiveWindow) -> bool:
    """There is a position with a stop, and some bars since."""
    run = window.run
    return run is not None and any(one.stop_loss is not None for one in run.engine.get_positions())


def nothing(window: LiveWindow, emulator: Emulator) -> None:
    """Do nothing."""


def struck(*faults: Fault) -> Act:
    """Let these happen from now on."""

    def act(window: LiveWindow, emulator: Emulator) -> None:
        for fault in faults:
            emulator.faults.add(fault)

    return act


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture: a market, what happens in it once it is live, and when to take it.

    Attributes:
        first: what must hold before ``act``; done: before the picture; settle: frames between.
    """

    service: str = "SIM"
    theme: str = "dark"
    rate: float = 60.0
    faults: tuple[Fault, ...] = ()
    delayed: bool = False
    offset_s: float = 0.0
    session: str = "24/7"
    start: str = "2024-03-06T15:00:30Z"
    first: Done = traded
    act: Act = nothing
    done: Done = field(default=lambda window: True)
    settle: int = 30
    data_only: bool = False


def choose(**choices: object) -> Act:
    """Show the charts so: a timeframe, indicators, how many."""

    def act(window: LiveWindow, emulator: Emulator) -> None:
        looks = window.looks
        for name, value in choices.items():
            getattr(looks, f"set_{name}")(value)

    return act


def hold(window: LiveWindow, emulator: Emulator) -> None:
    """Give orders by hand while a bar is under way."""
    run = window.run
    assert run is not None
    held = next(one for one in run.engine.get_positions() if one.stop_loss is not None)
    window.choose(held.symbol)
    away, side = (20.0, "buy") if held.quantity > 0 else (-20.0, "sell")
    at = window.forms[held.symbol].snapped(held.mark - away)
    window.hands.give({"type": "modify_target", "symbol": held.symbol, "tp": held.mark + away})
    window.hands.give({"type": "limit", "symbol": held.symbol, "side": side, "qty": 1, "limit": at})


def search(window: LiveWindow, emulator: Emulator) -> None:
    """Type into the watch list."""
    field_ = window.watch_list.field
    window.activateWindow()
    field_.setFocus()
    field_.setText("N")
    window.session.search("N", window.watch_list.show_found)


SHOTS: dict[str, Shot] = {
    "connecting": Shot(
        faults=(Fault(kind=FaultKind.SLOW_HEADERS, path="marketdata/symbols", seconds=FOREVER, times=99),),
        first=reached("CONNECTING"),
    ),
    "history": Shot(
        faults=(Fault(kind=FaultKind.SLOW_HEADERS, path=ALL_BARS, symbol="NQH24", seconds=FOREVER, times=99),),
        first=reached("HISTORY"),
        settle=90,
    ),
    "live-demo": Shot(service="DEMO"),
    "live-sim": Shot(),
    "live-live": Shot(service="LIVE"),
    "delayed": Shot(delayed=True, first=reached("DELAYED"), settle=200),
    "stale": Shot(
        act=struck(
            Fault(kind=FaultKind.MUTE, path=ALL_STREAMS, symbol="ESH24", seconds=FOREVER),
            Fault(kind=FaultKind.UNAVAILABLE, path=ALL_BARS, symbol="ESH24", times=999),
        ),
        done=reached("STALE"),
    ),
    "reconnecting": Shot(
        act=struck(
            Fault(kind=FaultKind.CUT, path=ALL_STREAMS, symbol="NQH24"),
            Fault(kind=FaultKind.UNAVAILABLE, path=ALL_STREAMS, symbol="NQH24", times=999),
        ),
        done=lambda window: "attempt 3" in window.state_bar.detail.text(),
    ),
    "signed-out": Shot(
        act=struck(
            Fault(kind=FaultKind.CUT, path=ALL_STREAMS, times=2),
            Fault(kind=FaultKind.UNAUTHORIZED, times=9999),
        ),
        done=reached("SIGNED-OUT"),
    ),
    "failed": Shot(
        act=struck(Fault(kind=FaultKind.DUAL_LOGON, path=ALL_STREAMS, times=2)),
        done=reached("FAILED"),
    ),
    "clock-skew": Shot(offset_s=-7.0),
    "market-closed": Shot(
        session="cme", start="2024-03-08T21:59:00Z", first=lambda window: "closed" in window.state_bar.detail.text()
    ),
    "by-hand": Shot(rate=6.0, first=lambda window: traded(window) and window.run.is_open, act=hold),  # type: ignore[union-attr]
    "search": Shot(act=search, settle=60),
    "five-minutes": Shot(
        act=choose(
            timeframe="5m",
            indicators=[
                {"name": "ema", "parameters": {"period": 20}},
                {"name": "rsi", "parameters": {"period": 14}},
            ],
            charts=1,
        )
    ),
    "bars-only": Shot(data_only=True, first=reached("LIVE"), settle=200),
    "light": Shot(service="LIVE", theme="light"),
    "high-contrast": Shot(theme="high contrast"),
    "colour-blind": Shot(service="DEMO", theme="colour-blind"),
}


@contextmanager
def stage(shot: Shot, folder: Path) -> Iterator[tuple[LiveWindow, Emulator]]:
    """A window on the shot's market."""
    symbols = tuple(SymbolSpec(symbol=name, delayed=shot.delayed) for name in SYMBOLS)
    market = Scenario(
        rate=shot.rate,
        symbols=symbols,
        faults=shot.faults,
        clock_offset_s=shot.offset_s,
        session=shot.session,
        start=shot.start,
    )
    with Emulator(market) as emulator:
        client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
        patient = FeedSettings(silence_s=300.0, backoff=Backoff(first=8.0, longest=600.0))
        feed = LiveFeed(client, random.Random(1), settings=patient)
        traded_ = config("24/7" if shot.session == "24/7" else None)
        fresh = None if shot.data_only else lambda: make_bot(traded_.bot, traded_.exit)
        session = LiveSession(traded_, LiveSection(history_bars=500), feed, emulator.clock, fresh, folder)
        window = LiveWindow(session, shot.service, lambda: None, workspace=Workspace(theme=shot.theme))
        window.show()
        window.begin()
        try:
            yield window, emulator
        finally:
            window.close()
            window.deleteLater()


def until(app: QApplication, window: LiveWindow, done: Done, seconds: float = 60.0) -> None:
    """Let the window live until something holds."""
    end = time.monotonic() + seconds
    while not done(window):
        if time.monotonic() > end:
            raise TimeoutError(f"{window.state_bar.state.text()}: {window.state_bar.detail.text()}")
        app.processEvents()
        time.sleep(0.004)


def take(app: QApplication, shot: Shot, file: Path) -> None:
    """Bring a state about and save its picture."""
    apply_theme(app, THEMES[shot.theme])
    with tempfile.TemporaryDirectory() as folder, stage(shot, Path(folder)) as (window, emulator):
        until(app, window, shot.first)
        shot.act(window, emulator)
        until(app, window, shot.done)
        for _ in range(shot.settle):
            app.processEvents()
            time.sleep(0.016)
        screen = window.screen()
        if app.platformName() == "offscreen" or screen is None:
            window.grab().save(str(file))
            return
        frame = window.frameGeometry()
        whole = screen.grabWindow(x=frame.x(), y=frame.y(), width=frame.width(), height=frame.height())
        whole.save(str(file))


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="OUT")
    parser.add_argument("--only", action="append", default=[], choices=SHOTS)
    given = parser.parse_args()
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(["pictures"])
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.only or SHOTS:
        try:
            take(app, SHOTS[name], given.folder / f"{name}.png")
        except TimeoutError as error:
            print(f"{name}: waited in vain; {error}", flush=True)
        else:
            print(name, flush=True)


if __name__ == "__main__":
    main()
