"""Other settings of bot or exit from the cursor on: a form of what holds there, and a record of what was changed."""

from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QLabel, QScrollArea, QWidget

from app.dialogs.forms import SettingsForm, in_order, refused_text
from app.dialogs.small import Asking
from app.panels.parts import label, row_of, set_tone
from bots.catalog import make_bot
from engine.actions import Action
from engine.changing import PARTS, SETTING
from engine.config import BacktestConfig
from engine.errors import ConfigError
from engine.settings import check_settings, describe


class SettingsDialog(Asking):
    """Changes settings of the bot or of the exit.

    Args:
        config: of the run; changes: records of changes that hold at the cursor already.

    Raises:
        CatalogError, ConfigError: where bot or exit cannot be made.
    """

    def __init__(self, config: BacktestConfig, changes: Sequence[Action], parent: QWidget | None = None) -> None:
        super().__init__("Change settings from here on", parent, "Branch")
        self.resize(720, 460)
        bot = make_bot(config.bot, config.exit)
        self._classes: dict[str, Any] = {"bot": type(bot.settings), "exit": type(bot.exit.settings)}
        self._now: dict[str, dict[str, Any]] = {
            "bot": bot.settings.model_dump(),
            "exit": bot.exit.settings.model_dump(),
        }
        for change in changes:
            self._now[change["part"]] |= dict(change["values"])
        self._written: dict[str, dict[str, Any]] = {}
        self.part = QComboBox()
        self.part.addItems([part.title() for part in PARTS])
        self.part.setCurrentIndex(1)
        self.part.setAccessibleName("Whose settings")
        self.part.currentIndexChanged.connect(self._part_chosen)
        self.form = SettingsForm()
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.told = QLabel("The run branches at the cursor and goes on with what is changed here.")
        self.told.setWordWrap(True)
        self.outer.addLayout(row_of(label("Settings of the", "muted"), self.part, spacing=8))
        self.outer.addWidget(scroll, 1)
        self.outer.addWidget(self.told)
        self._show()
        self.finish()
        self._order()

    def _key(self) -> str:
        return PARTS[self.part.currentIndex()]

    def _show(self) -> None:
        self._part = self._key()
        values = self._now[self._part] | self._written.get(self._part, {})
        self.form.show_settings(describe(self._classes[self._part]), values)

    def _part_chosen(self) -> None:
        self._take()
        self._show()
        self._order()

    def _take(self) -> None:
        """Keep what is written for the part that is shown."""
        self._written[self._part] = {name: field.value() for name, field in self.form.fields.items()}

    def _order(self) -> None:
        in_order([self.part, *self.form.editors(), *self.buttons.buttons()])

    def changed(self, part: str) -> dict[str, Any]:
        """What differs from what holds."""
        self._take()
        now = self._now[part]
        return {name: value for name, value in self._written.get(part, {}).items() if value != now[name]}

    def records(self) -> list[dict[str, Any]]:
        """The records of the changes, of bot and exit alike; none where nothing was changed."""
        changes = {part: self.changed(part) for part in PARTS}
        return [{"type": SETTING, "part": part, "values": values} for part, values in changes.items() if values]

    def _shown(self, error: ConfigError) -> str:
        """Show each problem at its field; returns what is to be said below: what has none, else where to look."""
        rest = []
        for problem in error.problems:
            field = self.form.fields.get(str(problem.path[-1]) if problem.path else "")
            if field is None:
                rest.append(str(problem))
            else:
                field.say(problem.text)
        shown = len(error.problems) - len(rest)
        return "\n".join(rest) or refused_text(shown)

    def accept(self) -> None:
        self.form.clear_errors()
        for part in sorted(PARTS, key=lambda each: each != self._part):  # what is in sight is told first
            try:
                check_settings(self._classes[part], self._now[part] | self.changed(part))
            except ConfigError as error:
                self.part.setCurrentIndex(PARTS.index(part))
                self.told.setText(self._shown(error))
                set_tone(self.told, "down")
                return
        super().accept()
