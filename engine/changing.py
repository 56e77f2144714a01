"""Settings of bot and exit that are changed by hand in mid-run: which hold at a bar, forward and back (S16).

The record: ``{"bar": 12, "phase": "CLOSE", "type": "setting", "part": "exit", "values": {"atr_multiple": 2}}``; part is
bot or exit. Bot and exit are made anew with the changed settings and take over the state of those before.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import ConfigError
from engine.settings import check_settings

SETTING = "setting"
PARTS = ("bot", "exit")


class SettingChanges:
    """Which bot runs at which point.

    Args:
        bot: the bot that the run began with.
    """

    def __init__(self, bot: Any) -> None:
        self._first = bot
        self._applied: list[Mapping[str, Any]] = []

    def check(self, action: Mapping[str, Any], place: str) -> None:
        """Check a record against the settings that the run began with.

        Raises:
            ConfigError: naming ``place``, the value and what is allowed.
        """
        part, values = action.get("part"), action.get("values")
        if part not in PARTS or not isinstance(values, Mapping):
            raise ConfigError(f"{place}: a setting needs part (bot or exit) and values, such as {{ema_span: 34}}")
        self._settings(self._first, part, values)

    @staticmethod
    def _settings(bot: Any, part: str, values: Mapping[str, Any]) -> Any:
        settings = bot.settings if part == "bot" else bot.exit.settings
        return check_settings(type(settings), settings.model_dump() | dict(values), (part, "settings"))

    def applied(self, bot: Any, action: Mapping[str, Any]) -> Any:
        """The bot with one more change; the state of the one before goes over to it."""
        changed = self._with(bot, action)
        for before, after in ((bot, changed), (bot.exit, changed.exit)):
            state = before.get_state()
            if state is not None:
                after.set_state(state)
        self._applied.append(action)
        return changed

    def at(self, bot: Any, actions: Iterable[Mapping[str, Any]]) -> Any:
        """The bot that runs once these changes have been made; ``bot`` where it is that one already."""
        wanted = [action for action in actions if action["type"] == SETTING]
        if wanted == self._applied:
            return bot
        found = self._first
        for action in wanted:
            found = self._with(found, action)
        self._applied = wanted
        return found

    def _with(self, bot: Any, action: Mapping[str, Any]) -> Any:
        settings = {"bot": bot.settings, "exit": bot.exit.settings}
        settings[action["part"]] = self._settings(bot, action["part"], action["values"])
        return type(bot)(settings["bot"], type(bot.exit)(settings["exit"]))
