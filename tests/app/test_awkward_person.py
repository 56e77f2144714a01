"""Somebody who is in a hurry at the real window: clicks twice, drags and resizes while it plays, closes at once."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.app.person import MISSING, PATIENCE, Person, person, screen

__all__ = ["person", "screen"]  # fixtures

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")]


def begins(person: Person, *, twice: bool = False) -> None:
    """Wait for the start page, and play the sample."""
    person.waits("the start page", lambda now: bool(now["active"]))
    time.sleep(0.5)  # where the window manager put it is known a little later
    place = person.sees()["start"]["sample"]
    (person.clicks_twice if twice else person.clicks)(place)


def plays(person: Person) -> dict[str, Any]:
    """Let it play, wherever it stands."""
    if not person.sees()["playing"]:
        person.presses("space")
    return person.waits("playing", lambda now: now["playing"])


def ended(person: Person, key: str = "ctrl+q") -> tuple[int, list[str]]:
    """Quit; the exit code, and what was complained of."""
    person.presses(key)
    return person.window.wait(timeout=PATIENCE), person.complaints()


def test_a_double_click_on_the_start_page_begins_one_run(person: Person, tmp_path: Path) -> None:
    begins(person, twice=True)
    person.waits("a finished run", lambda now: now.get("status") == "completed" and now["bar"] >= 100)
    time.sleep(1.5)
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert ended(person) == (0, [])


def test_the_window_may_be_closed_while_a_run_is_being_prepared(person: Person) -> None:
    begins(person)
    assert ended(person) == (0, [])


def test_the_window_may_be_closed_in_the_middle_of_everything(person: Person) -> None:
    begins(person)
    person.waits("a run", lambda now: now.get("bar", -1) >= 0)
    plays(person)
    person.presses("b")
    assert ended(person) == (0, [])


def test_playing_goes_on_through_sizes_themes_and_drags(person: Person) -> None:
    """The window never blocks."""
    begins(person)
    person.waits("a finished run", lambda now: now.get("status") == "completed" and now["bar"] >= 100)
    plays(person)
    for width, height in ((1280, 720), (900, 600), (1500, 880), (1280, 720), (1500, 880)):
        person.does("getactivewindow", "windowsize", str(width), str(height))
        time.sleep(0.15)
    person.waits("another size", lambda now: now["playing"] and now["size"] == [1500, 880])
    person.picture("resized while playing")
    now = person.sees()
    x, y = now["chart"]
    person.drags([x, y], [x - 200, y])
    person.waits("playing on", lambda then: then["playing"] and then["bar"] > now["bar"])
    themed = person.sees()["theme"]
    person.presses_and_sees("alt+v", "a menu", lambda then: then["menu"])  # without one, Right is a step and a pause
    for key in ("Up", "Up", "Right", "Down", "Return"):
        person.presses(key)
        time.sleep(0.3)
    person.waits("another theme, and playing", lambda then: then["theme"] != themed and then["playing"])
    person.picture("another theme while playing")
    seen = person.sees()
    person.drags(seen["scrub"][0], seen["scrub"][1])
    there = person.waits("a place far on", lambda then: then["bar"] > 20_000)
    person.clicks_twice(there["controls"]["pause" if there["playing"] else "play"])
    person.clicks_twice(there["chart"])
    person.clicks_twice(there["scrub"][0])
    person.waits("the begin", lambda then: then["bar"] < 5_000)
    assert ended(person) == (0, [])


def test_orders_and_undos_in_a_hurry_leave_the_run_as_it_was(person: Person) -> None:
    begins(person)
    person.waits("a finished run", lambda now: now.get("status") == "completed" and now["bar"] >= 100)
    for key in ("b", "b", "s", "f", "b"):
        person.presses(key)
    person.waits("a branch", lambda now: now["courses"] >= 2 and not now["branching"] and now["status"] == "completed")
    person.picture("orders in a hurry")
    for _ in range(12):
        person.presses("ctrl+z")
        time.sleep(0.1)
    person.waits("no branch is computed", lambda now: not now["branching"] and now["status"] == "completed")
    person.waits("the run itself", lambda now: "There is nothing by hand in this course" in now["notes"])
    assert ended(person) == (0, [])


def test_another_run_is_opened_while_one_plays(person: Person, tmp_path: Path) -> None:
    begins(person)
    person.waits("a finished run", lambda now: now.get("status") == "completed" and now["bar"] >= 100)
    person.waits("a saved run", lambda now: any((tmp_path / "runs").iterdir()))
    plays(person)
    person.presses("ctrl+w")
    person.waits("the start page with it", lambda now: "bar" not in now and now["recent"])
    x = person.sees()["recents"][0]
    person.clicks_twice([x, person.sees()["start"]["sample"][1]])
    person.waits("the run again", lambda now: now.get("status") == "completed")
    plays(person)
    person.presses("ctrl+o")
    person.waits("a dialog", lambda now: bool(now["dialog"]))
    person.picture("open while playing")
    person.presses("Escape")
    person.waits("no dialog", lambda now: not now["dialog"])
    for key in ("F1", "ctrl+t", "ctrl+g"):
        person.presses(key)
        time.sleep(0.4)
    person.picture("dialogs while playing")
    person.presses("Escape")
    time.sleep(0.4)
    assert ended(person) == (0, [])
