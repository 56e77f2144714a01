"""What the command line of the live viewer and of paper trading takes, and what its help says."""

import argparse
from collections.abc import Sequence
from pathlib import Path

_DESCRIPTION = """\
Watch TradeStation's bars as they come, and let a bot trade them on a simulated account. No order leaves this machine.
With a window, or without one on a server (--headless: a log, a clean stop by SIGTERM, going on where it stopped).
"""
_EPILOGUE = """\
examples:
  %(prog)s --demo                  the shipped bars by a service on this machine; no account needed
  %(prog)s --demo --headless --seconds 3600
  %(prog)s --demo --fault hang@120 --fault cut@300
  %(prog)s --config configs/live/tradestation.yaml
  %(prog)s --config configs/live/tradestation.yaml --data-only
  %(prog)s --config configs/live/tradestation.yaml --headless --folder paper/es
  %(prog)s --config configs/live/tradestation.yaml --replay paper/es
  %(prog)s --sign-out

The key of the API is taken from the environment: TRADESTATION_CLIENT_ID, and TRADESTATION_CLIENT_SECRET unless the key
is one for PKCE. Signing in happens on TradeStation's own page; tokens are kept in the keyring, else in a 0600 file.

exit codes: 0 done; 2 an error, said in a sentence or two; 3 a replay differs from what the account had left.
"""
DEMO_CONFIG = Path("configs/live/demo.yaml")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """``argv`` (without the program's name); prints help, or what is wrong, and exits as argparse."""
    parser = argparse.ArgumentParser(
        prog="run_live.py",
        description=_DESCRIPTION,
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_what(parser.add_argument_group("what"))
    _add_demo(parser.add_argument_group("demo"))
    _add_look(parser.add_argument_group("window"))
    _add_login(parser.add_argument_group("sign-in"))
    given = parser.parse_args(argv)
    if given.demo and given.config is None:
        given.config = Path(__file__).resolve().parents[2] / DEMO_CONFIG
    if given.config is None and not given.sign_out:
        parser.error("--config is missing; try --demo, which needs nothing")
    if given.replay is not None:
        given.headless = True
    return given


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--config", type=Path, metavar="FILE", help="live configuration, such as configs/live/tradestation.yaml"
    )
    group.add_argument("--symbols", metavar="A,B", help="these symbols in place of the configuration's")
    group.add_argument("--bot", metavar="NAME", help="another bot: a name of the catalog, or my_bots.py:MyBot")
    group.add_argument("--exit", metavar="NAME", help="another exit likewise")
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set a key; may be given several times"
    )
    group.add_argument("--data-only", action="store_true", help="watch and record; no account")
    group.add_argument("--headless", action="store_true", help="no window: a log on standard error and in the folder")
    group.add_argument("--folder", type=Path, help="folder of the account (default: live.folder of the configuration)")
    group.add_argument("--replay", type=Path, metavar="FOLDER", help="run a recorded account again and compare")
    group.add_argument("--seconds", type=float, default=0.0, help="end after so many market seconds")


def _add_look(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--theme", choices=("dark", "light", "high contrast", "colour-blind"), help="colours")
    group.add_argument("--settings", type=Path, metavar="FILE", help="where the window's look is kept")


def _add_demo(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--demo", action="store_true", help="a service on this machine replays the shipped bars")
    group.add_argument("--rate", type=float, default=60.0, help="market seconds per second (default: 60)")
    group.add_argument(
        "--fault", action="append", default=[], metavar="KIND@SECOND", help="script a fault; see the emulator's help"
    )


def _add_login(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--sign-in", action="store_true", help="sign in anew before beginning")
    group.add_argument("--sign-out", action="store_true", help="forget the tokens kept here, and end")
