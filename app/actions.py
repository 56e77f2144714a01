"""Every action of the window: name, shortcut, place in the menus; the help sheet is made from this table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionKind:
    """One action.

    Attributes:
        key: what code calls it; menu: where it stands; text: what it is called; shortcut: keys, as Qt writes them.
        needs_run: whether it makes sense only with a run open; toggles: whether it is on or off.
    """

    key: str
    menu: str
    text: str
    shortcut: str
    needs_run: bool = True
    toggles: bool = False


ACTIONS: tuple[ActionKind, ...] = (
    ActionKind("new", "File", "New run …", "Ctrl+N", False),
    ActionKind("open", "File", "Open run folder …", "Ctrl+O", False),
    ActionKind("data", "File", "Open data file …", "Ctrl+D", False),
    ActionKind("save", "File", "Save run as …", "Ctrl+S"),
    ActionKind("export_csv", "File", "Export tables as CSV …", "Ctrl+Shift+C"),
    ActionKind("export_parquet", "File", "Export tables as Parquet …", "Ctrl+Shift+P"),
    ActionKind("export_png", "File", "Export chart as PNG …", "Ctrl+Shift+G"),
    ActionKind("export_html", "File", "Export report as HTML …", "Ctrl+Shift+H"),
    ActionKind("close_run", "File", "Close run", "Ctrl+W"),
    ActionKind("quit", "File", "Quit", "Ctrl+Q", False),
    ActionKind("play", "Replay", "Play or pause", "Space"),
    ActionKind("bar on", "Replay", "On by a bar", "Right"),
    ActionKind("bar back", "Replay", "Back by a bar", "Left"),
    ActionKind("phase on", "Replay", "On by a phase", "Shift+Right"),
    ActionKind("phase back", "Replay", "Back by a phase", "Shift+Left"),
    ActionKind("trade on", "Replay", "Next trade", "]"),
    ActionKind("trade back", "Replay", "Previous trade", "["),
    ActionKind("forward", "Replay", "Fast-forward", "PgDown"),
    ActionKind("rewind", "Replay", "Rewind", "PgUp"),
    ActionKind("restart", "Replay", "Restart", "Home"),
    ActionKind("end", "Replay", "To the last bar", "End"),
    ActionKind("date", "Replay", "Go to date …", "Ctrl+G"),
    ActionKind("faster", "Replay", "Faster", "+"),
    ActionKind("slower", "Replay", "Slower", "-"),
    ActionKind("conditions", "Replay", "Pause when …", "Ctrl+P"),
    ActionKind("buy", "Trade", "Buy as the ticket says", "B"),
    ActionKind("sell", "Trade", "Sell as the ticket says", "S"),
    ActionKind("flatten", "Trade", "Close the position", "F"),
    ActionKind("undo", "Trade", "Take the last thing by hand back", "Ctrl+Z"),
    ActionKind("setting", "Trade", "Change settings from here on …", "Ctrl+E"),
    ActionKind("parent", "Trade", "Show the parent of this branch", "Ctrl+B"),
    ActionKind("longer", "View", "Longer bars", "Ctrl+Up"),
    ActionKind("shorter", "View", "Shorter bars", "Ctrl+Down"),
    ActionKind("indicators", "View", "Indicators …", "I"),
    ActionKind("volume", "View", "Volume", "V", True, True),
    ActionKind("sessions", "View", "Sessions", "H", True, True),
    ActionKind("trades", "View", "Trades on the chart", "T", True, True),
    ActionKind("path", "View", "Assumed path of the bar", "P", True, True),
    ActionKind("log", "View", "Logarithmic prices", "L", True, True),
    ActionKind("auto", "View", "Scales and time by themselves", "A"),
    ActionKind("statistics", "View", "Statistics", "Ctrl+T"),
    ActionKind("inspector", "View", "Why: the inspector", "W"),
    ActionKind("layout_save", "View", "Save layout …", "Ctrl+L"),
    ActionKind("shortcuts", "Help", "Shortcuts", "F1", False),
)


def sheet(actions: Sequence[ActionKind] = ACTIONS) -> list[tuple[str, list[tuple[str, str]]]]:
    """The help sheet: menu -> (text, shortcut) of its actions."""
    menus: dict[str, list[tuple[str, str]]] = {}
    for action in actions:
        menus.setdefault(action.menu, []).append((action.text, action.shortcut))
    return list(menus.items())
