"""A bot that replays recorded orders (rulebook S16)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bots.base import BaseStrategyBot, BotSettings
from engine.actions import Action, apply_action, check_action
from engine.backtester import BacktesterEngine
from engine.environment import TradingEnvironment
from engine.errors import ConfigError
from engine.kernel.schema import Phase
from engine.settings import setting
from exits.base import ExitStrategy


class ScriptedBot(BaseStrategyBot):
    """Carries out action records at their bar and phase, in their order; nothing else, not even flattening."""

    class Settings(BotSettings):
        """Settings of the scripted bot."""

        actions_file: Annotated[Path, Field(strict=False)] | None = setting(
            None, unit="", help="JSON file with a list of action records, from the configuration's folder."
        )

    settings: Settings

    def __init__(
        self,
        settings: BotSettings | None = None,
        exit: ExitStrategy | None = None,
        actions: Iterable[Action] | None = None,
    ) -> None:
        super().__init__(settings, exit)
        given = list(actions) if actions is not None else read_actions(self.settings.actions_file)
        place = "" if actions is not None else f"{self.settings.actions_file} "
        self._script: dict[tuple[int, Phase], list[Action]] = {}
        for number, action in enumerate(given):
            check_action(action, f"{place}action {number + 1}")
            key = (action["bar"], Phase[action["phase"]])
            self._script.setdefault(key, []).append(action)

    def prepare(self, engine: BacktesterEngine) -> None:
        """Nothing of the base bot is used."""
        self._engine = engine
        beyond = [bar for bar, _ in self._script if bar >= len(engine.market)]
        if beyond and len(engine.market):
            last = len(engine.market) - 1
            engine.note_once(f"actions at bar {min(beyond)} and later are never carried out: the last bar is {last}")

    @property
    def acts_at_close(self) -> bool:
        """Whether any record belongs to a CLOSE."""
        return any(phase is Phase.CLOSE for _, phase in self._script)

    def on_bar(self, env: TradingEnvironment) -> None:
        """Carry out what belongs to this OPEN."""
        self._act(Phase.OPEN)

    def on_close(self, env: TradingEnvironment) -> None:
        """Carry out what belongs to this CLOSE."""
        self._act(Phase.CLOSE)

    def _act(self, phase: Phase) -> None:
        for action in self._script.get((self._engine.bar, phase), ()):
            apply_action(self._engine, action)

    def get_state(self) -> dict[str, object]:
        """Nothing to keep: records belong to bars."""
        return {}


def read_actions(file: Path | None) -> list[Any]:
    """Action records of a JSON file; none without a file.

    Raises:
        ConfigError: where it cannot be read or is no list.
    """
    import json

    if file is None:
        return []
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read as a list of actions: {error}") from None
    if not isinstance(found, list):
        raise ConfigError(f"{file} holds no list of actions")
    return found
