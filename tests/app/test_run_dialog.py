"""The run dialog: what is not changed in the form runs as the file says."""

from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QLineEdit, QScrollArea, QWidget

from app.dialogs.run import RunDialog
from app.dialogs.settings import SettingsDialog
from bots.catalog import make_bot
from engine.config import load_config
from tests.app.runs import CONFIGS

RUNS = sorted(file.name for file in CONFIGS.glob("*.yaml") if not file.name.startswith("sweep"))


@pytest.mark.parametrize("name", RUNS)
def test_a_shipped_configuration_that_is_not_changed_is_run_as_it_is(look: object, qtbot: Any, name: str) -> None:
    dialog = RunDialog(CONFIGS / name)
    qtbot.addWidget(dialog)
    found = dialog.check()
    assert found is not None, dialog.told.text()
    meant = load_config(CONFIGS / name)
    assert found.model_dump(exclude={"bot": {"settings"}, "exit": {"settings"}}) == meant.model_dump(
        exclude={"bot": {"settings"}, "exit": {"settings"}}
    )
    mine, other = make_bot(found.bot, found.exit), make_bot(meant.bot, meant.exit)
    assert mine.settings == other.settings
    assert mine.exit.settings == other.exit.settings


def test_settings_that_have_no_field_are_kept(look: object, qtbot: Any, tmp_path: Path) -> None:
    """A list of multiples cannot be written in a form; it must not become the default in silence."""
    text = (CONFIGS / "sample.yaml").read_text().replace("../data", str(CONFIGS.parent / "data"))
    file = tmp_path / "mine.yaml"
    file.write_text(text[: text.index("\nexit:")] + "\nexit:\n  name: linucb\n  settings:\n    multiples: [1.0, 2.0]\n")
    dialog = RunDialog(file)
    qtbot.addWidget(dialog)
    found = dialog.check()
    assert found is not None, dialog.told.text()
    assert found.exit.settings["multiples"] == [1.0, 2.0]
    dialog.exit.setCurrentText("TrailingATR")
    found = dialog.check()
    assert found is not None, dialog.told.text()
    assert "multiples" not in found.exit.settings


def standing(dialog: RunDialog, name: str) -> str:
    """What a field of the asset shows while nothing is written in it."""
    editor = dialog.asset.fields[name].editor
    assert isinstance(editor, QLineEdit)
    assert editor.text() == ""
    return editor.placeholderText()


def test_a_fact_that_is_left_open_shows_what_holds(look: object, qtbot: Any) -> None:
    """S1.3: of the asset's own, then `defaults`, then the contract table; and nothing of it is written."""
    dialog = RunDialog(CONFIGS / "sample.yaml")
    qtbot.addWidget(dialog)
    names = ("tick_size", "tick_value", "commission_per_contract", "initial_margin_rate")
    assert [standing(dialog, name) for name in names] == ["0.25", "12.5", "2.25", "none"]

    contract = dialog.asset.fields["contract"]
    contract.put("CL")
    assert isinstance(contract.editor, QLineEdit)
    contract.editor.editingFinished.emit()

    assert [standing(dialog, name) for name in names] == ["0.01", "10", "2.25", "none"]
    found = dialog.check()
    assert found is not None, dialog.told.text()
    assert found.assets[0].tick_size is None


def tabbed(dialog: RunDialog | SettingsDialog) -> list[QWidget]:
    """What the tab key comes to, in its order, until it begins anew."""
    dialog.show()
    found: list[QWidget] = []
    while (now := dialog.focusWidget()) is not None and now not in found:
        found.append(now)
        dialog.focusNextChild()
    return found


@pytest.mark.parametrize("page", range(5))
def test_the_tab_key_goes_from_top_to_bottom_and_then_to_the_buttons(look: object, qtbot: Any, page: int) -> None:
    """Fields are made later than buttons, and anew with every bot: Qt would come to them last."""
    dialog = RunDialog(CONFIGS / "sample.yaml")
    qtbot.addWidget(dialog)
    dialog.tabs.setCurrentIndex(page)
    dialog.bot.setCurrentText("CoinFlip")
    dialog.choose.setFocus()
    found = tabbed(dialog)
    heads = dialog._pages[page][0]
    fields = [*([heads] if heads is not None else []), *dialog._pages[page][1].editors()]
    assert [each for each in found if each in fields] == fields
    buttons = dialog.buttons.buttons()
    assert found[0] is dialog.choose
    assert found[-len(buttons) :] == buttons
    assert not any(isinstance(each, QScrollArea) for each in found)


def test_the_tab_key_goes_through_changed_settings_likewise(look: object, qtbot: Any) -> None:
    dialog = SettingsDialog(load_config(CONFIGS / "sample.yaml"), [])
    qtbot.addWidget(dialog)
    dialog.part.setCurrentIndex(0)
    dialog.part.setFocus()
    found = tabbed(dialog)
    assert found == [dialog.part, *dialog.form.editors(), *dialog.buttons.buttons()]
