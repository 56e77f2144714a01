"""What a person is told where something given to the window is wrong: in words, with the cure, and the window lives."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.dialogs.run import RunDialog
from app.main_window import MainWindow
from app.workspace import Workspace
from bots.catalog import make_bot
from engine.backtest import run_backtest
from tests.app.runs import CONFIGS, config_of, until
from tests.app.staging import opened, pump


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_of("coin_flip", "end=2024-09-02")
    return run_backtest(config, make_bot(config.bot, config.exit)).save(tmp_path_factory.mktemp("saved") / "run")


def manifest(folder: Path, change: Any) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(change(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")


def other_version(folder: Path) -> None:
    manifest(folder, lambda m: m | {"format": 99})


def damaged(folder: Path) -> None:
    file = folder / "equity.parquet"
    file.write_bytes(file.read_bytes()[:200])


def half_written(folder: Path) -> None:
    (folder / "trades.parquet").unlink()


def data_gone(folder: Path) -> None:
    def change(given: dict[str, Any]) -> dict[str, Any]:
        given["given"]["assets"][0]["file"] = "nowhere.parquet"
        return given

    manifest(folder, change)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (other_version, "is of journal format 99"),
        (damaged, "is damaged or was changed"),
        (half_written, "is missing: the run folder is incomplete"),
        (data_gone, "nowhere.parquet does not exist"),
    ],
)
def test_a_run_folder_that_cannot_be_shown_is_told_on_the_start_page(
    window: MainWindow, run_folder: Path, tmp_path: Path, wrong: Any, told: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    wrong(folder)
    window.handling.files.open_folder(folder)
    until(lambda: window.loading is None, pump(window))
    assert told in window.start_page.told.text()
    assert window.start_page.told.property("tone") == "down"
    assert window.stack.currentIndex() == 0
    assert window.start_page.buttons["sample"].isEnabled()


def test_what_cannot_be_opened_beside_an_open_run_is_told_in_its_notes(window: MainWindow, tmp_path: Path) -> None:
    session = opened(window, "end=2024-09-02")
    window.handling.files.open_folder(tmp_path)
    until(lambda: window.loading is None, pump(window))
    pump(window)()
    assert window.session is session
    assert "it has no manifest.json" in window.notes.text.toPlainText()
    assert window.activity.tabs.currentWidget() is window.notes


def test_a_data_file_that_has_changed_since_is_told_and_the_run_is_shown(
    window: MainWindow, run_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    manifest(folder, lambda m: m | {"data": {k: v | {"digest": "0" * 64} for k, v in m["data"].items()}})
    window.handling.files.open_folder(folder)
    until(lambda: window.session is not None, pump(window))
    pump(window)()
    assert "has changed since the run" in window.notes.text.toPlainText()
    assert window.session is not None
    assert window.session.model.store.bars > 0


def test_a_damaged_settings_file_is_told_on_the_start_page_and_kept_beside(look: Any, tmp_path: Path) -> None:
    file = tmp_path / "window.json"
    file.write_text('{"layouts": ', encoding="utf-8")
    window = MainWindow(Workspace.load(file))
    window.show()
    assert "is damaged" in window.start_page.told.text()
    assert "window.json.bad" in window.start_page.told.text()
    assert (tmp_path / "window.json.bad").exists()
    window.close()
    window.deleteLater()


def test_a_damaged_layout_is_told_and_the_docks_are_as_at_first(window: MainWindow) -> None:
    opened(window, "end=2024-09-02")
    window.workspace.layouts["mine"] = "bm8gbGF5b3V0"
    window.handling.views.use_layout("mine", window.workspace.layouts["mine"])
    pump(window)()
    assert "The layout mine is damaged" in window.notes.text.toPlainText()
    assert "mine" not in window.workspace.layouts
    assert window.docks["Activity"].isVisible()


WRONG = """
name: wrong
initial_cash: -5
assets:
  - symbol: ES_SYN
    file: {file}
    tick_size: zero
simulation:
  path: sideways
bot:
  name: TrendFollowing
"""


def test_a_wrong_configuration_fills_the_form_and_every_error_stands_at_its_field(
    look: Any, qtbot: Any, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG.format(file=CONFIGS.parent / "data" / "sample" / "ES_SYN.parquet"), encoding="utf-8")
    dialog = RunDialog(file)
    qtbot.addWidget(dialog)
    errors = {
        name: field.error.text()
        for form in (dialog.account, dialog.asset, dialog.rules)
        for name, field in form.fields.items()
        if field.error.text()
    }
    assert set(errors) == {"initial_cash", "tick_size", "path"}
    assert dialog.asset.fields["tick_size"].value() == "zero"
    assert [dialog.tabs.tabText(page) for page in range(3)] == [
        "Account and range (1 wrong)", "Data and contract (1 wrong)", "Rules (1 wrong)",
    ]  # fmt: skip
    assert "3 settings are refused" in dialog.told.text()
    dialog.accept()
    assert dialog.config is None
    dialog.account.fields["initial_cash"].put(100_000)
    dialog.asset.fields["tick_size"].put(0.25)
    dialog.asset.fields["contract"].put("ES")
    dialog.rules.fields["path"].put("worst_case")
    dialog.accept()
    assert dialog.config is not None
    assert dialog.config.initial_cash == 100_000
    assert dialog.tabs.tabText(0) == "Account and range"


@pytest.mark.parametrize("text", ["assets: 3\n", "a: [", "assets: []\n", "bot: 7\nassets:\n  - symbol: ES\n"])
def test_a_configuration_that_is_no_configuration_is_told_below_the_form(
    look: Any, qtbot: Any, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "no.yaml"
    file.write_text(text, encoding="utf-8")
    dialog = RunDialog(file)
    qtbot.addWidget(dialog)
    assert "no.yaml" in dialog.told.text()
    assert dialog.told.property("tone") == "down"
