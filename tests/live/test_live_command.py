"""The live command and its folder: one session at a time writes there."""

import threading
from pathlib import Path

import pytest

from data.errors import PlaceHeldError
from data.folder_lock import Hold
from research.live.command import LOCK, main


def no_window(*_: object) -> int:
    raise AssertionError("no window was asked for")


def test_a_second_session_on_an_account_s_folder_is_refused_and_leaves_it_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "paper"
    folder.mkdir()
    with Hold(folder / LOCK, "the account", "wait"):
        code = main(["--demo", "--headless", "--folder", str(folder)], no_window, threading.Event())
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: the account in {folder} is in use by process ")
    assert error.endswith("close that session, or give another --folder\n")


def test_a_session_holds_its_folder_until_all_of_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "paper"

    def window(*_: object) -> int:
        with pytest.raises(PlaceHeldError):
            Hold(folder / LOCK, "the account", "wait")
        return 7

    assert main(["--demo", "--folder", str(folder)], window, threading.Event()) == 7
    assert not (folder / LOCK).exists()
