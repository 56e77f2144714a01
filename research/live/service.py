"""Which service a live command talks to: TradeStation with a sign-in, or an emulator of this process (a demo)."""

import argparse
import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import SignInError, TriphaseError
from data.tradestation.auth import Credentials, SignIn
from data.tradestation.bars import format_time
from data.tradestation.clock import Clock, SystemClock
from data.tradestation.emulator.market import replay_start_ns
from data.tradestation.emulator.scenario import REQUEST_FAULTS, Fault, FaultKind, Scenario, SymbolSpec
from data.tradestation.emulator.server import Emulator
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.endpoints import Endpoints
from data.tradestation.patience import FeedSettings
from data.tradestation.recording import read_rows
from data.tradestation.rest import TradeStationClient
from data.tradestation.stream import SILENCE_S
from data.tradestation.tokenstore import default_store
from engine.config import BacktestConfig
from engine.live import LiveSection
from engine.paper.replay import RECORDING, has_recording

QUIET_S = 3.0  # real seconds of silence after which a demo's line counts as dead, where there is a window
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
# Root, tick size and money per point of the shipped synthetic symbols, as the emulated service tells them.
_SAMPLE_FACTS = {
    "ES_SYN": ("ES", 0.25, 50.0),
    "NQ_SYN": ("NQ", 0.25, 20.0),
    "CL_SYN": ("CL", 0.01, 1000.0),
    "GC_SYN": ("GC", 0.1, 100.0),
}


@dataclass(frozen=True, slots=True)
class Service:
    """What a session needs of a service.

    Attributes:
        sign_in: None where nobody has to.
        patience: of the feeds, in market seconds.
    """

    client: TradeStationClient
    clock: Clock
    label: str
    sign_in: SignIn | None
    patience: FeedSettings = field(default_factory=FeedSettings)

    @property
    def ask_sign_in(self) -> Callable[[], object] | None:
        """Signs in on the service's page, blocking; None where nobody has to."""
        login = self.sign_in
        return None if login is None else lambda: login.sign_in(open_page)


@contextmanager
def service(
    options: argparse.Namespace,
    config: BacktestConfig,
    live: LiveSection,
    folder: Path | None = None,
    ended: threading.Event | None = None,
) -> Iterator[Service]:
    """The service of a command; an emulator ends with it.

    Args:
        folder: of the account: a demo's market goes on where the account stopped, as a real one would have.
        ended: set where the command is to end, which must not wait for somebody to sign in.

    Raises:
        SignInError: no key, or the sign-in failed. TriphaseError: a fault of the demo is unknown.
    """
    if options.demo:
        with Emulator(_scenario(options, config, _stopped_ns(folder, config, live))) as emulator:
            client = TradeStationClient(emulator.endpoints, GrantedTokens(emulator), emulator.clock)
            patience = FeedSettings(silence_s=max(SILENCE_S, _quiet_s(options)))
            yield Service(client, emulator.clock, "DEMO", None, patience)
        return
    clock = SystemClock()
    endpoints = Endpoints.live() if live.host == "live" else Endpoints.sim()
    login = signed_in(endpoints, clock, anew=options.sign_in, wait=options.headless, cancel=ended)
    yield Service(TradeStationClient(endpoints, login, clock), clock, live.host.upper(), login)


def _quiet_s(options: argparse.Namespace) -> float:
    """Market seconds of silence that mean something: a demo's are short, and a window keeps its service waiting."""
    return 0.0 if options.headless else QUIET_S * float(options.rate)


def _stopped_ns(folder: Path | None, config: BacktestConfig, live: LiveSection) -> int:
    """Market time up to which an account has been recorded, UTC nanoseconds; 0 for a new one."""
    if folder is None or not has_recording(folder, config.symbols, live.interval):
        return 0
    rows = [row for symbol in config.symbols for row in read_rows(folder / RECORDING, symbol, live.interval)]
    return max((max(int(row["close_ns"]), int(row["seen_ns"])) for row in rows), default=0)


def _scenario(options: argparse.Namespace, config: BacktestConfig, stopped_ns: int) -> Scenario:
    # What is shipped but not traded can be found by a search and looked at.
    others = [symbol for symbol in _SAMPLE_FACTS if symbol not in config.symbols]
    specs = tuple(_spec(symbol) for symbol in (*config.symbols, *others))
    first = next((spec for spec in specs if spec.file), None)
    start = "" if first is None else format_time(max(replay_start_ns(first), stopped_ns))
    lasting = max(60.0, 2.0 * _quiet_s(options))
    faults = tuple(_fault(text, lasting) for text in options.fault)
    return Scenario(start=start, rate=options.rate, symbols=specs, faults=faults)


def _spec(symbol: str) -> SymbolSpec:
    """A shipped symbol replays its file; any other one is a random walk."""
    if symbol not in _SAMPLE_FACTS:
        return SymbolSpec(symbol=symbol)
    root, tick_size, point_value = _SAMPLE_FACTS[symbol]
    file = str(SAMPLE / f"{symbol}.parquet")
    return SymbolSpec(
        symbol=symbol, file=file, file_stamp="open", root=root, tick_size=tick_size, point_value=point_value
    )


def _fault(text: str, lasting_s: float) -> Fault:
    """What hits a stream hits one of bars: that is where something can be seen of it."""
    name, _, second = text.partition("@")
    try:
        kind = FaultKind(name)
        path = "" if kind in REQUEST_FAULTS else "stream/barcharts"
        return Fault(kind=kind, at=float(second or 0.0), seconds=lasting_s, path=path)
    except ValueError:
        raise TriphaseError(f"--fault {text}: should be KIND@SECOND, KIND one of {', '.join(FaultKind)}") from None


def credentials() -> Credentials:
    """The API key in the environment; SignInError with the cure where there is none."""
    client_id = os.environ.get("TRADESTATION_CLIENT_ID", "")
    if not client_id:
        raise SignInError(
            "no API key: set TRADESTATION_CLIENT_ID (and TRADESTATION_CLIENT_SECRET unless the key is for PKCE); "
            "--demo needs none"
        )
    return Credentials(client_id, os.environ.get("TRADESTATION_CLIENT_SECRET") or None)


def signed_in(
    endpoints: Endpoints, clock: Clock, *, anew: bool, wait: bool, cancel: threading.Event | None = None
) -> SignIn:
    """The login; signs in on the service's page ``anew``, or where ``wait`` says that no window offers it later."""
    key = credentials()
    login = SignIn(key, endpoints, default_store(key.client_id[:8]), clock)
    if anew or (wait and not login.signed_in):
        login.sign_in(open_page, cancel=cancel)
    return login


def open_page(url: str) -> None:
    """Show the service's page, and its address for a browser elsewhere."""
    sys.stderr.write(f"Sign in at TradeStation; if no browser opens, go to\n{url}\n")
    webbrowser.open(url)
