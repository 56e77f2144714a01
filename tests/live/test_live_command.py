"""The live command: one session at a time in a folder, and Ctrl-C whatever it waits for."""

import signal
import threading
from pathlib import Path

import pytest

from data.errors import PlaceHeldError
from data.folder_lock import Hold
from data.tradestation.tokenstore import FileTokenStore
from research.live import command, service
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


def test_ctrl_c_ends_a_command_that_waits_for_somebody_to_sign_in(
    tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a window the command waits for the browser to come back, five minutes at the most."""
    ended = threading.Event()
    monkeypatch.setenv("TRADESTATION_CLIENT_ID", "a-key-of-nobody")
    monkeypatch.setattr(service, "default_store", lambda _: FileTokenStore(tmp_path / "tokens.json"))
    monkeypatch.setattr(service.webbrowser, "open", lambda _: ended.set())
    config = repo_root / "configs" / "live" / "tradestation.yaml"
    code = main(["--config", str(config), "--headless", "--folder", str(tmp_path / "paper")], no_window, ended)

    assert code == 2
    assert capsys.readouterr().err.endswith("error: the sign-in was cancelled\n")


def test_ctrl_c_ends_a_replay(
    tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session notes the signal and ends in good order; a replay looks at nothing, so it is interrupted."""
    handlers: list[object] = []

    def replay(*_: object) -> int:
        handlers.append(signal.getsignal(signal.SIGINT))
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(command, "replay_and_compare", replay)
    assert main(["--demo", "--replay", str(tmp_path)], no_window) == 130
    assert handlers == [before]
    assert capsys.readouterr().err == "stopped\n"
