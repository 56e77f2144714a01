"""What lies around the window: the bridge, what is remembered, damaged folders, the command line, exceptions."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QApplication

from app.bridge import FrameBridge, Told
from app.charts.cursor import Cursor
from app.main_window import MainWindow
from app.replay.model import ReplayModel
from app.replay.saved import open_run
from app.tables.columns import choices_table
from app.tables.model import CursorTable
from app.theme import DARK
from app.workspace import Workspace
from bots.catalog import make_bot
from engine.backtest import run_backtest
from engine.errors import ConfigError, JournalError
from engine.kernel.schema import Phase
from engine.preparing import engine_of, prepare
from engine.run import Run
from tests.app.runs import config_of


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_of()
    return run_backtest(config, make_bot(config.bot, config.exit)).save(tmp_path_factory.mktemp("saved") / "run")


def test_signals_reach_qt_in_one_batch_a_frame(look: QApplication) -> None:
    config = config_of("coin_flip", "end=2024-09-02")
    prepared = prepare(config)
    run = Run(engine_of(config, prepared), make_bot(config.bot, config.exit))
    bridge, batches = FrameBridge(), []
    bridge.arrived.connect(batches.append)
    bridge.listen(run.engine)
    run.complete()
    bridge.hand_on()
    bridge.hand_on()
    assert len(batches) == 1
    names = [told.name for told in batches[0] if isinstance(told, Told)]
    assert names.count("bar_closed") == run.bars
    assert names.count("order_filled") == run.engine.tables.count("fills")
    assert names[-1] == "backtest_finished"
    bridge.release()
    run.engine.bar_closed.emit(None)
    bridge.hand_on()
    assert len(batches) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"layouts": 3}', '{"recent": 5}', "\x00"])
def test_a_damaged_settings_file_is_set_aside_and_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "window.json"
    file.write_text(text)
    found = Workspace.load(file)
    assert "is damaged" in found.told
    assert (tmp_path / "window.json.bad").read_text() == text
    found.remember("runs/a")
    found.save()
    assert Workspace.load(file).recent == ["runs/a"]


def damage(folder: Path, name: str, change: Any) -> None:
    file = folder / name
    if change is None:
        file.unlink()
    elif callable(change):
        file.write_text(json.dumps(change(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")
    else:
        file.write_bytes(file.read_bytes()[: change * file.stat().st_size // 100])


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("manifest.json", None, "it has no manifest.json"),
        ("manifest.json", 50, "cannot be read"),
        ("manifest.json", lambda m: m | {"format": 99}, "is of journal format 99, this version reads 3"),
        ("manifest.json", lambda m: [1], "is not a run's manifest"),
        ("fills.parquet", None, "is missing: the run folder is incomplete"),
        ("equity.parquet", 60, "is damaged or was changed"),
    ],
)
def test_a_damaged_run_folder_is_an_error_that_says_what_and_the_cure(
    run_folder: Path, tmp_path: Path, name: str, change: Any, told: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    damage(folder, name, change)
    with pytest.raises(JournalError, match=told) as raised:
        open_run(folder)
    assert "run the backtest again" in str(raised.value) or "name a folder" in str(raised.value)


def test_a_data_file_that_is_gone_or_changed_is_said(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    damage(folder, "manifest.json", lambda m: m | {"data": {"ES_SYN": m["data"]["ES_SYN"] | {"digest": "0" * 64}}})
    assert any("has changed since the run" in text for text in open_run(folder).warnings)

    def gone(manifest: dict[str, Any]) -> dict[str, Any]:
        manifest["given"]["assets"][0]["file"] = "nowhere.parquet"
        return manifest

    damage(folder, "manifest.json", gone)
    with pytest.raises(ConfigError, match=r"nowhere\.parquet does not exist"):
        open_run(folder)


def test_another_kernel_is_said_but_the_run_opens(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    damage(folder, "manifest.json", lambda m: m | {"versions": m["versions"] | {"kernel": "older"}})
    assert any("kernel older made this run" in text for text in open_run(folder).warnings)


def command(*arguments: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    plain = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(
        [sys.executable, "run_backtest.py", *arguments],
        cwd=Path(__file__).resolve().parents[2],
        env=plain | surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("surroundings", [{}, {"DISPLAY": ":4711"}], ids=["none set", "none answers"])
def test_without_a_display_the_error_names_the_headless_command(surroundings: dict[str, str]) -> None:
    done = command(**surroundings)
    assert done.returncode == 2
    assert "no window can be opened" in done.stderr
    assert "run_backtest_headless.py --config" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_configuration_is_an_error_and_not_a_window() -> None:
    done = command("--config", "configs/nowhere.yaml", QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 2
    assert "configs/nowhere.yaml does not exist" in done.stderr


def test_an_exception_in_a_slot_is_shown_and_the_window_lives_on(
    look: QApplication, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.command import catch_exceptions

    window = MainWindow(Workspace())
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    catch_exceptions(window)
    window.show()
    try:
        raise ValueError("a slot went wrong")
    except ValueError as raised:
        sys.excepthook(type(raised), raised, raised.__traceback__)
    assert "ValueError: a slot went wrong" in window.notes.text.toPlainText()
    assert window.dialogs
    assert window.isVisible()
    assert "a slot went wrong" in capsys.readouterr().err
    window.close()
    window.deleteLater()


def test_what_a_learned_exit_chose_is_shown_up_to_the_cursor_and_opened_again(
    look: QApplication, tmp_path: Path
) -> None:
    """S12.3: multiple, arm and values of every entry, known from the OPEN at which it was chosen."""
    config = config_of("sample", "end=2024-09-03").with_part("exit", {"name": "linucb"}, "exit=linucb")
    result = run_backtest(config, make_bot(config.bot, config.exit))
    saved = open_run(result.save(tmp_path / "run"))
    rows = result.engine.tables.rows("choices")
    assert len(rows) > 0
    assert all((saved.store.choices.rows[name] == rows[name]).all() for name in ("bar", "symbol", "arm", "multiple"))
    model = ReplayModel(saved.facts, saved.store)
    table = CursorTable(choices_table(str), model, DARK)
    first = int(rows["bar"][0])
    for cursor, known in ((Cursor(first - 1, Phase.CLOSE), 0), (Cursor(first, Phase.OPEN), 1)):
        model.cursor_model.go(cursor.bar, cursor.phase)
        table.refresh()
        assert min(table.rowCount(), 1) == known
    assert table.place(0) == Cursor(first, Phase.OPEN)
    assert "*" in table.data(table.index(0, 8))
