"""A person at the real window, on an X server with a window manager: start page, replay, stop-out, branch, export.

Every click and key goes through the server, as those of a mouse and a keyboard do. ``TRIPHASE_SCREENSHOTS`` names a
folder for a picture of each step.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.schema import Phase, Reason
from tests.app.person import MISSING, PATIENCE, Person, person, screen

__all__ = ["person", "screen"]  # fixtures

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")]


def test_a_person_plays_steps_through_a_stop_drags_branches_compares_and_exports(
    person: Person, tmp_path: Path
) -> None:
    person.waits("the start page", lambda now: bool(now["active"]))
    person.picture("start")
    time.sleep(0.5)  # where the window manager put it is known a little later
    person.clicks(person.sees()["start"]["sample"])
    person.waits("a finished run", lambda now: now.get("status") == "completed" and now["bar"] >= 100)
    play_a_while(person)
    step_through_a_stop(person)
    drag_the_stop(person)
    compare(person)
    export(person, tmp_path)
    person.presses("ctrl+q")
    assert person.window.wait(timeout=PATIENCE) == 0
    kept = json.loads((tmp_path / "window.json").read_text(encoding="utf-8"))
    assert Path(kept["recent"][0]).is_dir()


def play_a_while(person: Person) -> None:
    """Play, pause."""
    before = person.sees()["bar"]
    person.presses_and_sees("space", "playing", lambda now: now["playing"] and now["bar"] > before + 20)
    person.picture("playing")
    person.presses_and_sees("space", "a pause", lambda now: not now["playing"])


def step_through_a_stop(person: Person) -> None:
    """From trade to trade until a stop of the first symbol is hit in mid-bar; phase by phase around it; back."""

    def stopped(now: dict[str, Any]) -> bool:
        here = [now["bar"], now["phase"], 0, int(Reason.STOP_LOSS)]
        return now["phase"] == Phase.INTRABAR and here in now["fills"]

    now = person.sees()
    for _ in range(200):
        before = (now["bar"], now["phase"])
        now = person.presses_and_sees(
            "bracketright", "the next trade", lambda then, before=before: (then["bar"], then["phase"]) != before
        )
        if stopped(now):
            break
    # The panel says so in the frame after the cursor's.
    now = person.waits("a flat position", lambda then: stopped(then) and then["position"] == "flat")
    person.picture("stop hit")
    time.sleep(0.2)  # tables follow a frame later still
    bar, rows = now["bar"], person.sees()["rows"]
    person.presses_and_sees(
        "shift+Left",
        "its OPEN, the position back, the trade not yet there",
        lambda then: (
            (then["bar"], then["phase"], then["position"] != "flat", then["rows"] < rows)
            == (bar, Phase.OPEN, True, True)
        ),
    )
    person.picture("before the stop")
    person.presses_and_sees("shift+Right", "INTRABAR", lambda then: then["position"] == "flat" and then["rows"] == rows)
    person.presses_and_sees("Prior", "a rewind", lambda then: then["bar"] == bar - 10)


def drag_the_stop(person: Person) -> None:
    """In a bar in which the first symbol is held, its stop is dragged away from price: a branch begins."""
    now = person.sees()
    for _ in range(200):
        if "stop_at" in now and now["phase"] == Phase.CLOSE and drop_of(now) is not None:
            break
        before = (now["bar"], now["phase"])
        now = person.presses_and_sees(
            "shift+Right", "the next phase", lambda then, before=before: (then["bar"], then["phase"]) != before
        )
    goal = drop_of(now)
    assert goal is not None
    time.sleep(0.3)
    now = person.sees()
    person.drags(now["stop_at"], goal)
    branched = person.waits(
        "a branch", lambda then: then["courses"] == 2 and not then["branching"] and then["status"] == "completed"
    )
    assert branched["course"] == 1
    assert branched["bar"] == now["bar"]
    assert (branched["stop"] - now["stop"]) * now["side"] < 0  # farther away
    person.picture("stop dragged")


def drop_of(now: dict[str, Any]) -> list[int] | None:
    """Where to drop the stop: 30 pixels farther away, where the pane goes on that far."""
    x, y = now["stop_at"]
    goal = y + 30 * now["side"]
    return [x, goal] if now["pane"][0] + 40 < goal < now["pane"][1] - 8 else None


def compare(person: Person) -> None:
    """The branch beside its parent, the parent, and the branch again."""
    place = person.sees()
    for _ in range(3):
        person.presses("Next")
    person.waits("thirty bars on", lambda now: now["bar"] == place["bar"] + 30)
    person.clicks(place["tabs"]["Branches"])
    listed = person.waits(
        "two courses in the list", lambda now: len(now["branches"]) == 2 and now["branches"][1][1] > 0
    )
    person.picture("branches")
    person.presses_and_sees("ctrl+b", "the parent", lambda now: now["course"] == 0)
    person.clicks(listed["branches"][1])
    person.clicks(listed["buttons"]["Show"])
    person.waits("the branch again", lambda now: now["course"] == 1)


def export(person: Person, folder: Path) -> None:
    """The table of trades as CSV, its name typed into the dialog."""
    now = person.sees()
    person.clicks(now["tabs"]["Trades"])
    time.sleep(0.5)
    rows, file = person.sees()["rows"], folder / "branch.csv"
    person.clicks(person.sees()["export"])
    person.waits("a dialog", lambda then: then["dialog"].startswith("Export"))
    time.sleep(0.5)
    person.presses("ctrl+a")
    person.does("type", "--delay", "15", str(file))
    person.picture("export")
    person.presses("Return")
    person.waits("what was exported", lambda then: "up to the cursor are in" in then["notes"])
    assert len(file.read_text(encoding="utf-8").splitlines()) == rows + 1
    person.picture("exported")
