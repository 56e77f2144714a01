"""The emulator's command line: serve a scenario until Ctrl-C, and say how a client gets in.

Exit code 0, or 2 with one sentence where the scenario cannot be used.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.errors import TriphaseError
from data.tradestation.bars import format_time
from data.tradestation.emulator.market import replay_start_ns
from data.tradestation.emulator.scenario import Fault, FaultKind, Scenario, SymbolSpec, load_scenario
from data.tradestation.emulator.server import Emulator

_EPILOG = """A scenario is a YAML file; its keys are the attributes of the dataclasses in
data/tradestation/emulator/scenario.py, e.g.

  rate: 60
  symbols: [{symbol: "@ES", price: 5000, contracts: [ESH24, ESM24], rolls_at: [600]}]
  framing: {chunking: split, duplicates: true}
  faults: [{kind: hang, at: 120, seconds: 60, path: stream/barcharts}]

Faults: """


def main(arguments: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Run the command line; ``stop`` ends it as Ctrl-C does."""
    options = _parser().parse_args(arguments)
    try:
        emulator = Emulator(_scenario(options), port=options.port)
    except (TriphaseError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    ended = threading.Event() if stop is None else stop
    if stop is None:
        signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    with emulator:
        sys.stdout.write(_welcome(emulator))
        sys.stdout.flush()
        _wait(ended, emulator, options.seconds)
    return 0


def _wait(ended: threading.Event, emulator: Emulator, seconds: float) -> None:
    until = emulator.clock.monotonic() + seconds
    try:
        while not ended.wait(0.1) and (not seconds or emulator.clock.monotonic() < until):
            continue
    except KeyboardInterrupt:
        return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data.tradestation.emulator",
        description="A TradeStation-like service on 127.0.0.1: sign-in, bars, quotes, accounts, orders, and faults.",
        epilog=_EPILOG + ", ".join(FaultKind),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenario", type=Path, help="YAML file; the options below override it")
    parser.add_argument("--port", type=int, default=0, help="port to serve on (default: a free one)")
    parser.add_argument("--symbol", action="append", metavar="NAME[=FILE]", help="a symbol; FILE: bars to replay")
    parser.add_argument("--stamp", choices=("open", "close"), default="close", help="which end of a bar FILE stamps")
    parser.add_argument("--start", help="UTC market time, RFC 3339, or 'now'")
    parser.add_argument("--rate", type=float, help="market seconds per second")
    parser.add_argument("--seed", type=int, help="of the generated market")
    parser.add_argument("--fault", action="append", metavar="KIND@SECOND", help="script a fault, e.g. hang@120")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so many market seconds")
    return parser


def _scenario(options: argparse.Namespace) -> Scenario:
    scenario = Scenario(start="") if options.scenario is None else load_scenario(options.scenario)
    changes: dict[str, Any] = {}
    if options.start is not None:
        changes["start"] = "" if options.start == "now" else options.start
    if options.rate is not None:
        changes["rate"] = options.rate
    if options.seed is not None:
        changes["seed"] = options.seed
    if options.symbol:
        changes["symbols"] = tuple(_symbol(text, options.stamp) for text in options.symbol)
    first = next((spec for spec in changes.get("symbols", scenario.symbols) if spec.file), None)
    if first is not None and options.start is None and not scenario.start:
        changes["start"] = format_time(replay_start_ns(first))
    if options.fault:
        changes["faults"] = scenario.faults + tuple(_fault(text) for text in options.fault)
    return replace(scenario, **changes)


def _symbol(text: str, stamp: str) -> SymbolSpec:
    name, _, file = text.partition("=")
    return SymbolSpec(symbol=name, file=file, file_stamp=stamp)


def _fault(text: str) -> Fault:
    kind, _, second = text.partition("@")
    try:
        return Fault(kind=FaultKind(kind), at=float(second or 0.0), seconds=60.0)
    except ValueError:
        raise TriphaseError(f"--fault {text}: should be KIND@SECOND, KIND one of {', '.join(FaultKind)}") from None


def _welcome(emulator: Emulator) -> str:
    habits, scenario = emulator.scenario.auth, emulator.scenario
    grant = emulator.auth.grant()
    return (
        f"emulator at {emulator.url}\n"
        f"  API       {emulator.endpoints.api}\n"
        f"  sign-in   {emulator.url}/authorize, {emulator.url}/oauth/token\n"
        f"  key       {habits.client_id} / {'(PKCE)' if habits.pkce else habits.client_secret}\n"
        f"  token     {grant['access_token']}  (for {habits.expires_in:.0f} s)\n"
        f"  symbols   {', '.join(spec.symbol for spec in scenario.symbols)}\n"
        f"  market    {format_time(emulator.now_ns())}, {scenario.rate:g} s per second\n"
        "Ctrl-C ends it.\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
