"""The run dialog: configuration, data, account, rules, bot and exit as a form made from their typed settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.forms import LABELS, SettingsForm, in_order, refused_text
from app.dialogs.small import Asking
from app.panels.parts import label, row_of, set_tone
from bots.base import BaseStrategyBot, BotSettings
from bots.catalog import BOTS, make_bot
from data.errors import TriphaseError
from engine.catalog import find_class
from engine.config import AssetSection, BacktestConfig, SimulationSection, instrument_of, load_config
from engine.config.loading import config_text
from engine.config.places import Places
from engine.config.yaml_source import read_yaml
from engine.errors import ConfigError, Problem
from engine.settings import SettingInfo, describe
from exits.base import ExitStrategy
from exits.catalog import EXITS, make_exit

PAGES = ("Account and range", "Data and contract", "Rules", "Bot", "Exit")
ACCOUNT = ("initial_cash", "currency", "seed", "start", "end", "bar")
ASSET = (
    "symbol", "file", "contract", "asset_class", "tick_size", "tick_value", "initial_margin", "maintenance_margin",
    "initial_margin_rate", "maintenance_margin_rate", "commission_per_contract", "fee_per_trade", "slippage_ticks",
    "columns", "timestamp", "timezone", "calendar", "repair",
)  # fmt: skip
STANDING = ("name", "currency", "fx_rates", "defaults", "data", "assets")  # what decides an asset's facts


class RunDialog(Asking):
    """What is run.

    Attributes:
        config: what was accepted; file: the configuration it began with.
    """

    def __init__(self, file: Path | None = None, *, by_hand: bool = False, parent: QWidget | None = None) -> None:
        super().__init__("New run", parent, "Run")
        self.resize(820, 660)
        self.config: BacktestConfig | None = None
        self.file = file
        self._base: dict[str, Any] = {"name": "run", "assets": [{"symbol": "SYMBOL"}]}
        self._places = Places()
        self.source = QLineEdit()
        self.source.setReadOnly(True)
        self.source.setPlaceholderText("no configuration: everything below")
        self.source.setAccessibleName("Configuration file")
        self.source.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.choose = QPushButton("Choose …")
        self.choose.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.addWidget(label("Configuration", "muted"))
        row.addWidget(self.source, 1)
        row.addWidget(self.choose)
        self.outer.addLayout(row)
        self.by_hand = QCheckBox("Replay by hand: no bot decides")
        self.by_hand.setChecked(by_hand)
        self.outer.addWidget(self.by_hand)
        self._make_tabs()
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.outer.addWidget(self.told)
        self.finish()
        if file is not None:
            self.load(file)
        else:
            self._fill()

    @classmethod
    def for_data(cls, file: Path, parent: QWidget | None = None) -> "RunDialog":
        """A run on one file of bars: symbol and contract by its name."""
        dialog = cls(None, parent=parent)
        symbol = file.name.split(".")[0].split("_")[0].upper() or "SYMBOL"
        dialog._base = {"name": symbol, "assets": [{"symbol": symbol, "file": str(file.resolve())}]}
        dialog._fill()
        dialog.tabs.setCurrentIndex(1)
        dialog.check()
        return dialog

    def _make_tabs(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Parts of the configuration")
        self.account, self.asset, self.rules = SettingsForm(), SettingsForm(), SettingsForm()
        self.bot_form, self.exit_form = SettingsForm(), SettingsForm()
        self.symbol, self.bot, self.exit = QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.symbol, "Asset"), (self.bot, "Bot"), (self.exit, "Exit")):
            box.setAccessibleName(name)
        for box, part in ((self.bot, "bot"), (self.exit, "exit")):
            box.currentTextChanged.connect(lambda _text, part=part: self._part_chosen(part))
        self.symbol.activated.connect(self._asset_chosen)
        self._asset = 0
        self._pages: tuple[tuple[QComboBox | None, SettingsForm], ...] = (
            (None, self.account), (self.symbol, self.asset), (None, self.rules), (self.bot, self.bot_form),
            (self.exit, self.exit_form),
        )  # fmt: skip
        for title, (head, form) in zip(PAGES, self._pages, strict=True):
            self.tabs.addTab(_page(head, form), title)
        self.outer.addWidget(self.tabs, 1)

    def _choose(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Configuration", "configs", "Configurations (*.yaml *.yml)")
        if file:
            self.load(Path(file))

    def load(self, file: Path) -> None:
        """Begin with a configuration file; what is wrong with it is told, at the fields where they are known."""
        self.source.setText(str(file))
        self.file = file
        try:
            config = load_config(file)
        except ConfigError as error:
            self._load_wrong(file, error)
            return
        self._base, self._places = config.given() | {"name": config.name}, config.places
        self._fill()
        self.check()

    def _load_wrong(self, file: Path, error: ConfigError) -> None:
        """Fill the form with what a refused file says, and say at each field what is wrong there."""
        try:
            text = read_yaml(config_text(file), str(file))
        except ConfigError as unreadable:
            self._tell(str(unreadable))
            return
        if not _fits_form(text.values):
            self._tell(str(error))
            return
        self._base = {"name": file.stem} | text.values
        self._places = Places(str(file), file.parent.resolve(), text.lines)
        self._fill()
        self._show_problems(error)

    def _fill(self) -> None:
        self.account.show_settings([i for i in describe(BacktestConfig) if i.name in ACCOUNT], self._base)
        self.rules.show_settings(describe(SimulationSection), self._base.get("simulation", {}))
        self.symbol.clear()
        self.symbol.addItems([str(asset.get("symbol")) for asset in self._base["assets"]])
        self._asset = 0
        self._show_asset()
        for box, part, catalog in ((self.bot, "bot", list(BOTS)), (self.exit, "exit", list(EXITS))):
            given = self._base.get(part, {})
            name = given.get("name") or catalog[0 if part == "exit" else 1]
            box.blockSignals(True)
            box.clear()
            box.addItems([*catalog, *([name] if name not in catalog else [])])
            box.setCurrentText(name)
            box.blockSignals(False)
            self._show_part(part)
        self._order()

    def _order(self) -> None:
        """From top to bottom by the tab key, page by page, to the buttons: fields are made later than these."""
        pages: list[QWidget] = []
        for head, form in self._pages:
            pages += [*([head] if head is not None else []), *form.editors()]
        bar = [self.tabs.tabBar() or self.tabs]
        in_order([self.choose, self.by_hand, *bar, *pages, *self.buttons.buttons()])

    def _show_asset(self) -> None:
        infos = {info.name: info for info in describe(AssetSection)}
        self.asset.show_settings([infos[name] for name in ASSET], self._base["assets"][self._asset])
        for editor in self.asset.editors():
            if isinstance(editor, QLineEdit):
                editor.editingFinished.connect(self._show_standing)
        self._show_standing()

    def _show_standing(self) -> None:
        """In fields of the asset that are left open, what `defaults`, `data` and the contract table say."""
        self._take_asset()
        known = {key: self._base[key] for key in STANDING if key in self._base}
        try:
            config = BacktestConfig.placed(known, self._places)
            asset = config.asset(config.symbols[self._asset])
            instrument = instrument_of(config, asset.symbol)[0]
        except TriphaseError:
            return  # what is wrong is told where it is checked
        for name, field in self.asset.fields.items():
            own = getattr(asset, name)
            field.tell_standing(getattr(instrument, name, None) if own is None else own)

    def _asset_chosen(self, index: int) -> None:
        self._take_asset()
        self._asset = index
        self._show_asset()
        self._order()

    def _take_asset(self) -> None:
        """Keep what is written for the asset that is shown."""
        asset = self._base["assets"][self._asset]
        for name, field in self.asset.fields.items():
            value = field.value()
            if value is None:
                asset.pop(name, None)
            else:
                asset[name] = value

    def _part_chosen(self, part: str) -> None:
        self._show_part(part)
        self._order()

    def _show_part(self, part: str) -> None:
        form = self.bot_form if part == "bot" else self.exit_form
        given = self._base.get(part, {})
        chosen = (self.bot if part == "bot" else self.exit).currentText()
        settings = given.get("settings", {}) if given.get("name", chosen) == chosen else {}
        form.show_settings(self._settings_of(part, chosen), settings)

    def _settings_of(self, part: str, name: str) -> list[SettingInfo]:
        """What can be set on a bot or exit; a user's own is loaded for it."""
        found: type[Any] | None = (BOTS if part == "bot" else EXITS).get(name)
        if found is None:
            try:
                config = BacktestConfig.placed(self._base, self._places)
                found = (
                    find_class(config.bot, BOTS, BaseStrategyBot, "bot")
                    if part == "bot"
                    else find_class(config.exit, EXITS, ExitStrategy, "exit")
                )
            except TriphaseError as error:
                self._tell(str(error))
                return []
        # What is its own comes first, what all bots share after it.
        return sorted(describe(found.Settings), key=lambda info: info.name in BotSettings.model_fields)

    # What is written

    def values(self) -> dict[str, Any]:
        """The configuration as plain values."""
        self._take_asset()
        values = {key: value for key, value in self._base.items() if key not in ACCOUNT}
        values |= self.account.values()
        values["simulation"] = self.rules.values_over(self._base.get("simulation", {}))
        for part, box, form in (("bot", self.bot, self.bot_form), ("exit", self.exit, self.exit_form)):
            given = dict(self._base.get(part, {}))
            if (given.get("name") or box.currentText()) != box.currentText():
                given = {}  # another one was chosen: what the file says is not meant for it
            values[part] = given | {
                "name": box.currentText(),
                "settings": form.values_over(given.get("settings", {})),
            }
        return values

    def check(self) -> BacktestConfig | None:
        """The configuration, or None with every error shown at the field it concerns."""
        for form in (self.account, self.asset, self.rules, self.bot_form, self.exit_form):
            form.clear_errors()
        self._count([])
        try:
            config = BacktestConfig.placed(self.values(), self._places)
            self._check_parts(config)
            for symbol in config.symbols:
                if config.asset(symbol).file is None:
                    raise ConfigError.of(
                        [Problem(self._asset_path(config, symbol, "file"), "a file of bars is missing")]
                    )
                instrument_of(config, symbol)
        except ConfigError as error:
            self._show_problems(error)
            return None
        except TriphaseError as error:
            self._tell(str(error))
            return None
        self._tell("")
        return config

    @staticmethod
    def _check_parts(config: BacktestConfig) -> None:
        """Settings of bot and exit, all problems of both at once."""
        problems: list[Problem] = []
        for part in ("bot", "exit"):
            try:
                make_exit(config.exit) if part == "exit" else make_bot(config.bot)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError.of(problems)

    @staticmethod
    def _asset_path(config: BacktestConfig, symbol: str, key: str) -> tuple[str | int, ...]:
        return ("assets", config.symbols.index(symbol), key)

    def _show_problems(self, error: ConfigError) -> None:
        rest, pages = [], []
        for problem in error.problems or [Problem((), str(error))]:
            page = self._show_problem(problem)
            if page is None:
                rest.append(str(problem))
            else:
                pages.append(page)
        self._count(pages)
        if pages:
            self.tabs.setCurrentIndex(min(pages))
        self._tell("\n".join(rest) or refused_text(len(pages)))

    def _count(self, pages: list[int]) -> None:
        """Say on each tab how many of its fields are refused."""
        for place, title in enumerate(PAGES):
            wrong = pages.count(place)
            self.tabs.setTabText(place, f"{title} ({wrong} wrong)" if wrong else title)

    def _show_problem(self, problem: Problem) -> int | None:
        """Show a problem at its field, and say on which page that is; None where it has none."""
        path = problem.path
        form, tab, name = self.account, 0, path[-1] if path else ""
        if path[:1] == ("assets",) and len(path) == 3:
            form, tab = self.asset, 1
            if isinstance(path[1], int) and path[1] != self._asset:
                self.symbol.setCurrentIndex(path[1])
                self._asset_chosen(path[1])
        elif path[:1] == ("simulation",):
            form, tab = self.rules, 2
        elif path[:2] == ("bot", "settings"):
            form, tab = self.bot_form, 3
        elif path[:2] == ("exit", "settings"):
            form, tab = self.exit_form, 4
        elif len(path) != 1:
            return None
        field = form.fields.get(str(name))
        if field is None:
            return None
        field.say(problem.text)
        page = self.tabs.widget(tab)
        for area in page.findChildren(QScrollArea) if page is not None else ():
            area.ensureWidgetVisible(field)
        return tab

    def _tell(self, text: str) -> None:
        self.told.setText(text)
        set_tone(self.told, "down" if text else "")

    def accept(self) -> None:
        self.config = self.check()
        if self.config is not None:
            super().accept()


def _fits_form(values: Mapping[str, Any]) -> bool:
    """Whether a file's sections are what a form can show, right or wrong: assets with symbols, mappings of settings."""
    assets = values.get("assets")
    if not isinstance(assets, list) or not assets or not all(isinstance(a, dict) and "symbol" in a for a in assets):
        return False
    parts = [values.get(part, {}) for part in ("simulation", "bot", "exit")]
    parts += [part.get("settings", {}) for part in parts if isinstance(part, dict)]
    return all(isinstance(part, dict) for part in parts)


def _page(head: QComboBox | None, form: SettingsForm) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(4, 10, 4, 4)
    if head is not None:
        told = label(head.accessibleName(), "muted")
        told.setMinimumWidth(LABELS)
        row = row_of(told, head, spacing=10)
        row.setStretch(1, 1)
        row.setContentsMargins(0, 0, 8, 6)
        layout.addLayout(row)
    scroll = QScrollArea()
    scroll.setWidget(form)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QScrollArea.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    layout.addWidget(scroll)
    return page
